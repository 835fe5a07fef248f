# A kernel that lacks something: the plugin says what, in the words of CNI, and changes nothing.

modules_load no

echo '{ "cniVersion": "1.1.0", "name": "early", "type": "bridge", "bridge": "early0" }' >/tmp/early.json
early_add() {
	plugin=/opt/cni/bridge netns=early
	refused 106 "this kernel lacks $1" cni ADD early /tmp/early.json
	must_not ip link show early0
}
no_bridges_add() { early_add BRIDGE; }
no_veths_add() { early_add VETH; }
ip netns add early
check no bridges add
modprobe bridge
check no veths add
ip netns delete early
check make house

config "$(port tcp 8080 80), $(port udp 5353 53)" >/tmp/web.json
state() {
	cut -d' ' -f1 /proc/modules | sort
	cat /proc/sys/net/ipv4/conf/*/route_localnet
	find /run -type f
}

# The call is refused, and what there is is as before.
nothing_happens() {
	state >/tmp/before
	"$@"
	state >/tmp/after
	must diff /tmp/before /tmp/after
}

no_nfnetlink_add() { nothing_happens refused 106 nf_tables cni ADD web /tmp/web.json; }
no_nfnetlink_check() { nothing_happens refused 106 nf_tables cni CHECK web /tmp/web.json; }
no_nfnetlink_status() { nothing_happens refused 50 nf_tables cni STATUS "" /tmp/web.json; }
no_nf_tables_add() { no_nfnetlink_add; }
no_nf_tables_check() { no_nfnetlink_check; }
no_nf_tables_status() { no_nfnetlink_status; }
# Needs nothing of the kernel.
no_nfnetlink_version() { cni_quietly VERSION "" /tmp/web.json && must grep -q 1.1.0 /tmp/answer; }
no_nf_tables_list() {
	must_not portcullis list >/tmp/answer 2>/tmp/complaints
	cat /tmp/complaints
	must grep -q nf_tables /tmp/complaints
}

must_not grep -q ^nfnetlink /proc/modules || echo "@FAILED start without nfnetlink"
check no nfnetlink version
check no nfnetlink add
check no nfnetlink check
check no nfnetlink status
modprobe nfnetlink
check no nf_tables add
check no nf_tables check
check no nf_tables status
check no nf_tables list

# nf_tables is there, and the modules for its parts are not.
no_nat_chains_add() {
	must [ -z "$(nft list ruleset)" ]
	refused 106 chain cni ADD web /tmp/web.json
	must [ -z "$(nft list ruleset)" ]
}
no_nat_expressions_add() {
	refused 106 nat cni ADD web /tmp/web.json
	must [ -z "$(nft list ruleset)" ]
}
modprobe nf_tables
# A module of its own before Linux 5.17.
modprobe -q nft_counter
check no nat chains add
modprobe nft_chain_nat
check no nat expressions add

modules_load yes

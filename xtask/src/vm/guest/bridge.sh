# Containers on a bridge: links, addresses, packets and VLANs, of which bridge(8) is the judge.

for each in one two three trunk; do ip netns add $each; done

# network NAME BRIDGE NUMBER [MORE] > FILE
network() {
	cat <<END
{
  "cniVersion": "1.1.0", "name": "$1", "type": "bridge", "bridge": "$2", $4
  "ipam": {
    "type": "host-local", "ranges": [[{ "subnet": "10.$3.0.0/24" }], [{ "subnet": "fd00:$3::/64" }]]
  }
}
END
}

# layer2 NAME BRIDGE MORE > FILE: a network without addresses.
layer2() { echo "{ \"cniVersion\": \"1.1.0\", \"name\": \"$1\", \"bridge\": \"$2\", $3 \"ipam\": {} }"; }

# attach COMMAND CONTAINER FILE; the answer to an ADD is kept for the CHECK.
attach() {
	plugin=/opt/cni/bridge netns=$2
	cni_quietly "$@" || return
	if [ "$1" = ADD ]; then cp /tmp/answer "/tmp/answer.$2"; fi
}
attach_check() {
	(sed '$d' "$2" && echo ', "prevResult":' && cat "/tmp/answer.$1" && echo '}') >/tmp/check.json
	attach CHECK "$1" /tmp/check.json
}

reaches() { must ip netns exec "$1" ping -c 1 -W 3 "$2"; }
reaches_not() { must_not ip netns exec "$1" ping -c 1 -W 1 "$2"; }

# port_of CONTAINER: its port on the bridge, as the ADD reported it.
port_of() { grep -o '"veth[0-9a-f]*"' "/tmp/answer.$1" | head -n 1 | tr -d '"'; }

# vlans LINK: one after the other, as bridge(8) shows them.
vlans() {
	bridge vlan show dev "$1" | tail -n +2 | sed 's/^[^[:space:]]*[[:space:]]*//; s/[[:space:]]*$//' |
		grep . | tr '\n' ','
}
has_vlans() {
	echo "VLANs of $1: $(vlans "$1")"
	must [ "$(vlans "$1")" = "$2" ]
}

network plain br70 70 '"isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "hairpinMode": true,' \
	>/tmp/plain.json
bridge_add() {
	attach ADD one /tmp/plain.json
	attach ADD two /tmp/plain.json
	must grep -q '"10.70.0.2/24"' /tmp/answer.one
	bridge -d link show dev "$(port_of one)" | must grep -q "hairpin on"
	must [ "$(cat "/sys/class/net/$(port_of one)/ifalias")" = bridge/plain/one/eth0 ]
	attach_check one /tmp/plain.json
	attach_check two /tmp/plain.json
}
bridge_packets() {
	for to in 10.70.0.1 10.70.0.3 fd00:70::1 fd00:70::3; do reaches one $to; done
	# The outside knows no way back to containers.
	for to in 192.0.2.2 2001:db8::2; do reaches two $to; done
}
bridge_spoof() {
	mac=$(ip netns exec one cat /sys/class/net/eth0/address)
	ip -n one link set eth0 address 0a:00:00:00:00:99
	reaches_not one 10.70.0.3
	ip -n one link set eth0 address "$mac"
	reaches one 10.70.0.3
}
bridge_reload() {
	nft list ruleset >/tmp/before
	cat /tmp/before
	must grep -q 10.70.0.2 /tmp/before
	nft flush ruleset
	refused 105 rules attach_check one /tmp/plain.json
	nft -f /tmp/before
	nft list ruleset >/tmp/after
	must diff /tmp/before /tmp/after
	attach_check one /tmp/plain.json
	bridge_packets
}
bridge_del() {
	attach DEL one /tmp/plain.json
	# The namespace of the other is gone before its DEL, and with it the pair.
	ip netns delete two
	attach DEL two /tmp/plain.json
	ip netns add two
	must [ -z "$(ls /sys/class/net/br70/brif)" ]
	must_not ip -n one link show eth0
	nft list ruleset >/tmp/ruleset
	cat /tmp/ruleset
	must_not grep -qE "10\.70\.|fd00:70:|veth" /tmp/ruleset
	must [ -z "$(find /var/lib/cni -name '*70*')" ]
	attach DEL one /tmp/plain.json
}

network apart br71 71 '"isGateway": true, "portIsolation": true,' >/tmp/apart.json
port_isolation() {
	for each in one two; do attach ADD $each /tmp/apart.json; done
	bridge -d link show dev "$(port_of one)" | must grep -q "isolated on"
	attach_check one /tmp/apart.json
	reaches one 10.71.0.1
	reaches_not one 10.71.0.3
	for each in one two; do attach DEL $each /tmp/apart.json; done
}

network red br72 72 '"isGateway": true, "vlan": 100,' >/tmp/red.json
network blue br72 72 '"vlan": 200, "preserveDefaultVlan": false,' |
	sed 's#/24"#&, "rangeStart": "10.72.0.9"#' >/tmp/blue.json
vlan_add() {
	for each in one two; do attach ADD $each /tmp/red.json; done
	must grep -q '"br72.100"' /tmp/answer.one
	must [ "$(grep -c '"name"' /tmp/answer.one)" = 4 ]
	ip addr show dev br72.100 | must grep -q 10.72.0.1/24
	ip addr show dev br72 | must_not grep -q 10.72.0.1
	attach ADD three /tmp/blue.json
	must [ "$(grep -c '"name"' /tmp/answer.three)" = 3 ]
	has_vlans "$(port_of one)" "1 Egress Untagged,100 PVID Egress Untagged,"
	has_vlans "$(port_of three)" "200 PVID Egress Untagged,"
	for each in one two; do attach_check $each /tmp/red.json; done
	attach_check three /tmp/blue.json
}
vlan_packets() {
	for to in 10.72.0.1 10.72.0.3 fd00:72::1 fd00:72::3; do reaches one $to; done
	# The same addresses from another VLAN.
	for to in 10.72.0.1 10.72.0.3; do reaches_not three $to; done
	reaches_not one 10.72.0.9
}

# tagged VLAN: the container's frames carry this tag. A bridge in the container puts it on them.
tagged() {
	ip -n trunk link add inner type bridge vlan_filtering 1
	ip -n trunk link set eth0 master inner
	ip netns exec trunk bridge vlan add dev eth0 vid "$1"
	ip netns exec trunk bridge vlan add dev inner vid "$1" pvid untagged self
	ip -n trunk addr add 10.72.0.50/24 dev inner
	ip -n trunk link set inner up
}
untagged() { ip -n trunk link delete inner; }
trunk='"vlanTrunk": [{ "minID": 100, "maxID": 102 }, { "id": 300 }],'
vlan_trunk() {
	layer2 all br72 "$trunk" >/tmp/trunk.json
	attach ADD trunk /tmp/trunk.json
	has_vlans "$(port_of trunk)" "1 PVID Egress Untagged,100,101,102,300,"
	tagged 100
	for to in 10.72.0.1 10.72.0.2; do reaches trunk $to; done
	reaches_not trunk 10.72.0.9
	untagged
	tagged 200
	for to in 10.72.0.2 10.72.0.9; do reaches_not trunk $to; done
	untagged
	attach DEL trunk /tmp/trunk.json
}
vlan_trunk_without_default() {
	layer2 all br72 "$trunk \"preserveDefaultVlan\": false," >/tmp/trunk.json
	attach ADD trunk /tmp/trunk.json
	has_vlans "$(port_of trunk)" "1 PVID Egress Untagged,100,101,102,300,"
	attach DEL trunk /tmp/trunk.json
}
vlan_trunk_and_native() {
	layer2 all br72 "$trunk \"vlan\": 200, \"preserveDefaultVlan\": false," >/tmp/trunk.json
	attach ADD trunk /tmp/trunk.json
	has_vlans "$(port_of trunk)" "100,101,102,200 PVID Egress Untagged,300,"
	ip -n trunk addr add 10.72.0.50/24 dev eth0
	reaches trunk 10.72.0.9
	reaches_not trunk 10.72.0.2
	attach DEL trunk /tmp/trunk.json
}
vlan_del() {
	for each in one two; do attach DEL $each /tmp/red.json; done
	attach DEL three /tmp/blue.json
	ls /sys/class/net/br72/brif
	# Its gateway stays, as the bridge does.
	must [ "$(ls /sys/class/net/br72/brif | wc -l)" = 1 ]
	must [ -z "$(find /var/lib/cni -name '*72*')" ]
}

filtering() { ip -d link show dev "$1" | grep -o "vlan_filtering [01]"; }
vlan_on_a_bridge_that_is_there() {
	network late br73 73 '"isGateway": true,' >/tmp/early.json
	network late br73 73 '"isGateway": true, "vlan": 100, "preserveDefaultVlan": false,' >/tmp/late.json
	# Bridges may give new ports another VLAN than 1.
	ip link add br73 type bridge vlan_default_pvid 7
	attach ADD one /tmp/early.json
	reaches one 10.73.0.1
	must [ "$(filtering br73)" = "vlan_filtering 0" ]
	attach ADD two /tmp/late.json
	must [ "$(filtering br73)" = "vlan_filtering 1" ]
	has_vlans "$(port_of two)" "100 PVID Egress Untagged,"
	reaches_not one 10.73.0.3
	for each in one two; do attach DEL $each /tmp/late.json; done
}
vlan_on_a_bridge_of_others() {
	network others br74 74 '"isGateway": true, "vlan": 100,' >/tmp/others.json
	ip link add br74 type bridge
	ip link add card74 master br74 type veth peer name wire74
	plugin=/opt/cni/bridge netns=one
	refused 101 card74 cni ADD one /tmp/others.json
	must grep -q "ip link set br74 type bridge vlan_filtering 1" /tmp/answer
	must [ "$(ls /sys/class/net/br74/brif)" = card74 ]
	must [ "$(filtering br74)" = "vlan_filtering 0" ]
	must [ -z "$(find /var/lib/cni -name '*74*')" ]
	ip link set br74 type bridge vlan_filtering 1
	attach ADD one /tmp/others.json
	reaches one 10.74.0.1
	attach DEL one /tmp/others.json
}
vlan_of_a_failed_add() {
	network failed br75 75 '"isGateway": true, "vlan": 100,' |
		sed 's/host-local/none-such/' >/tmp/failed.json
	ip link add br75 type bridge
	cat >/opt/cni/none-such <<-'END'
		#!/bin/sh
		cat >/dev/null
		echo '{ "cniVersion": "1.1.0", "code": 11, "msg": "not today" }'
		exit 1
	END
	chmod +x /opt/cni/none-such
	plugin=/opt/cni/bridge netns=one
	refused 11 "not today" cni ADD one /tmp/failed.json
	must [ "$(filtering br75)" = "vlan_filtering 0" ]
	must [ -z "$(ls /sys/class/net/br75/brif)" ]
}

for each in "bridge add" "bridge packets" "bridge spoof" "bridge reload" "bridge del" "port isolation" \
	"vlan add" "vlan packets" "vlan trunk" "vlan trunk without default" "vlan trunk and native" \
	"vlan del" "vlan on a bridge that is there" "vlan on a bridge of others" "vlan of a failed add"; do
	check $each
done

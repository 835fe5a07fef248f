# Packets: the demo's probes, and a UDP flow that begins before its port is published.

demo() {
	# The demo makes a host of its own; its /run is not ours.
	XTASK_OUTSIDE=elsewhere unshare -n -m xtask __demo /usr/sbin/portcullis
}

demo_through_bridge_netfilter() {
	modprobe br_netfilter
	demo
}

# says WORD: what the flow says last, within five seconds.
says() {
	for _ in $(seq 50); do
		[ "$(tail -n 1 /tmp/flow)" = "$1" ] && return
		sleep 0.1
	done
	cat /tmp/flow
	return 1
}

# The kernel remembers the flow as one to the guest itself; after DEL, as one to the container.
flow_of_before() {
	sleep 60 | ip netns exec web xtask __echo 80 53 &
	ip netns exec outside xtask __flow "$1" >/tmp/flow &
	must says unanswered
	cni_quietly ADD web /tmp/web.json
	must says answered
	cni_quietly DEL web /tmp/web.json
	must says unanswered
}
udp_flow_v4() { flow_of_before 192.0.2.1:5353; }
udp_flow_v6() { flow_of_before "[2001:db8::1]:5353"; }

check demo
check demo through bridge netfilter
for each in v4 v6; do
	check udp flow $each
	killall xtask sleep 2>/dev/null
done

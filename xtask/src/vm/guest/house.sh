# A host with a container on its bridge and a client outside, and words to make checks of.
#
#   outside 192.0.2.2 ── 192.0.2.1 the guest, cni0 10.88.0.1 ── 10.88.0.2 web
#        2001:db8::2       2001:db8::1          fd00:88::1      fd00:88::2

# busybox has an `ip` of its own, which its shell prefers.
ip() { /usr/sbin/ip "$@"; }

# Nothing is loaded by itself until `modules_load` allows it.
modules_load() {
	if [ "$1" = yes ]; then echo /sbin/modprobe; else echo /bin/false; fi >/proc/sys/kernel/modprobe
}

make_house() {
	modprobe veth && modprobe bridge
	ip link set lo up
	ip netns add web
	ip netns add outside
	ip link add uplink type veth peer name eth0 netns outside
	ip link add cni0 type bridge
	ip link add veth0 type veth peer name eth0 netns web
	ip link set veth0 master cni0
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 2001:db8::1/64 dev uplink nodad
	ip addr add 10.88.0.1/16 dev cni0
	ip addr add fd00:88::1/64 dev cni0 nodad
	for link in uplink cni0 veth0; do ip link set $link up; done
	for name in web outside; do ip -n $name link set lo up && ip -n $name link set eth0 up; done
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside addr add 2001:db8::2/64 dev eth0 nodad
	ip -n web addr add 10.88.0.2/16 dev eth0
	ip -n web addr add fd00:88::2/64 dev eth0 nodad
	ip -n web route add default via 10.88.0.1
	ip -n web route add default via fd00:88::1
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

shown() { tail -n 60 "$1" | awk '{ print "@| " $0 }'; }

# check WORDS: runs the function `words_with_underscores`; stops it at the first failing line.
check() {
	words=$*
	(
		set -e
		$(echo "$words" | tr ' ' _)
	) >/tmp/output 2>&1
	code=$?
	if [ $code = 0 ]; then
		echo "@ok $words"
	else
		echo "@FAILED $words (exit code $code)"
		shown /tmp/output
	fi
}

# must WORDS: WORDS is a command that succeeds. The others say in the output what was not so.
must() {
	"$@" && return
	echo "not so: $*"
	return 1
}
must_not() {
	"$@" || return 0
	echo "should not be so: $*"
	return 1
}

# config PORTS [MORE] > FILE: what a runtime gives the plugin for the container `web`.
config() {
	cat <<END
{
  "cniVersion": "1.1.0", "name": "demo", "type": "portmap",
  "runtimeConfig": { "portMappings": [ $1 ] }, $2
  "prevResult": {
    "cniVersion": "1.1.0",
    "interfaces": [{ "name": "eth0", "sandbox": "/run/netns/web" }],
    "ips": [
      { "address": "10.88.0.2/16", "gateway": "10.88.0.1", "interface": 0 },
      { "address": "fd00:88::2/64", "gateway": "fd00:88::1", "interface": 0 }
    ]
  }
}
END
}

# port PROTOCOL HOST-PORT CONTAINER-PORT [HOST-ADDRESS]
port() {
	echo "{ \"protocol\": \"$1\", \"hostPort\": $2, \"containerPort\": $3, \"hostIP\": \"$4\" }"
}

# cni COMMAND CONTAINER FILE: one call; its answer also goes to /tmp/answer, and what it says
# besides to /tmp/complaints.
cni() {
	status=0
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/${netns:-web} CNI_IFNAME=eth0 CNI_PATH=/opt/cni \
		${plugin:-portmap} <"$3" >/tmp/answer 2>/tmp/complaints || status=$?
	echo "$1 $2: exit code $status"
	awk 1 /tmp/answer /tmp/complaints
	return $status
}

# Without so much as a warning.
cni_quietly() {
	cni "$@" && must [ ! -s /tmp/complaints ]
}

# refused CODE WORD CALL: exit code 1 and an error object with that code that names WORD.
refused() {
	expected=$1 named=$2
	shift 2
	status=0
	"$@" || status=$?
	must [ $status = 1 ]
	must grep -q "\"code\": *$expected\b" /tmp/answer
	must grep -q "$named" /tmp/answer
}

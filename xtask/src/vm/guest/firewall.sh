# Packets of a container pass a chain that drops, and its bridge is apart from others.

cat >/tmp/firewall.json <<END
{
  "cniVersion": "1.1.0", "name": "demo", "type": "firewall", "ingressPolicy": "isolated",
  "prevResult": {
    "cniVersion": "1.1.0",
    "interfaces": [{ "name": "cni0" }, { "name": "eth0", "sandbox": "/run/netns/web" }],
    "ips": [
      { "address": "10.88.0.2/16", "interface": 1 }, { "address": "fd00:88::2/64", "interface": 1 }
    ]
  }
}
END

forwarding() {
	ip -n outside route replace 10.88.0.0/16 via 192.0.2.1
	must ip netns exec web ping -c 1 -W 3 192.0.2.2
	nft add table ip filter
	nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'
	plugin=firewall
	must_not ip netns exec web ping -c 1 -W 1 192.0.2.2
	cni_quietly ADD web /tmp/firewall.json
	nft list ruleset >/tmp/before
	cat /tmp/before
	must ip netns exec web ping -c 1 -W 3 192.0.2.2
	must_not ip netns exec outside ping -c 1 -W 1 10.88.0.2
	must grep -q '"cni0" . "cni0"' /tmp/before
	nft flush ruleset
	nft -f /tmp/before
	nft list ruleset >/tmp/after
	must diff /tmp/before /tmp/after
	cni_quietly CHECK web /tmp/firewall.json
	cni_quietly ADD web /tmp/firewall.json
	nft list table inet portcullis >/tmp/after
	must grep -q '2 elements for 1 container"' /tmp/after
	cni_quietly DEL web /tmp/firewall.json
	nft list ruleset >/tmp/ruleset
	cat /tmp/ruleset
	must_not grep -qE "10\.88\.|fd00:88:|cni0|accepted" /tmp/ruleset
	nft flush ruleset
}

check forwarding

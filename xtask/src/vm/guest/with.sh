# Ports come and go on a kernel that has all there is; nft is the judge.

more=$(port tcp 8080 80)
for each in "tcp 8081 81 192.0.2.1" "udp 5353 53" "sctp 3868 3868"; do more="$more, $(port $each)"; done
config "$more" >/tmp/web.json
config "$(port tcp 9090 80)" '"conditionsV4": ["!", "-s", "198.51.100.0/24"],' >/tmp/picky.json
for n in $(seq 20); do config "$(port tcp $((20000 + n)) 80)" >/tmp/other$n.json; done

status() { must [ -z "$(nft list ruleset)" ] && cni_quietly STATUS "" /tmp/web.json; }

add() {
	cni_quietly ADD web /tmp/web.json
	must grep -q 10.88.0.2/16 /tmp/answer
	nft list ruleset >/tmp/ruleset
	cat /tmp/ruleset
	for part in "tcp . 8080 .*10.88.0.2 . 80" "udp . 5353 .*10.88.0.2 . 53" \
		"sctp . 3868 .*10.88.0.2 . 3868" "192.0.2.1 . tcp . 8081 .*10.88.0.2 . 81" \
		"tcp . 8080 .*fd00:88::2 . 80" "sctp . 3868 .*fd00:88::2 . 3868"; do
		must grep -q "$part" /tmp/ruleset
	done
	must [ "$(cat /proc/sys/net/ipv4/conf/cni0/route_localnet)" = 1 ]
}

add_under_conditions() {
	cni_quietly ADD picky /tmp/picky.json
	nft list ruleset >/tmp/ruleset
	cat /tmp/ruleset
	must grep -q "ip saddr != 198.51.100.0/24" /tmp/ruleset
}

list() {
	portcullis list
	must [ "$(portcullis list | grep -c web)" = 7 ]
	must [ "$(portcullis list | grep -c picky)" = 2 ]
	portcullis list --json | must grep -q '"hostPort": *3868'
}

check_of_both() { cni_quietly CHECK web /tmp/web.json && cni_quietly CHECK picky /tmp/picky.json; }

repeated_add() {
	nft list ruleset >/tmp/before
	cni_quietly ADD web /tmp/web.json
	cni_quietly ADD picky /tmp/picky.json
	nft list ruleset >/tmp/after
	must diff /tmp/before /tmp/after
}

taken_port() {
	nft list ruleset >/tmp/before
	refused 103 "web" cni ADD thief /tmp/web.json
	nft list ruleset >/tmp/after
	must diff /tmp/before /tmp/after
}

reload() {
	nft list ruleset >/tmp/before
	(echo flush ruleset && cat /tmp/before) >/tmp/ruleset
	nft -f /tmp/ruleset
	nft list ruleset >/tmp/after
	must diff /tmp/before /tmp/after
	cni_quietly CHECK web /tmp/web.json
	must [ "$(portcullis list | grep -c web)" = 7 ]
}
conditions_after_reload() {
	# Where a port under conditions leads is not in nft's listing; its next ADD brings it back.
	portcullis list
	must [ "$(portcullis list | grep -c picky)" = 1 ]
	cni_quietly CHECK picky /tmp/picky.json
}
add_after_reload() {
	cni_quietly ADD web /tmp/web.json
	cni_quietly ADD picky /tmp/picky.json
	check_of_both
}

damage() {
	nft delete element inet portcullis hostports4 '{ tcp . 8080 }'
	refused 105 8080 cni CHECK web /tmp/web.json
	cni_quietly ADD web /tmp/web.json
	check_of_both
}

twenty_more() {
	for n in $(seq 20); do cni_quietly ADD other$n /tmp/other$n.json; done
	must [ "$(portcullis list | grep -c other)" = 40 ]
}

gc() {
	valid='"cni.dev/valid-attachments": [
		{ "containerID": "web", "ifname": "eth0" }, { "containerID": "picky", "ifname": "eth0" } ],'
	config "" "$valid" >/tmp/gc.json
	cni_quietly GC "" /tmp/gc.json
	portcullis list
	must [ "$(portcullis list | grep -c other)" = 0 ]
	check_of_both
}

del() {
	cni_quietly DEL picky /tmp/picky.json
	must [ "$(portcullis list | grep -c web)" = 7 ]
	cni_quietly DEL web /tmp/web.json
	cni_quietly DEL web /tmp/web.json
	nft list ruleset >/tmp/ruleset
	cat /tmp/ruleset
	must_not grep -qE "10\.88\.|fd00:88:|198\.51\.100\." /tmp/ruleset
	must_not grep -qE "web|picky|other" /tmp/ruleset
}

for each in status add "add under conditions" list "check of both" "repeated add" "taken port" \
	reload "conditions after reload" "add after reload" damage "twenty more" gc del; do
	check $each
done

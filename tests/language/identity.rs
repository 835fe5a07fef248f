//! Which rules `-C` and `-D` take for the same: by their meaning, whoever made them.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::judge_same;

#[test]
fn ipv4_rules_when_compared_then_are_the_same_by_meaning() {
    judge_same(
        V4,
        &[
            &[
                ("filter/FORWARD", "-d 172.17.0.2 -p tcp --dport 80 -j ACCEPT"),
                ("filter/FORWARD", "-p tcp -j ACCEPT --dport 80 -d 172.17.0.2/32"),
                (
                    "filter/FORWARD",
                    "-p 6 -m tcp -d 172.17.0.2/255.255.255.255 --dport 80:80 -j ACCEPT",
                ),
            ],
            &[("filter/FORWARD", "-d 172.17.0.2 -p udp --dport 80 -j ACCEPT")],
            &[("filter/FORWARD", "-d 172.17.0.3 -p tcp --dport 80 -j ACCEPT")],
            &[
                ("filter/FORWARD", "-j DROP"),
                ("filter/FORWARD", "-s 0/0 -j DROP"),
                ("filter/FORWARD", "-s 0.0.0.0/0 -d 0/0 -i + -j DROP"),
            ],
            &[("filter/FORWARD", "-j RETURN")],
            &[("filter/FORWARD", "-j DOCKER")],
            &[("filter/FORWARD", "-g DOCKER")],
            &[
                (
                    "filter/FORWARD",
                    "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                ),
                (
                    "filter/FORWARD",
                    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT -o docker0",
                ),
            ],
            &[("filter/FORWARD", "-m conntrack --ctstate NEW -j ACCEPT")],
            &[("filter/FORWARD", "-m state --state NEW -j ACCEPT")],
            &[
                ("filter/FORWARD", "-m mark --mark 1/3"),
                ("filter/FORWARD", "-m mark --mark 0x1/0x3"),
            ],
            &[("filter/FORWARD", "-m mark --mark 1")],
            &[("filter/FORWARD", "-m comment --comment \"x y\" -j ACCEPT")],
            &[("filter/FORWARD", "-m comment --comment \"x z\" -j ACCEPT")],
            &[("filter/FORWARD", "-m comment --comment x -m comment --comment \"y z\" -j ACCEPT")],
            &[("filter/FORWARD", "-m comment --comment x -m comment --comment \"y w\" -j ACCEPT")],
            &[("filter/FORWARD", "-m comment --comment \"y z\" -m comment --comment x -j ACCEPT")],
            &[("filter/FORWARD", "-m comment --comment x -j ACCEPT")],
            &[("filter/FORWARD", "-p tcp -m multiport --dports 80,443")],
            &[("filter/FORWARD", "-p tcp -m multiport --dports 80,444")],
            &[("filter/FORWARD", "-m time --weekdays Mon,Sun")],
            &[
                ("filter/FORWARD", "-m time --weekdays Mon,Tue"),
                ("filter/FORWARD", "-m time ! --weekdays Wed,Thu,Fri,Sat,Sun"),
            ],
            &[("filter/FORWARD", "-p tcp"), ("filter/FORWARD", "-p TCP")],
            &[("filter/FORWARD", "! -p tcp")],
            &[
                ("nat/PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"),
                ("nat/PREROUTING", "-j DOCKER -m addrtype --dst-type local"),
            ],
            &[
                ("nat/OUTPUT", "-m addrtype --dst-type LOCAL -j DOCKER ! --dst 127.0.0.0/8"),
                ("nat/OUTPUT", "! -d 127.0.0.1/8 -m addrtype --dst-type LOCAL -j DOCKER"),
            ],
            &[
                (
                    "nat/PREROUTING",
                    "-p tcp -d 0/0 --dport 80 -j DNAT --to-destination 172.17.0.2:80 ! -i docker0",
                ),
                (
                    "nat/PREROUTING",
                    "! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80",
                ),
            ],
            &[("nat/PREROUTING", "-p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:81")],
            &[("nat/POSTROUTING", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")],
            &[("nat/POSTROUTING", "-s 172.17.0.0/16 ! -o docker1 -j MASQUERADE")],
            &[
                ("mangle/PREROUTING", "-j MARK --set-mark 1/3"),
                ("mangle/PREROUTING", "-j MARK --set-xmark 0x1/0x3"),
            ],
            &[("mangle/PREROUTING", "-j MARK --set-mark 1")],
        ],
    );
}

#[test]
fn ipv6_rules_when_compared_then_are_the_same_by_meaning() {
    judge_same(
        V6,
        &[
            &[
                ("filter/INPUT", "-p icmpv6 -j ACCEPT"),
                ("filter/INPUT", "-p ipv6-icmp -s ::/0 -j ACCEPT"),
                ("filter/INPUT", "-p 58 -j ACCEPT"),
            ],
            &[
                ("filter/INPUT", "-s 2001:db8::1 -j ACCEPT"),
                ("filter/INPUT", "-s 2001:DB8:0::1/128 -j ACCEPT"),
            ],
            &[("filter/INPUT", "-p icmpv6 --icmpv6-type 128 -j ACCEPT")],
        ],
    );
}

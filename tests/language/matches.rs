//! Matches, one table each.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{Difference, judge, judge_with, refused};

#[test]
fn transports_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-p sctp --dport 9000 -j ACCEPT"),
            ("filter/INPUT", "-p sctp ! --sport 1:9 --dport 9"),
            ("filter/INPUT", "-p dccp --dport 9000"),
            ("filter/INPUT", "-p dccp --dccp-types REQUEST,RESPONSE --sport 1"),
            ("filter/INPUT", "-p dccp ! --dccp-types INVALID"),
            ("filter/INPUT", "-p dccp ! --dccp-types syncack,data -j DROP"),
        ],
    );
}

#[test]
fn icmp_when_saved_then_prints_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-p icmp --icmp-type 8 -j ACCEPT"),
            ("filter/INPUT", "-p icmp ! --icmp-type 3/4"),
            ("filter/INPUT", "-p icmp --icmp-type any"),
            ("filter/INPUT", "-p icmp ! --icmp-type any"),
            ("filter/INPUT", "-p icmp -m icmp --icmp-type 200/3"),
            ("filter/INPUT", "-p icmp -m icmp --icmp-type fragmentation-needed"),
        ],
    );
    judge(
        V6,
        &[
            ("filter/INPUT", "-p icmpv6 ! --icmpv6-type echo-request"),
            ("filter/INPUT", "-p icmpv6 --icmpv6-type 1/4 -j ACCEPT"),
        ],
    );
}

#[test]
fn marks_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("mangle/PREROUTING", "-m mark --mark 16"),
            ("mangle/PREROUTING", "-m mark ! --mark 0x10/0x30"),
            ("mangle/PREROUTING", "-m mark --mark 3/1"),
            ("mangle/PREROUTING", "-m mark ! --mark 3/1"),
            ("mangle/PREROUTING", "-m mark --mark 0/0"),
            ("mangle/PREROUTING", "-m mark ! --mark 0/0"),
            ("mangle/PREROUTING", "-m mark --mark 1 -m mark ! --mark 2"),
            ("mangle/PREROUTING", "-m connmark --mark 0/1"),
            ("mangle/PREROUTING", "-m connmark ! --mark 5"),
        ],
    );
}

#[test]
fn limits_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-m limit"),
            ("filter/INPUT", "-m limit --limit 5/min --limit-burst 4"),
            ("filter/INPUT", "-m limit --limit 90/min"),
            ("filter/INPUT", "-m limit --limit 120/min"),
            ("filter/INPUT", "-m limit --limit 7/day"),
            ("filter/INPUT", "-m limit --limit 1000/s"),
            ("filter/INPUT", "-m limit --limit 3000/s"),
            ("filter/INPUT", "-m limit --limit 59/hour --limit-burst 10000"),
            ("filter/INPUT", "-m limit --limit 61/hour"),
            ("filter/INPUT", "-m limit --limit 1"),
        ],
    );
}

#[test]
fn packets_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("mangle/PREROUTING", "-m mac --mac-source 02:00:00:00:00:aB"),
            ("mangle/PREROUTING", "-m mac ! --mac-source 2:0:0:0:0:99"),
            ("filter/INPUT", "-m iprange --src-range 192.0.2.2-192.0.2.80"),
            ("filter/INPUT", "-m iprange ! --dst-range 10.0.0.1 --src-range 1.1.1.1-1.1.1.2"),
            ("filter/INPUT", "-m length --length 60"),
            ("filter/INPUT", "-m length ! --length 50:100"),
            ("filter/INPUT", "-m length --length :60"),
            ("filter/INPUT", "-m length --length 1000:"),
            ("filter/INPUT", "-m ttl --ttl-eq 64"),
            ("filter/INPUT", "-m ttl ! --ttl 64"),
            ("filter/INPUT", "-m ttl --ttl-lt 64"),
            ("filter/INPUT", "-m ttl --ttl-lt 0"),
            ("filter/INPUT", "-m ttl --ttl-gt 255"),
            ("filter/INPUT", "-m dscp --dscp 8"),
            ("filter/INPUT", "-m dscp ! --dscp-class AF11"),
            ("mangle/PREROUTING", "-m pkttype ! --pkt-type bcast"),
            ("mangle/PREROUTING", "-m pkttype --pkt-type host"),
            ("mangle/PREROUTING", "-m rpfilter"),
            ("raw/PREROUTING", "-m rpfilter --invert --loose --validmark -j DROP"),
            ("filter/INPUT", "-m statistic --mode nth --every 3 --packet 0"),
            ("filter/INPUT", "-m statistic --mode nth ! --every 4 --packet 2"),
            ("filter/INPUT", "-m statistic --mode random --probability 0.33"),
            ("filter/INPUT", "-m statistic --mode random ! --probability 0"),
            ("filter/INPUT", "-m statistic --mode random --probability 1"),
            ("filter/OUTPUT", "-m owner --uid-owner 0"),
            ("filter/OUTPUT", "-m owner --gid-owner 5 --uid-owner 0-65534"),
        ],
    );
    judge(
        V6,
        &[
            ("filter/INPUT", "-m hl ! --hl-eq 64"),
            ("filter/INPUT", "-m hl --hl-lt 3"),
            ("filter/INPUT", "-m dscp --dscp 8"),
            ("filter/INPUT", "-m iprange --src-range fd00::1-fd00::2"),
        ],
    );
}

#[test]
fn ports_of_a_list_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("filter/INPUT", "-p tcp -m multiport --dports 80,443,8000:8100 -j ACCEPT"),
            ("filter/INPUT", "-p tcp -m multiport ! --sports 443,80"),
            ("filter/INPUT", "-p udp -m multiport --dports 53"),
            ("filter/INPUT", "-p udp -m multiport ! --dports 53:60"),
            ("filter/INPUT", "-p udp -m multiport --dports 80,80,70:90,91"),
            ("filter/INPUT", "-p udp -m multiport --dports 0:65535"),
            ("filter/INPUT", "-p tcp -m multiport --ports 80"),
            ("filter/INPUT", "-p tcp -m multiport --ports 443:500,80"),
            ("filter/INPUT", "-p tcp -m multiport ! --ports 80,443:500"),
            ("filter/INPUT", "-p tcp -m multiport --ports 0:80,443"),
            ("filter/INPUT", "-p tcp -m multiport --ports 1024:65535,80"),
            ("filter/INPUT", "-p tcp -m multiport --ports 0:65535"),
        ],
    );
}

#[test]
fn addrtypes_when_saved_then_print_as_iptables_does() {
    judge(
        V4,
        &[
            ("nat/PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"),
            ("nat/OUTPUT", "! -d 127.0.0.0/8 -m addrtype --dst-type local -j DOCKER"),
            ("nat/PREROUTING", "-m addrtype --dst-type MULTICAST,LOCAL ! --src-type UNICAST"),
            ("nat/PREROUTING", "-m addrtype ! --dst-type MULTICAST,LOCAL --limit-iface-in"),
            ("nat/OUTPUT", "-m addrtype --src-type LOCAL --limit-iface-out"),
            (
                "nat/PREROUTING",
                "-m addrtype --src-type UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT",
            ),
        ],
    );
    judge(
        V6,
        &[
            ("nat/PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER"),
            ("nat/PREROUTING", "-m addrtype --dst-type LOCAL,ANYCAST"),
            ("nat/PREROUTING", "-m addrtype ! --dst-type UNREACHABLE"),
            ("nat/PREROUTING", "-m addrtype --src-type UNSPEC"),
            ("nat/PREROUTING", "-m addrtype ! --src-type MULTICAST --dst-type UNICAST"),
            ("nat/PREROUTING", "-m addrtype --dst-type UNICAST,LOCAL"),
            ("nat/PREROUTING", "-m addrtype --dst-type MULTICAST,UNICAST,LOCAL"),
        ],
    );
}

#[test]
fn flows_when_saved_then_print_as_iptables_does() {
    judge_with(
        V4,
        &[
            ("filter/FORWARD", "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
            ("filter/FORWARD", "-m conntrack --ctstate NEW"),
            ("filter/FORWARD", "-m conntrack --ctstate DNAT"),
            ("filter/FORWARD", "-m conntrack --ctstate SNAT,DNAT --ctproto tcp"),
            ("filter/FORWARD", "-m conntrack ! --ctstate INVALID,UNTRACKED,SNAT"),
            ("filter/FORWARD", "-m conntrack ! --ctstate ESTABLISHED,NEW"),
            ("filter/FORWARD", "-m conntrack --ctstatus NONE"),
            ("filter/FORWARD", "-m conntrack ! --ctstatus NONE"),
            ("filter/FORWARD", "-m conntrack --ctstatus ASSURED,EXPECTED"),
            ("filter/FORWARD", "-m conntrack ! --ctstatus ASSURED"),
            (
                "filter/FORWARD",
                "-m conntrack --ctdir REPLY ! --ctorigdst 10.0.0.0/8 --ctorigsrc 1.2.3.4 --ctproto tcp",
            ),
            ("filter/FORWARD", "-m conntrack --ctreplsrc 10.0.0.0/9 --ctrepldst 1.1.1.0/24"),
            ("filter/FORWARD", "-p tcp -m conntrack --ctorigdstport 80:90 --ctreplsrcport 5"),
            ("filter/FORWARD", "-p tcp -m conntrack ! --ctorigsrcport 80 --ctrepldstport 1024:"),
            ("filter/FORWARD", "-m conntrack --ctorigsrc 0.0.0.0/0"),
            ("filter/FORWARD", "-m conntrack ! --ctrepldst 0.0.0.0/0"),
            ("filter/FORWARD", "-m conntrack --ctexpire 5:20"),
            ("filter/FORWARD", "-m conntrack --ctexpire :20"),
            ("filter/FORWARD", "-m conntrack --ctexpire 5:"),
            ("filter/FORWARD", "-m conntrack ! --ctexpire 5 --ctdir ORIGINAL"),
            ("filter/FORWARD", "-m conntrack --ctproto 0"),
            ("filter/FORWARD", "-m conntrack ! --ctproto 17 --ctstate NEW --ctstatus CONFIRMED"),
            ("filter/FORWARD", "-m state ! --state NEW,INVALID"),
            ("filter/FORWARD", "-m state --state NEW -m conntrack --ctstate NEW"),
        ],
        &[Difference {
            at: "filter/FORWARD",
            rule: "-m conntrack --ctorigdst 10.0.2.0/255.0.255.0",
            ours: "-m conntrack --ctorigdst 10.0.2.0/255.0.255.0",
            why: "iptables leaves out a mask that is no prefix, and reads another rule back",
        }],
    );
    judge_with(
        V6,
        &[("filter/FORWARD", "-m conntrack --ctorigsrc fd00::/64 ! --ctrepldst fd00::1")],
        &[Difference {
            at: "filter/FORWARD",
            rule: "-m conntrack --ctorigsrc fd00::1/64",
            ours: "-m conntrack --ctorigsrc fd00::/64",
            why: "bits that the prefix leaves out say nothing; -s does not keep them either",
        }],
    );
}

#[test]
fn words_when_refused_then_the_error_says_why() {
    refused(
        V4,
        &[(
            "-m conntrack --ctstate INVALID --ctproto tcp",
            "option --ctstate: \"INVALID\" has no native nftables form: iptables then skips the \
                 other options of this match for packets without a flow: give those a \"-m \
                 conntrack\" of their own",
        )],
    );
}

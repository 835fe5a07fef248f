//! The matches of iptables as data: what may be said, with values inside, outside and at the edges.

use portcullis::net::IpVersion;
use portcullis::net::IpVersion::{V4, V6};

/// A match, or a part of a rule that needs no `-m`.
pub struct Module {
    /// As in `-m NAME`; empty for what every rule may say.
    pub name: &'static str,
    pub version: Option<IpVersion>,
    /// Protocols of which the rule must ask for one.
    pub protocols: &'static [&'static str],
    /// Where it may stand; anywhere if empty.
    pub chains: &'static [&'static str],
    /// Whether it makes conntrack work.
    pub tracks: bool,
    /// What each use says.
    pub fixed: &'static str,
    pub options: &'static [Choice],
}

/// An option and its values, divided by `|`.
pub struct Choice {
    pub name: &'static str,
    pub not: bool,
    pub values: &'static str,
}

/// An option that can be negated.
const fn not(name: &'static str, values: &'static str) -> Choice {
    Choice { name, not: true, values }
}

/// One that cannot.
const fn only(name: &'static str, values: &'static str) -> Choice {
    Choice { name, not: false, values }
}

const fn module(name: &'static str, options: &'static [Choice]) -> Module {
    let (version, protocols, chains, tracks, fixed) = (None, &[], &[], false, "");
    Module { name, version, protocols, chains, tracks, fixed, options }
}

impl Module {
    const fn of(mut self, version: IpVersion) -> Module {
        self.version = Some(version);
        self
    }

    const fn after(mut self, protocols: &'static [&'static str]) -> Module {
        self.protocols = protocols;
        self
    }

    const fn at(mut self, chains: &'static [&'static str]) -> Module {
        self.chains = chains;
        self
    }

    const fn tracks(mut self) -> Module {
        self.tracks = true;
        self
    }

    const fn fixed(mut self, words: &'static str) -> Module {
        self.fixed = words;
        self
    }
}

const RECEIVED: &[&str] = &["PREROUTING", "INPUT", "FORWARD"];
const SENT: &[&str] = &["FORWARD", "OUTPUT", "POSTROUTING"];
const OWN: &[&str] = &["OUTPUT", "POSTROUTING"];
const FIRST: &[&str] = &["PREROUTING"];
const THROUGH: &[&str] = &["FORWARD"];
const PORTS: &[&str] = &["tcp", "udp", "sctp", "dccp", "udplite"];
const LINKS: &str = "e0|e1|e+|lo|+|e|nothere|e0+";
const SPORTS: &str = "80|0|65535|1024:|:1023|40000:40002|53:53|443";
const DPORTS: &str = "80|53|0|65535|1024:|:79|79:91|9000:9000|0:65535";
const MARKS: &str = "0x10|0|0x10/0xf0|0/0x10|0x55/0xff|1|0xffffffff|0x100/0xff|\
                     0/0|3/1";
const NUMBERS: &str = "0|5|5:10|0:4294967295|7:7|11:4294967295|0:0|4294967295";
const STATES: &str = "NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED|\
                      RELATED,ESTABLISHED|NEW,INVALID|\
                      INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED";

/// All of them.
pub const MODULES: &[Module] = &[
    module(
        "",
        &[
            not(
                "-s",
                "192.0.2.2|192.0.2.0/24|203.0.113.9/32|10.88.0.0/16|\
                 0.0.0.0/1|192.0.0.2/255.255.0.255|192.0.2.128/25",
            ),
            not(
                "-d",
                "192.0.2.1|192.0.2.0/24|10.88.0.0/31|224.0.0.0/4|\
                 255.255.255.255|0.0.0.1/0.0.0.1|10.88.0.2",
            ),
            only("-s", "0.0.0.0/0"),
        ],
    )
    .of(V4),
    module(
        "",
        &[
            not(
                "-s",
                "2001:db8::2|2001:db8::/64|2001:db8:9::9|fd00::/8|8000::/1|\
                 2001:db8::2/ffff:ffff::ffff|2001:db8::/126",
            ),
            not(
                "-d",
                "2001:db8::1|2001:db8::/64|fd00:88::2/127|ff00::/8|::1/::1|\
                 fd00:88::2",
            ),
            only("-s", "::/0"),
        ],
    )
    .of(V6),
    module("", &[not("-i", LINKS)]).at(RECEIVED),
    module("", &[not("-o", LINKS)]).at(SENT),
    module("", &[not("-f", "")]).of(V4),
    module(
        "",
        &[
            not("-p", "tcp|udp|icmp|sctp|dccp|udplite|gre|esp|ah|255|47|ipv6|ipcomp"),
            only("-p", "all"),
        ],
    )
    .of(V4),
    module(
        "",
        &[
            not(
                "-p",
                "tcp|udp|icmpv6|sctp|dccp|udplite|gre|esp|255|47|ipv6|mh|\
                 ipcomp",
            ),
            only("-p", "all"),
        ],
    )
    .of(V6),
    module(
        "tcp",
        &[
            not("--sport", SPORTS),
            not("--dport", DPORTS),
            not(
                "--tcp-flags",
                "SYN,ACK SYN|SYN,RST SYN|ALL NONE|ALL ALL|\
                 FIN,PSH,URG FIN,PSH,URG|NONE NONE|SYN SYN,ACK|ALL SYN,FIN|\
                 RST NONE",
            ),
            not("--syn", ""),
            not("--tcp-option", "2|8|3|5|254|1|99"),
        ],
    )
    .after(&["tcp"]),
    module("udp", &[not("--sport", SPORTS), not("--dport", DPORTS)]).after(&["udp"]),
    module(
        "sctp",
        &[
            not("--sport", "80|1000|0:999|81:65535"),
            not("--dport", "9000|9001|:9000|9001:"),
            not(
                "--chunk-types",
                "any DATA|any DATA,INIT|all DATA|all DATA,SACK|only INIT|\
                 only DATA,SACK|any DATA:Be|all DATA:UBE|any ABORT:T|\
                 only ABORT:t|any SHUTDOWN_COMPLETE:T|all ALL|any NONE|\
                 any COOKIE_ECHO,SACK",
            ),
        ],
    )
    .after(&["sctp"]),
    module(
        "dccp",
        &[
            not("--sport", "80|1000|0:999|81:65535"),
            not("--dport", "9000|9001|:9000|9001:"),
            not(
                "--dccp-types",
                "REQUEST|REQUEST,RESPONSE|RESET|DATA,ACK,CLOSE|INVALID|\
                 SYNC,SYNCACK",
            ),
            not("--dccp-option", "5"),
        ],
    )
    .after(&["dccp"]),
    // These exclude each other.
    module(
        "multiport",
        &[not(
            "--sports",
            "80,443|53|1024:65535|0,80,1000:2000,40001|\
             40000:40003,40005,5001",
        )],
    )
    .after(PORTS),
    module(
        "multiport",
        &[not(
            "--dports",
            "80,443|53,9000|79:81,90|1:1023|0:65535|\
             1,2,3,4,5,6,7,8,9,10,11,12,13,14,80",
        )],
    )
    .after(PORTS),
    module("multiport", &[not("--ports", "80|53,443|1000:2000|0,65535|9000:9001,53")]).after(PORTS),
    module(
        "icmp",
        &[not(
            "--icmp-type",
            "8|echo-request|0|3|3/3|3/4|8/1|40/3|255/3|any|255|\
             destination-unreachable|fragmentation-needed|37|200",
        )],
    )
    .of(V4)
    .after(&["icmp"]),
    module(
        "icmp6",
        &[not(
            "--icmpv6-type",
            "128|echo-request|129|1|1/4|1/3|128/1|200/2|255/3|\
             destination-unreachable|port-unreachable|130|3/0|99",
        )],
    )
    .of(V6)
    .after(&["icmpv6"]),
    module(
        "addrtype",
        &[
            not("--src-type", "LOCAL|UNICAST|UNICAST,BROADCAST|UNSPEC|MULTICAST|BLACKHOLE"),
            not(
                "--dst-type",
                "LOCAL|UNICAST|BROADCAST|MULTICAST|LOCAL,MULTICAST|\
                 LOCAL,BROADCAST,UNICAST|ANYCAST|UNREACHABLE",
            ),
        ],
    )
    .of(V4),
    module(
        "addrtype",
        &[
            not("--src-type", "LOCAL|UNICAST|MULTICAST"),
            not("--dst-type", "LOCAL|UNICAST|MULTICAST|LOCAL,MULTICAST|ANYCAST|UNREACHABLE"),
        ],
    )
    .of(V6),
    module(
        "addrtype",
        &[not("--dst-type", "LOCAL|UNICAST|MULTICAST"), not("--src-type", "LOCAL|UNICAST")],
    )
    .at(&["PREROUTING", "INPUT", "FORWARD"])
    .fixed("--limit-iface-in"),
    module(
        "addrtype",
        &[not("--dst-type", "LOCAL|UNICAST|MULTICAST"), not("--src-type", "LOCAL|UNICAST")],
    )
    .at(&["FORWARD", "OUTPUT", "POSTROUTING"])
    .fixed("--limit-iface-out"),
    module(
        "conntrack",
        &[
            not("--ctstate", STATES),
            not(
                "--ctstate",
                "DNAT|SNAT|DNAT,SNAT|NEW,DNAT|ESTABLISHED,SNAT|INVALID,DNAT|\
                 UNTRACKED,SNAT",
            ),
            not(
                "--ctstatus",
                "NONE|EXPECTED|SEEN_REPLY|ASSURED|CONFIRMED|\
                 SEEN_REPLY,ASSURED|CONFIRMED,EXPECTED|NONE,CONFIRMED",
            ),
            not("--ctproto", "tcp|6|17|1|132|58"),
            not("--ctexpire", "0|0:10|20:40|1:4294967295|100000:500000"),
            only("--ctdir", "ORIGINAL|REPLY"),
        ],
    )
    .tracks(),
    module(
        "conntrack",
        &[
            not("--ctorigsrc", "203.0.113.9|192.0.2.0/24|10.88.0.2|0.0.0.0/0"),
            not("--ctorigdst", "192.0.2.1|10.88.0.0/24"),
            not("--ctreplsrc", "10.88.0.2|203.0.113.9|192.0.2.0/24"),
            not("--ctrepldst", "203.0.113.9|192.0.2.1|10.88.0.0/16"),
            not("--ctstate", "NEW|ESTABLISHED,RELATED"),
        ],
    )
    .of(V4)
    .tracks(),
    module(
        "conntrack",
        &[
            not("--ctorigsrc", "2001:db8:9::9|2001:db8::/64|fd00:88::2|::/0"),
            not("--ctorigdst", "2001:db8::1|fd00:88::/64"),
            not("--ctreplsrc", "fd00:88::2|2001:db8:9::9|2001:db8::/64"),
            not("--ctrepldst", "2001:db8:9::9|2001:db8::1|fd00::/8"),
            not("--ctstate", "NEW|ESTABLISHED,RELATED"),
        ],
    )
    .of(V6)
    .tracks(),
    module(
        "conntrack",
        &[
            not("--ctorigsrcport", "41000|42000|0:1023|5000"),
            not("--ctorigdstport", "443|8080|80:90|53"),
            not("--ctreplsrcport", "80|443|9000:9001"),
            not("--ctrepldstport", "42000|5000|0:65535"),
        ],
    )
    .after(&["tcp", "udp"])
    .tracks(),
    module("state", &[not("--state", STATES)]).tracks(),
    module("mark", &[not("--mark", MARKS)]),
    module("connmark", &[not("--mark", "1|0|0x1/0x1|0/1|0/0|0xffffffff|2/1")]).tracks(),
    module("comment", &[only("--comment", "\"any text\"|x")]),
    module("limit", &[only("--limit-burst", "1|5|20")]).fixed("--limit 1/hour"),
    module(
        "mac",
        &[not(
            "--mac-source",
            "02:00:00:00:02:02|02:00:00:00:02:53|02:00:00:00:02:54|\
             ff:ff:ff:ff:ff:ff",
        )],
    )
    .at(RECEIVED),
    module(
        "iprange",
        &[
            not(
                "--src-range",
                "192.0.2.10-192.0.2.20|192.0.2.2-192.0.2.2|\
                 0.0.0.0-255.255.255.255|192.0.2.11-203.0.113.9|10.88.0.2",
            ),
            not(
                "--dst-range",
                "203.0.113.10-203.0.113.20|192.0.2.1-192.0.2.1|\
                 224.0.0.0-239.255.255.255",
            ),
        ],
    )
    .of(V4),
    module(
        "iprange",
        &[
            not(
                "--src-range",
                "2001:db8::a-2001:db8::14|2001:db8::2-2001:db8::2|\
                 ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff|\
                 2001:db8::b-2001:db8:9::9|fd00:88::2",
            ),
            not(
                "--dst-range",
                "2001:db8:9::a-2001:db8:9::14|2001:db8::1-2001:db8::1|\
                 ff00::-ffff::",
            ),
        ],
    )
    .of(V6),
    module("length", &[not("--length", "40|100|0:59|60:|100:101|0:65535|65535|28|48:60|:99")]),
    module("ttl", &[not("--ttl-eq", "60|64|1|255|0")]).of(V4),
    module("ttl", &[only("--ttl-lt", "5|64|1|0|255")]).of(V4),
    module("ttl", &[only("--ttl-gt", "5|64|254|255|0")]).of(V4),
    module("hl", &[not("--hl-eq", "60|64|1|255|0")]).of(V6),
    module("hl", &[only("--hl-lt", "5|64|1|0|255")]).of(V6),
    module("hl", &[only("--hl-gt", "5|64|254|255|0")]).of(V6),
    module("dscp", &[not("--dscp", "0|0x10|0x2e|0x3f|4")]),
    module("dscp", &[not("--dscp-class", "EF|AF41|CS1|BE|CS7")]),
    module(
        "tos",
        &[not(
            "--tos",
            "0x10|0|0x10/0x1e|0/0|0xb8/0xfc|0x3/0x3|0xff|Minimize-Delay|\
             0x12/0x10",
        )],
    ),
    module("ecn", &[not("--ecn-ip-ect", "0|1|2|3")]),
    module(
        "ecn",
        &[not("--ecn-tcp-cwr", ""), not("--ecn-tcp-ece", ""), not("--ecn-ip-ect", "0|1|2|3")],
    )
    .after(&["tcp"]),
    module(
        "owner",
        &[
            not("--uid-owner", "0|1234|0-1000|1234-1234|1000-2000"),
            not("--gid-owner", "0|77|78-100"),
            not("--socket-exists", ""),
        ],
    )
    .at(OWN),
    module("pkttype", &[not("--pkt-type", "unicast|broadcast|multicast")]),
    module("rpfilter", &[only("--loose", ""), only("--validmark", ""), only("--accept-local", "")])
        .at(FIRST),
    module("rpfilter", &[only("--loose", ""), only("--validmark", ""), only("--accept-local", "")])
        .at(FIRST)
        .fixed("--invert"),
    module("rpfilter", &[only("--invert", "")]).at(FIRST),
    module(
        "statistic",
        &[not(
            "--every",
            "1 --packet 0|2 --packet 1|3 --packet 2|7 --packet 0|\
             100 --packet 99",
        )],
    )
    .fixed("--mode nth"),
    module("statistic", &[not("--probability", "0|1")]).fixed("--mode random"),
    module("esp", &[not("--espspi", NUMBERS)]).after(&["esp"]),
    module("ah", &[not("--ahspi", NUMBERS)]).of(V4).after(&["ah"]),
    module("ah", &[not("--ahspi", NUMBERS), not("--ahlen", "24|0|100"), only("--ahres", "")])
        .of(V6),
    module("ipcomp", &[not("--ipcompspi", "0|5|5:10|7:7|65535|11:65535"), only("--compres", "")])
        .after(&["ipcomp"]),
    module("policy", &[only("--pol", "none|ipsec")])
        .at(&["PREROUTING", "INPUT", "FORWARD"])
        .fixed("--dir in"),
    module("policy", &[only("--pol", "none|ipsec")]).at(SENT).fixed("--dir out"),
    module("string", &[not("--string", "hello|x")]).fixed("--algo bm"),
    module(
        "bpf",
        &[only("--bytecode", "\"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\"|\"1,6 0 0 65535\"")],
    )
    .of(V4),
    module(
        "u32",
        &[not(
            "--u32",
            "\"6&0xFF=1\"|\"0>>22&0x3C@0>>24=0:3,5\"|\
             \"6&0xFF=17&&4&0x1FFF=0\"",
        )],
    )
    .of(V4),
    module(
        "time",
        &[
            only("--weekdays", "Mon,Tue,Wed,Thu,Fri,Sat,Sun"),
            only("--datestart", "2000-01-01|2037-01-01"),
            only("--datestop", "2001-01-01|2037-12-31T12:00:00"),
            only("--timestart", "00:00"),
        ],
    ),
    module(
        "time",
        &[
            not(
                "--monthdays",
                "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            ),
            not("--weekdays", "Mon,Tue,Wed,Thu,Fri,Sat,Sun"),
        ],
    ),
    module("tcpmss", &[not("--mss", "536|1000|1460|1000:1460|0:65535|0:999|1461:65535")])
        .after(&["tcp"]),
    module(
        "connlimit",
        &[only(
            "--connlimit-above",
            "0|3|5|7|8|3 --connlimit-mask 24|2 --connlimit-mask 0|\
             4 --connlimit-daddr",
        )],
    )
    .of(V4)
    .after(&["udp"])
    .tracks()
    .fixed("--dport 9100"),
    module(
        "connlimit",
        &[only(
            "--connlimit-upto",
            "0|3|5|7|8|3 --connlimit-mask 64|2 --connlimit-mask 0|\
             4 --connlimit-daddr",
        )],
    )
    .of(V6)
    .after(&["udp"])
    .tracks()
    .fixed("--dport 9100"),
    module("connbytes", &[not("--connbytes", "0|1:3|2|100:100000|500:1000")])
        .tracks()
        .fixed("--connbytes-mode packets --connbytes-dir both"),
    module("connbytes", &[not("--connbytes", "0|1:300|200|100:100000|500:1000")])
        .tracks()
        .fixed("--connbytes-mode bytes --connbytes-dir original"),
    module("connbytes", &[not("--connbytes", "0|1:300|200|100:100000|50:100")])
        .tracks()
        .fixed("--connbytes-mode avgpkt --connbytes-dir reply"),
    module("connlabel", &[not("--label", "0|5|127")]).tracks(),
    module("helper", &[not("--helper", "ftp|\"\"")]).tracks(),
    module("quota", &[not("--quota", "0|1000|100000|5000000000")]),
    module("cpu", &[not("--cpu", "0|1|9")]),
    module("realm", &[not("--realm", "0|5|0/0|0x10/0xf0")]).of(V4).at(&[
        "INPUT",
        "FORWARD",
        "OUTPUT",
        "POSTROUTING",
    ]),
    module("cgroup", &[not("--cgroup", "0|1048577")]).at(OWN),
    module("devgroup", &[not("--src-group", "5|6|0|4/4|0x1/0xff")]).at(RECEIVED),
    module("devgroup", &[not("--src-group", "5|6"), not("--dst-group", "5|6|0|4/4|7/0xf")])
        .at(THROUGH),
    module("socket", &[only("--transparent", ""), only("--nowildcard", "")]).at(FIRST).tracks(),
    module("physdev", &[not("--physdev-in", "e0|e+")]).at(THROUGH),
    module("recent", &[only("--seconds", "60"), only("--hitcount", "2|5"), only("--rdest", "")])
        .fixed("--name seen --update"),
    module("recent", &[only("--rdest", ""), only("--mask", "255.255.255.0")])
        .of(V4)
        .fixed("--name set --set"),
    module(
        "hashlimit",
        &[only(
            "--hashlimit-mode",
            "srcip --hashlimit-name h1|dstip,dstport --hashlimit-name h2|\
             srcip,srcport --hashlimit-name h3 --hashlimit-burst 1|\
             srcip,dstip,srcport,dstport --hashlimit-name h4 --hashlimit-burst 20",
        )],
    )
    .fixed("--hashlimit-upto 1/hour"),
    module(
        "hashlimit",
        &[only(
            "--hashlimit-mode",
            "srcip --hashlimit-name h5 --hashlimit-srcmask 24|\
             dstip --hashlimit-name h6 --hashlimit-burst 2",
        )],
    )
    .fixed("--hashlimit-above 1/hour"),
    module("cluster", &[only("--cluster-local-node", "1|2")])
        .tracks()
        .fixed("--cluster-total-nodes 2 --cluster-hash-seed 1"),
    module("osf", &[not("--genre", "Linux")]).of(V4).after(&["tcp"]),
    module("hbh", &[not("--hbh-len", "0|8|16"), only("--hbh-opts", "1|5|1,4|5:2")]).of(V6),
    module("dst", &[not("--dst-len", "0|8|24"), only("--dst-opts", "1|201|201:16")]).of(V6),
    module(
        "rt",
        &[
            not("--rt-type", "0|2|3|4"),
            not("--rt-segsleft", "0|1:255|0:0"),
            not("--rt-len", "24|0"),
        ],
    )
    .of(V6),
    module(
        "frag",
        &[
            not("--fragid", "1|2|0:4294967295|9"),
            only("--fragfirst", ""),
            only("--fragmore", ""),
            not("--fraglen", "8"),
        ],
    )
    .of(V6),
    module("frag", &[only("--fraglast", ""), only("--fragres", "")]).of(V6),
    module(
        "ipv6header",
        &[not(
            "--header",
            "hop --soft|dst --soft|route --soft|frag --soft|esp --soft|\
             none --soft|prot --soft|hop,dst --soft",
        )],
    )
    .of(V6),
    module("ipv6header", &[not("--header", "hop|dst|prot|hop,prot|frag,prot")]).of(V6),
    module("mh", &[not("--mh-type", "0|1|5:7|brr")]).of(V6).after(&["mh"]),
    module(
        "srh",
        &[
            not("--srh-next-hdr", "17|6"),
            not("--srh-segs-left-eq", "0|1"),
            not("--srh-last-entry-eq", "0"),
        ],
    )
    .of(V6),
    module("eui64", &[]).of(V6).at(RECEIVED).fixed(" "),
];

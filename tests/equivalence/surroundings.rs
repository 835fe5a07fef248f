//! Matches of what is around the packet: links, flows, senders, rates, time.

use portcullis::net::IpVersion::{V4, V6};

use super::grammar::{Choice, Module, RECEIVED, SENT, module, not, only};

const OWN: &[&str] = &["OUTPUT", "POSTROUTING"];
const FIRST: &[&str] = &["PREROUTING"];
const THROUGH: &[&str] = &["FORWARD"];
const MARKS: &str = "0x10|0|0x10/0xf0|0/0x10|0x55/0xff|1|0xffffffff|0x100/0xff|\
                     0/0|3/1";
/// What a list can do, in an order in which each has something to do.
const LIST: &[Choice] = &[only("--set", ""), not("--rcheck", ""), only("--update", "")];
const STATES: &str = "NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED|\
                      RELATED,ESTABLISHED|NEW,INVALID|\
                      INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED";

/// All of them.
pub const SURROUNDINGS: &[Module] = &[
    module(
        "addrtype",
        &[
            not("--src-type", "LOCAL|UNICAST|UNICAST,BROADCAST|UNSPEC|MULTICAST|BLACKHOLE"),
            not(
                "--dst-type",
                "LOCAL|UNICAST|BROADCAST|MULTICAST|LOCAL,MULTICAST|\
                 LOCAL,BROADCAST,UNICAST|ANYCAST|UNREACHABLE|BLACKHOLE|PROHIBIT",
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
    module("policy", &[only("--pol", "none|ipsec")])
        .at(&["PREROUTING", "INPUT", "FORWARD"])
        .fixed("--dir in"),
    module("policy", &[only("--pol", "none|ipsec")]).at(SENT).fixed("--dir out"),
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
    // What one list says depends on the rules in front: they stay in this order.
    module("recent", &[not("--rcheck", "")]).fixed("--name a"),
    module("recent", &[only("--rsource", ""), only("--rdest", "")]).fixed("--set --name a"),
    module("recent", &[not("--rcheck", ""), not("--update", "")]).fixed("--name a"),
    module("recent", LIST).of(V4).fixed("--name b --mask 255.255.255.0"),
    module("recent", LIST).of(V4).fixed("--name b2 --mask 255.0.0.255 --rdest"),
    module("recent", LIST).of(V6).fixed("--name b --mask ffff::"),
    module("recent", LIST).of(V6).fixed("--name b2 --mask ::ffff --rdest"),
    module("recent", &[only("--seconds", "60")]).fixed("--name c --rcheck"),
    module("recent", &[only("--set", "")]).fixed("--name c"),
    module("recent", &[only("--seconds", "60|60 --reap")]).fixed("--name c --update"),
    module("recent", &[only("--seconds", "60|60 --reap|61")]).fixed("--name c ! --rcheck"),
    module("recent", &[only("--hitcount", "2"), only("--rttl", "")]).fixed("--name d --update"),
    module("recent", &[only("! --set", ""), not("--remove", "")]).fixed("--name d"),
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
    module("eui64", &[]).of(V6).at(RECEIVED).fixed(" "),
];

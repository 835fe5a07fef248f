//! Matches of what is in the packet.

use portcullis::net::IpVersion::{V4, V6};

use super::grammar::{Module, RECEIVED, SENT, module, not, only};

const PORTS: &[&str] = &["tcp", "udp", "sctp", "dccp", "udplite"];
const LINKS: &str = "e0|e1|e+|lo|+|e|nothere|e0+";
const SPORTS: &str = "80|0|65535|1024:|:1023|40000:40002|53:53|443";
const DPORTS: &str = "80|53|0|65535|1024:|:79|79:91|9000:9000|0:65535";
const NUMBERS: &str = "0|5|5:10|0:4294967295|7:7|11:4294967295|0:0|4294967295";

/// All of them.
pub const HEADERS: &[Module] = &[
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
    module("esp", &[not("--espspi", NUMBERS)]).after(&["esp"]),
    module("ah", &[not("--ahspi", NUMBERS)]).of(V4).after(&["ah"]),
    module("ah", &[not("--ahspi", NUMBERS), not("--ahlen", "24|0|100"), only("--ahres", "")])
        .of(V6),
    module("ipcomp", &[not("--ipcompspi", "0|5|5:10|7:7|65535|11:65535"), only("--compres", "")])
        .after(&["ipcomp"]),
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
    module("tcpmss", &[not("--mss", "536|1000|1460|1000:1460|0:65535|0:999|1461:65535")])
        .after(&["tcp"]),
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
];

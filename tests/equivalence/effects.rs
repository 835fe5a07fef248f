//! What targets do: verdicts, marks, rewritten headers and addresses, answers.
//!
//! Each rule has a port of its own, so that all rules of a family are played in one round. Behind
//! each of them the same match counts what goes on; two sets of nft, the same on both hosts, note
//! the marks that packets leave with; what leaves the host is answered, so that the way back of a
//! rewritten address is seen as well.

use std::net::IpAddr;

use portcullis::net::IpVersion;
use portcullis::net::IpVersion::{V4, V6};

use super::generate::Rule;
use super::lab::packet::{From, Packet, ports, tcp};
use super::traffic::Hosts;

/// Notes of what packets have when they leave or arrive: port, marks, class, state.
pub const WATCH: &str = "table inet watch {
  set marks { type inet_service . mark; flags dynamic; size 65535; counter; }
  set classes { type inet_service . classid; flags dynamic; size 65535; counter; }
  set flows { type inet_service . mark; flags dynamic; size 65535; counter; }
  set states { type inet_service . ct_state; flags dynamic; size 65535; counter; }
  set zones { typeof th dport . ct zone; flags dynamic; size 65535; counter; }
  chain note {
    meta l4proto != { tcp, udp } return
    update @marks { th dport . meta mark }
    update @classes { th dport . meta priority }
    update @states { th dport . ct state }
    update @zones { th dport . ct zone }
    update @flows { th dport . ct mark }
  }
  chain input { type filter hook input priority 400; jump note; }
  chain postrouting { type filter hook postrouting priority 400; jump note; }
}
";

/// A target: families, tables and chains, protocol, words; `@` is a container's address, `%` a
/// host's, `#` the second container's.
pub struct Target {
    pub version: Option<IpVersion>,
    pub places: &'static [(&'static str, &'static str)],
    pub protocols: &'static [&'static str],
    pub words: &'static [&'static str],
}

const BOTH: &[&str] = &["udp", "tcp"];
const TCP: &[&str] = &["tcp"];
const UDP: &[&str] = &["udp"];
const MANGLE: &[(&str, &str)] = &[
    ("mangle", "PREROUTING"),
    ("mangle", "INPUT"),
    ("mangle", "FORWARD"),
    ("mangle", "OUTPUT"),
    ("mangle", "POSTROUTING"),
];
const SOME: &[(&str, &str)] =
    &[("mangle", "PREROUTING"), ("mangle", "OUTPUT"), ("mangle", "POSTROUTING")];
const FILTER: &[(&str, &str)] = &[("filter", "INPUT"), ("filter", "FORWARD"), ("filter", "OUTPUT")];
const RAW: &[(&str, &str)] = &[("raw", "PREROUTING"), ("raw", "OUTPUT")];
const TO: &[(&str, &str)] = &[("nat", "PREROUTING"), ("nat", "OUTPUT")];
const OF: &[(&str, &str)] = &[("nat", "POSTROUTING")];

const fn target(
    places: &'static [(&'static str, &'static str)],
    protocols: &'static [&'static str],
    words: &'static [&'static str],
) -> Target {
    Target { version: None, places, protocols, words }
}

impl Target {
    const fn of(mut self, version: IpVersion) -> Target {
        self.version = Some(version);
        self
    }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target(FILTER, BOTH, &["-j ACCEPT", "-j DROP", "-j RETURN", ""]),
    target(MANGLE, UDP, &["-j ACCEPT", "-j DROP", "-j RETURN"]),
    target(
        SOME,
        UDP,
        &[
            "-j MARK --set-mark 1",
            "-j MARK --set-mark 0x10/0xf0",
            "-j MARK --set-xmark 0x1f/0xf",
            "-j MARK --set-xmark 0xff/0",
            "-j MARK --and-mark 0x5",
            "-j MARK --or-mark 0x80000002",
            "-j MARK --xor-mark 0xffffffff",
            "-j MARK --set-mark 0",
        ],
    ),
    target(
        SOME,
        UDP,
        &[
            "-j CONNMARK --set-mark 1",
            "-j CONNMARK --set-mark 0x10/0xf0",
            "-j CONNMARK --set-xmark 0x1f/0xf",
            "-j CONNMARK --and-mark 0x5",
            "-j CONNMARK --or-mark 0x80000002",
            "-j CONNMARK --xor-mark 0xff",
            "-j CONNMARK --save-mark",
            "-j CONNMARK --restore-mark",
            "-j CONNMARK --save-mark --mask 0xf0",
            "-j CONNMARK --restore-mark --mask 0xf0",
            "-j CONNMARK --save-mark --nfmask 0xf0 --ctmask 0xff",
            "-j CONNMARK --restore-mark --nfmask 0xf0 --ctmask 0xff",
            "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0x3",
        ],
    ),
    target(
        MANGLE,
        BOTH,
        &[
            "-j DSCP --set-dscp 0x10",
            "-j DSCP --set-dscp 0",
            "-j DSCP --set-dscp-class AF41",
            "-j TOS --set-tos 0x10",
            "-j TOS --set-tos 0x10/0x3f",
            "-j TOS --and-tos 0x0f",
            "-j TOS --or-tos 0x81",
            "-j TOS --xor-tos 0xff",
        ],
    ),
    target(
        MANGLE,
        UDP,
        &[
            "-j TTL --ttl-set 64",
            "-j TTL --ttl-set 255",
            "-j TTL --ttl-set 0",
            "-j TTL --ttl-dec 1",
            "-j TTL --ttl-dec 100",
            "-j TTL --ttl-inc 2",
            "-j TTL --ttl-inc 250",
        ],
    )
    .of(V4),
    target(
        MANGLE,
        UDP,
        &[
            "-j HL --hl-set 64",
            "-j HL --hl-set 255",
            "-j HL --hl-set 0",
            "-j HL --hl-dec 1",
            "-j HL --hl-dec 100",
            "-j HL --hl-inc 2",
            "-j HL --hl-inc 250",
        ],
    )
    .of(V6),
    target(
        &[("mangle", "FORWARD"), ("mangle", "OUTPUT"), ("mangle", "POSTROUTING")],
        UDP,
        &[
            "-j CLASSIFY --set-class 1:ffff",
            "-j CLASSIFY --set-class 0:0",
            "-j CLASSIFY --set-class ffff:2",
        ],
    ),
    target(
        MANGLE,
        TCP,
        &[
            "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400",
            "--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 500",
            "-j TCPOPTSTRIP --strip-options timestamp",
            "-j TCPOPTSTRIP --strip-options mss,wscale,sack-permitted",
            "-j TCPOPTSTRIP --strip-options 2,3,4,5,8,19,200",
        ],
    ),
    target(
        &[("mangle", "FORWARD"), ("mangle", "POSTROUTING")],
        TCP,
        &["--tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"],
    ),
    target(MANGLE, TCP, &["-j ECN --ecn-tcp-remove"]).of(V4),
    target(
        MANGLE,
        UDP,
        &[
            "-j LOG",
            "-j LOG --log-prefix \"a b\" --log-level 5",
            "-j NFLOG",
            "-j NFLOG --nflog-group 5",
        ],
    ),
    target(
        SOME,
        UDP,
        &[
            "-j AUDIT --type accept",
            "-j NFQUEUE",
            "-j NFQUEUE --queue-num 5 --queue-bypass",
            "-j NFQUEUE --queue-balance 0:3 --queue-bypass",
        ],
    ),
    target(SOME, UDP, &["-j TEE --gateway #"]),
    // Nobody listens: `listeners` has those who do.
    target(
        &[("mangle", "PREROUTING")],
        BOTH,
        &["-j TPROXY --on-port 8082", "-j TPROXY --on-port 8082 --on-ip % --tproxy-mark 0x1/0xff"],
    ),
    target(
        RAW,
        UDP,
        &[
            "-j NOTRACK",
            "-j CT --notrack",
            "-j CT --zone 5",
            "-j CT --zone-orig 6",
            "-j CT --zone mark",
            "-j CT --ctevents new",
            "-j TRACE",
        ],
    ),
    target(
        FILTER,
        UDP,
        &[
            "-j REJECT",
            "-j REJECT --reject-with icmp-net-unreachable",
            "-j REJECT --reject-with icmp-host-unreachable",
            "-j REJECT --reject-with icmp-proto-unreachable",
            "-j REJECT --reject-with icmp-port-unreachable",
            "-j REJECT --reject-with icmp-net-prohibited",
            "-j REJECT --reject-with icmp-host-prohibited",
            "-j REJECT --reject-with icmp-admin-prohibited",
        ],
    )
    .of(V4),
    target(
        FILTER,
        UDP,
        &[
            "-j REJECT",
            "-j REJECT --reject-with icmp6-no-route",
            "-j REJECT --reject-with icmp6-adm-prohibited",
            "-j REJECT --reject-with icmp6-addr-unreachable",
            "-j REJECT --reject-with icmp6-port-unreachable",
            "-j REJECT --reject-with icmp6-policy-fail",
            "-j REJECT --reject-with icmp6-reject-route",
        ],
    )
    .of(V6),
    // Its time stamps are a clock's: they are not compared. In IPv6 the native form drops what no
    // network card has checked: `nft_synproxy` takes the checksum of IPv4 there (seen on 6.18).
    target(
        &[("filter", "INPUT"), ("filter", "FORWARD")],
        TCP,
        &["-j SYNPROXY --mss 1460 --wscale 7 --sack-perm", "-j SYNPROXY --mss 1000", "-j SYNPROXY"],
    )
    .of(V4),
    target(FILTER, TCP, &["-j REJECT", "-j REJECT --reject-with tcp-reset"]),
    target(
        TO,
        BOTH,
        &[
            "-j DNAT --to-destination @",
            "-j DNAT --to-destination @:80",
            "-j DNAT --to-destination @:80-90",
            "-j DNAT --to-destination :8081",
            "-j DNAT --to-destination @-#",
            "-j DNAT --to-destination @-# --persistent",
            "-j DNAT --to-destination @:8000-9000/19990",
            "-j REDIRECT",
            "-j REDIRECT --to-ports 8082",
            "-j REDIRECT --to-ports 8082-8090",
            "-j ACCEPT",
        ],
    ),
    target(TO, UDP, &["-j NETMAP --to 10.88.0.0/24", "-j NETMAP --to 10.88.0.2/32"]).of(V4),
    target(TO, UDP, &["-j NETMAP --to fd00:88::/64"]).of(V6),
    target(
        OF,
        BOTH,
        &[
            "-j MASQUERADE",
            "-j MASQUERADE --to-ports 2000",
            "-j MASQUERADE --to-ports 1000-3000",
            "-j SNAT --to-source %",
            "-j SNAT --to-source %:2001",
            "-j SNAT --to-source %:1000-3000",
            "-j SNAT --to-source :1000-3000",
            "-j SNAT --to-source % --persistent",
        ],
    ),
    target(
        OF,
        UDP,
        &["-j NETMAP --to 198.51.100.0/24", "-j SNAT --to-source 198.51.100.1-198.51.100.9"],
    )
    .of(V4),
    target(&[("nat", "INPUT")], BOTH, &["-j SNAT --to-source %", "-j ACCEPT"]),
];

/// The first port of the rules.
const BASE: u16 = 20_000;

/// A rule of each target at each place, with what counts behind it, and the packets for it.
pub fn effects(version: IpVersion) -> Vec<(Vec<Rule>, Vec<Packet>)> {
    let hosts = Hosts::of(version);
    let mut cases = Vec::new();
    for target in TARGETS.iter().filter(|target| target.version.is_none_or(|only| only == version))
    {
        for words in target.words {
            for (table, chain) in target.places {
                for protocol in target.protocols {
                    let port = BASE + cases.len() as u16;
                    let words = addressed(words, &hosts);
                    let rule = format!("-p {protocol} --dport {port} {words}");
                    let behind = format!("-p {protocol} --dport {port}");
                    let rules = vec![
                        Rule::new(table, chain, rule.trim()),
                        Rule::new(table, chain, &behind),
                    ];
                    let mut packets = packets(&hosts, protocol, port);
                    // xt_TCPMSS adds the option where it is missing, which nothing native does.
                    packets.retain(|packet| {
                        !(words.contains("TCPMSS") && packet.about.starts_with("bare"))
                    });
                    cases.push((rules, packets));
                }
            }
        }
    }
    cases.push(chains(&hosts));
    cases
}

/// Chains of one's own: jumps and gotos, what comes back from them and what does not.
fn chains(hosts: &Hosts) -> (Vec<Rule>, Vec<Packet>) {
    let rules = [
        ("FORWARD", "-p udp --dport 19000 -j one"),
        ("FORWARD", "-p udp --dport 19000"),
        ("one", "-p udp --sport 1500 -j RETURN"),
        ("one", "-p udp --sport 1501 -j two"),
        ("one", "-p udp --sport 1502 -g three"),
        ("one", ""),
        ("two", "-m length --length 50"),
        ("two", "-m dscp --dscp 0x2e -j REJECT"),
        ("two", "-i e0 -j DROP"),
        ("three", "-i e1 -j ACCEPT"),
        ("three", "-p udp"),
    ];
    let rules = rules.map(|(chain, words)| Rule::new("filter", chain, words));
    (rules.to_vec(), packets(hosts, "udp", 19000))
}

/// An address that is to carry a port is bracketed in IPv6.
fn addressed(words: &str, hosts: &Hosts) -> String {
    let with = |text: String, sign: &str, address: IpAddr| {
        let bracketed = match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        text.replace(&format!("{sign}:"), &format!("{bracketed}:"))
            .replace(sign, &address.to_string())
    };
    let text = with(words.to_owned(), "@", hosts.container);
    let text = with(text, "#", hosts.second);
    with(text, "%", hosts.host)
}

/// Packets to one port, on every way, marked by the prelude by where they come from.
fn packets(hosts: &Hosts, protocol: &str, port: u16) -> Vec<Packet> {
    let mut packets = Vec::new();
    for (from, ends) in [
        (From::Outside, (hosts.distant, hosts.container)),
        (From::Outside, (hosts.far, hosts.host)),
        (From::Inside, (hosts.container, hosts.distant)),
        (From::Local, (hosts.host, hosts.far)),
    ] {
        if protocol == "udp" {
            for (sport, hops, class) in [(1500, 60, 0), (1501, 3, 0xb9), (1502, 200, 0x1e)] {
                let packet =
                    Packet::new("to the rule's port", from, ends, (17, ports(sport, port, 30)));
                packets.push(Packet { hops, class, ..packet });
            }
        } else {
            let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
            let syn = tcp((1500, port), (1, 0), 0xc2, &options);
            packets.push(Packet::new("SYN to the rule's port", from, ends, (6, syn)));
            let bare = tcp((1501, port), (1, 0), 0x02, &[]);
            packets.push(Packet::new("bare SYN to the rule's port", from, ends, (6, bare)));
            let ack = tcp((1502, port), (1, 1), 0x10, &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]);
            packets.push(Packet::new("ACK to the rule's port", from, ends, (6, ack)));
        }
    }
    packets
}

/// Marks before the rules: by length of datagrams and by where they come from.
pub fn prelude() -> Vec<Rule> {
    ["PREROUTING", "OUTPUT"]
        .into_iter()
        .flat_map(|chain| {
            [
                Rule::new("raw", chain, "-p udp --sport 1501 -j MARK --set-xmark 0x55/0xffffffff"),
                Rule::new(
                    "raw",
                    chain,
                    "-p udp --sport 1502 -j MARK --set-xmark 0x80000080/0xffffffff",
                ),
            ]
        })
        .chain([
            Rule::new(
                "mangle",
                "PREROUTING",
                "-p udp --sport 1501 -j CONNMARK --set-xmark 0xaa/0xffffffff",
            ),
            Rule::new(
                "mangle",
                "OUTPUT",
                "-p udp --sport 1501 -j CONNMARK --set-xmark 0xaa/0xffffffff",
            ),
        ])
        .collect()
}

/// The answer to a packet that left the host, as its receiver sends it.
pub fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, protocol) = match bytes[0] >> 4 {
        4 => (usize::from(bytes[0] & 15) * 4, bytes[9]),
        _ => (40, bytes[6]),
    };
    let address = |at: usize, many: usize| -> IpAddr {
        if many == 4 {
            IpAddr::from(<[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap())
        } else {
            IpAddr::from(<[u8; 16]>::try_from(&bytes[at..at + 16]).unwrap())
        }
    };
    let (source, destination) = match header {
        40 => (address(8, 16), address(24, 16)),
        _ => (address(12, 4), address(16, 4)),
    };
    let payload = bytes.get(header..)?;
    let port = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    let data = match protocol {
        17 if payload.len() >= 8 => ports(port(2), port(0), 20),
        // Only a SYN is answered, never an answer.
        6 if payload.len() >= 20 && payload[13] & 0x17 == 0x02 => {
            let number = u32::from_be_bytes(payload[4..8].try_into().unwrap());
            tcp((port(2), port(0)), (900, number.wrapping_add(1)), 0x12, &[])
        }
        _ => return None,
    };
    let packet = Packet::new("answer", From::Outside, (destination, source), (protocol, data));
    Some(packet.bytes(0x7777))
}

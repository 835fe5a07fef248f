//! `-p`: transport protocols by name or number.

use super::number::number8;

/// The number of a protocol; `Some(0)` for `all`. Names are those of IANA and of iptables, in upper
/// or lower case; `/etc/protocols` is not read.
pub(super) fn protocol(word: &str) -> Option<u8> {
    number8(word).or_else(|| {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, number)| *number)
    })
}

/// Whether a protocol has ports.
pub(super) fn has_ports(number: u8) -> bool {
    super::module::WITH_PORTS.contains(&number)
}

/// The name that iptables-save prints: the first of a number, or the number.
pub(super) fn name(number: u8) -> String {
    let found = NAMES.iter().find(|(_, known)| *known == number);
    found.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// The match that `-p` loads for options such as `--dport`.
pub(super) fn match_name(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("icmp"),
        6 => Some("tcp"),
        17 => Some("udp"),
        33 => Some("dccp"),
        50 => Some("esp"),
        51 => Some("ah"),
        58 => Some("icmp6"),
        108 => Some("ipcomp"),
        132 => Some("sctp"),
        135 => Some("mh"),
        136 => Some("udplite"),
        _ => None,
    }
}

const NAMES: &[(&str, u8)] = &[
    ("all", 0),
    ("ip", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("ipv4", 4),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("eigrp", 88),
    ("ospf", 89),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("sctp", 132),
    ("mobility-header", 135),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("udplite", 136),
    ("mpls-in-ip", 137),
    ("hip", 139),
];

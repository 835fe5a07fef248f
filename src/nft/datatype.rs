//! Data types: how many bytes a value has, which number nft gives its type, how nft writes it.
//!
//! The numbers are nft's own (`enum datatypes` of its `datatype.h`), stored with each set so that
//! a listing can be read back. A wrong one can make `nft list ruleset` abort, so they are in this
//! one place. A concatenation packs six bits per part, the first part highest, and pads each part
//! of a key to four bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The type of one part of a key or of a datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// `nf_proto`: ipv4 or ipv6, 1 byte.
    NfProto,
    /// `integer`, of any length.
    Integer(u8),
    /// `integer`, 4 bytes in host order, as the kernel's own numbers are.
    HostInteger,
    /// `ipv4_addr`, 4 bytes.
    Ipv4Addr,
    /// `ipv6_addr`, 16 bytes.
    Ipv6Addr,
    /// `ether_addr`, 6 bytes.
    EtherAddr,
    /// `ether_type`, 2 bytes.
    EtherType,
    /// `inet_proto`, 1 byte.
    InetProto,
    /// `inet_service`: a port, 2 bytes.
    InetService,
    /// `icmp_type`, 1 byte.
    IcmpType,
    /// `icmpv6_type`, 1 byte.
    Icmpv6Type,
    /// `tcp_flag`, 1 byte.
    TcpFlag,
    /// `mark`, 4 bytes in host order.
    Mark,
    /// `iface_index`, 4 bytes in host order.
    IfaceIndex,
    /// `ifname`, 16 bytes padded with zeros.
    Ifname,
    /// `ct_state`, 4 bytes in host order.
    CtState,
    /// `ct_status`, 4 bytes in host order.
    CtStatus,
    /// `ct_dir`, 1 byte.
    CtDir,
    /// `fib_addrtype`, 4 bytes in host order.
    FibAddrType,
    /// `pkt_type`, 1 byte.
    PktType,
    /// `dscp`, 1 byte.
    Dscp,
    /// `boolean`, 1 byte.
    Boolean,
    /// A type without a name here: nft's number and the length in bytes.
    Other(u32, u8),
}

impl DataType {
    const NAMED: [DataType; 19] = [
        DataType::NfProto,
        DataType::Ipv4Addr,
        DataType::Ipv6Addr,
        DataType::EtherAddr,
        DataType::EtherType,
        DataType::InetProto,
        DataType::InetService,
        DataType::IcmpType,
        DataType::Icmpv6Type,
        DataType::TcpFlag,
        DataType::Mark,
        DataType::IfaceIndex,
        DataType::Ifname,
        DataType::CtState,
        DataType::CtStatus,
        DataType::CtDir,
        DataType::FibAddrType,
        DataType::PktType,
        DataType::Boolean,
    ];

    /// nft's number, its word, and the length in bytes.
    fn facts(self) -> (u32, &'static str, u8) {
        match self {
            DataType::NfProto => (2, "nf_proto", 1),
            DataType::Integer(len) => (4, "integer", len),
            DataType::HostInteger => (4, "integer", 4),
            DataType::Ipv4Addr => (7, "ipv4_addr", 4),
            DataType::Ipv6Addr => (8, "ipv6_addr", 16),
            DataType::EtherAddr => (9, "ether_addr", 6),
            DataType::EtherType => (10, "ether_type", 2),
            DataType::InetProto => (12, "inet_proto", 1),
            DataType::InetService => (13, "inet_service", 2),
            DataType::IcmpType => (14, "icmp_type", 1),
            DataType::TcpFlag => (15, "tcp_flag", 1),
            DataType::Mark => (19, "mark", 4),
            DataType::IfaceIndex => (20, "iface_index", 4),
            DataType::CtState => (26, "ct_state", 4),
            DataType::CtDir => (27, "ct_dir", 1),
            DataType::CtStatus => (28, "ct_status", 4),
            DataType::Icmpv6Type => (29, "icmpv6_type", 1),
            DataType::PktType => (31, "pkt_type", 1),
            DataType::Dscp => (36, "dscp", 1),
            DataType::FibAddrType => (38, "fib_addrtype", 4),
            DataType::Boolean => (39, "boolean", 1),
            DataType::Ifname => (41, "ifname", 16),
            DataType::Other(number, len) => (number, "integer", len),
        }
    }

    /// nft's number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.facts().0
    }

    /// nft's word, as in `type ipv4_addr`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.facts().1
    }

    /// Bytes of a value, without padding.
    #[must_use]
    pub fn len(self) -> usize {
        usize::from(self.facts().2)
    }

    /// Whether a value is a number in the byte order of this machine.
    #[must_use]
    pub fn is_host_order(self) -> bool {
        match self {
            DataType::Mark
            | DataType::HostInteger
            | DataType::IfaceIndex
            | DataType::Ifname
            | DataType::CtState
            | DataType::CtStatus
            | DataType::FibAddrType => true,
            DataType::NfProto
            | DataType::Integer(_)
            | DataType::Ipv4Addr
            | DataType::Ipv6Addr
            | DataType::EtherAddr
            | DataType::EtherType
            | DataType::InetProto
            | DataType::InetService
            | DataType::IcmpType
            | DataType::Icmpv6Type
            | DataType::TcpFlag
            | DataType::CtDir
            | DataType::PktType
            | DataType::Dscp
            | DataType::Boolean
            | DataType::Other(..) => false,
        }
    }

    fn from_number(number: u32, len: u8) -> Self {
        if number == 4 {
            return DataType::Integer(len);
        }
        DataType::NAMED
            .into_iter()
            .find(|known| known.number() == number)
            .unwrap_or(DataType::Other(number, len))
    }

    /// The value as nft writes it in a listing.
    #[must_use]
    pub fn list(self, value: &[u8]) -> String {
        let number = || self.number_of(value);
        match self {
            DataType::Ipv4Addr => match <[u8; 4]>::try_from(value) {
                Ok(octets) => Ipv4Addr::from(octets).to_string(),
                Err(_) => hex(value),
            },
            DataType::Ipv6Addr => match <[u8; 16]>::try_from(value) {
                Ok(octets) => Ipv6Addr::from(octets).to_string(),
                Err(_) => hex(value),
            },
            DataType::EtherAddr => {
                value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
            }
            DataType::Ifname => {
                let end = value.iter().position(|byte| *byte == 0);
                let star = if end.is_none() && value.len() < 16 { "*" } else { "" };
                let name = String::from_utf8_lossy(&value[..end.unwrap_or(value.len())]);
                format!("\"{name}{star}\"")
            }
            DataType::Mark => format!("{:#010x}", number()),
            DataType::NfProto => named(number(), &[(2, "ipv4"), (10, "ipv6")]),
            DataType::InetProto => named(number(), PROTOCOLS),
            DataType::IcmpType => named(number(), ICMP_TYPES),
            DataType::Icmpv6Type => named(number(), ICMPV6_TYPES),
            DataType::FibAddrType => named(number(), ADDRESS_TYPES),
            DataType::CtDir => named(number(), &[(0, "original"), (1, "reply")]),
            DataType::PktType => {
                named(number(), &[(0, "host"), (1, "broadcast"), (2, "multicast"), (3, "other")])
            }
            DataType::Boolean => named(number(), &[(0, "missing"), (1, "exists")]),
            DataType::CtState => flags(number(), CT_STATES, ","),
            DataType::CtStatus => flags(number(), CT_STATUSES, ","),
            DataType::TcpFlag => flags(number(), TCP_FLAGS, " | "),
            DataType::EtherType => {
                named(number(), &[(0x0800, "ip"), (0x0806, "arp"), (0x86dd, "ip6"), (0x8100, "8021q")])
            }
            DataType::Dscp => format!("{:#04x}", number()),
            DataType::InetService
            | DataType::IfaceIndex
            | DataType::HostInteger
            | DataType::Integer(_)
            | DataType::Other(..) => {
                if value.len() > 8 {
                    hex(value)
                } else {
                    number().to_string()
                }
            }
        }
    }

    fn number_of(self, value: &[u8]) -> u64 {
        let mut bytes = [0; 8];
        if value.len() > 8 {
            return 0;
        }
        if self.is_host_order() && cfg!(target_endian = "little") {
            bytes[..value.len()].copy_from_slice(value);
            u64::from_le_bytes(bytes)
        } else {
            bytes[8 - value.len()..].copy_from_slice(value);
            u64::from_be_bytes(bytes)
        }
    }
}

const PROTOCOLS: &[(u64, &str)] = &[
    (1, "icmp"),
    (2, "igmp"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (132, "sctp"),
    (136, "udplite"),
];
const ICMP_TYPES: &[(u64, &str)] = &[
    (0, "echo-reply"),
    (3, "destination-unreachable"),
    (4, "source-quench"),
    (5, "redirect"),
    (8, "echo-request"),
    (9, "router-advertisement"),
    (10, "router-solicitation"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
    (13, "timestamp-request"),
    (14, "timestamp-reply"),
    (15, "info-request"),
    (16, "info-reply"),
    (17, "address-mask-request"),
    (18, "address-mask-reply"),
];
const ICMPV6_TYPES: &[(u64, &str)] = &[
    (1, "destination-unreachable"),
    (2, "packet-too-big"),
    (3, "time-exceeded"),
    (4, "parameter-problem"),
    (128, "echo-request"),
    (129, "echo-reply"),
    (130, "mld-listener-query"),
    (131, "mld-listener-report"),
    (132, "mld-listener-done"),
    (133, "nd-router-solicit"),
    (134, "nd-router-advert"),
    (135, "nd-neighbor-solicit"),
    (136, "nd-neighbor-advert"),
    (137, "nd-redirect"),
    (138, "router-renumbering"),
    (141, "ind-neighbor-solicit"),
    (142, "ind-neighbor-advert"),
    (143, "mld2-listener-report"),
];
const ADDRESS_TYPES: &[(u64, &str)] = &[
    (0, "unspec"),
    (1, "unicast"),
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
];
const CT_STATES: &[(u64, &str)] =
    &[(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")];
const CT_STATUSES: &[(u64, &str)] = &[
    (1, "expected"),
    (2, "seen-reply"),
    (4, "assured"),
    (8, "confirmed"),
    (16, "snat"),
    (32, "dnat"),
    (512, "dying"),
];
const TCP_FLAGS: &[(u64, &str)] = &[
    (1, "fin"),
    (2, "syn"),
    (4, "rst"),
    (8, "psh"),
    (16, "ack"),
    (32, "urg"),
    (64, "ecn"),
    (128, "cwr"),
];

fn named(number: u64, names: &[(u64, &str)]) -> String {
    match names.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None => number.to_string(),
    }
}

/// Flags by name, lowest bit first; a number where a bit has no name.
fn flags(number: u64, names: &[(u64, &str)], separator: &str) -> String {
    let known = names.iter().fold(0, |all, (bit, _)| all | bit);
    if number == 0 || number & !known != 0 {
        return format!("{number:#x}");
    }
    let words = names.iter().filter(|(bit, _)| number & bit != 0).map(|(_, name)| *name);
    words.collect::<Vec<_>>().join(separator)
}

fn hex(value: &[u8]) -> String {
    value.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// nft's number of a concatenation (or of a single part).
pub(super) fn concat_number(parts: &[DataType]) -> u32 {
    parts.iter().fold(0, |number, part| number << 6 | part.number())
}

/// Bytes of a key: each part padded to four bytes, but a single part as it is.
pub(super) fn concat_len(parts: &[DataType]) -> usize {
    match parts {
        [single] => single.len(),
        parts => parts.iter().map(|part| part.len().next_multiple_of(4)).sum(),
    }
}

/// Takes a concatenation's number apart again.
pub(super) fn parse_concat(number: u32, len: u32) -> Vec<DataType> {
    let total = u8::try_from(len).unwrap_or(u8::MAX);
    if number >> 6 == 0 || number > 0x3fff_ffff {
        return vec![DataType::from_number(number, total)];
    }
    let mut parts = Vec::new();
    let mut rest = number;
    while rest != 0 {
        parts.push(DataType::from_number(rest & 0x3f, 4));
        rest >>= 6;
    }
    parts.reverse();
    parts
}

/// Lays out the parts of a key (or datum) of a concatenation: each padded to four bytes.
#[must_use]
pub fn concat(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 3).sum());
    for part in parts {
        bytes.extend_from_slice(part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// Lists a key of this type: `tcp . 8080`.
pub(super) fn list_concat(parts: &[DataType], bytes: &[u8]) -> String {
    if let [single] = parts {
        return single.list(bytes);
    }
    let mut rest = bytes;
    let mut words = Vec::new();
    for part in parts {
        let len = part.len().min(rest.len());
        words.push(part.list(&rest[..len]));
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    words.join(" . ")
}

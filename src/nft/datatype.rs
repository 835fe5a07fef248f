//! Data types: how many bytes a value has, which number nft gives its type, how nft writes it.
//!
//! The numbers are nft's own (`enum datatypes` of its `datatype.h`), stored with each set so that
//! a listing can be read back. A wrong one can make `nft list ruleset` abort, so they are in this
//! one place.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::clock;
use super::symbols::{
    ADDRESS_TYPES, ARP_OPERATIONS, CT_EVENTS, CT_STATES, CT_STATUSES, DAYS, DCCP_TYPES, DSCPS,
    ECNS, ETHER_TYPES, ICMP_CODES, ICMP_TYPES, ICMPV6_CODES, ICMPV6_TYPES, INTERFACE_TYPES,
    MH_TYPES, PROTOCOLS, TCP_FLAGS, named_or,
};

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
    /// `icmp_code`, 1 byte.
    IcmpCode,
    /// `icmpv6_code`, 1 byte.
    Icmpv6Code,
    /// `ecn`, 1 byte.
    Ecn,
    /// `arp_op`, 2 bytes.
    ArpOp,
    /// `devgroup`, 4 bytes in host order.
    DevGroup,
    /// `classid`, 4 bytes in host order.
    ClassId,
    /// `realm`, 4 bytes in host order.
    Realm,
    /// `uid`, 4 bytes in host order; listed as a number.
    Uid,
    /// `gid`, 4 bytes in host order; listed as a number.
    Gid,
    /// `time`, 8 bytes of milliseconds in host order.
    Time,
    /// `iface_type`, 2 bytes in host order.
    IfaceType,
    /// `dccp_pkttype`, 1 byte.
    DccpPktType,
    /// `mh_type`: of the mobility header of IPv6, 1 byte.
    MhType,
    /// `ct_label`: 128 bits.
    CtLabel,
    /// `ct_event`, 4 bytes in host order.
    CtEvent,
    /// `time`: nanoseconds since 1970, 8 bytes in host order.
    Date,
    /// `hour`: seconds of the day, 4 bytes in host order.
    Hour,
    /// `day` of the week from Sunday, 1 byte.
    Day,
    /// `cgroupsv2`: the number of a control group, 8 bytes in host order.
    CgroupV2,
    /// A type without a name here: nft's number and the length in bytes.
    Other(u32, u8),
}

impl DataType {
    const NAMED: [DataType; 39] = [
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
        DataType::Dscp,
        DataType::IcmpCode,
        DataType::Icmpv6Code,
        DataType::Ecn,
        DataType::ArpOp,
        DataType::DevGroup,
        DataType::ClassId,
        DataType::Realm,
        DataType::Uid,
        DataType::Gid,
        DataType::Time,
        DataType::IfaceType,
        DataType::DccpPktType,
        DataType::MhType,
        DataType::CtLabel,
        DataType::CtEvent,
        DataType::Date,
        DataType::Hour,
        DataType::Day,
        DataType::CgroupV2,
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
            DataType::IcmpCode => (32, "icmp_code", 1),
            DataType::Icmpv6Code => (33, "icmpv6_code", 1),
            DataType::Ecn => (37, "ecn", 1),
            DataType::ArpOp => (11, "arp_op", 2),
            DataType::DevGroup => (35, "devgroup", 4),
            DataType::ClassId => (23, "classid", 4),
            DataType::Realm => (22, "realm", 4),
            DataType::Uid => (24, "uid", 4),
            DataType::Gid => (25, "gid", 4),
            DataType::Time => (18, "time", 8),
            DataType::IfaceType => (21, "iface_type", 2),
            DataType::DccpPktType => (16, "dccp_pkttype", 1),
            DataType::MhType => (17, "mh_type", 1),
            DataType::CtLabel => (30, "ct_label", 16),
            DataType::CtEvent => (40, "ct_event", 4),
            DataType::Date => (43, "time", 8),
            DataType::Hour => (44, "hour", 4),
            DataType::Day => (45, "day", 1),
            DataType::CgroupV2 => (46, "cgroupsv2", 8),
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
    #[allow(clippy::len_without_is_empty, reason = "no type is empty")]
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
            | DataType::FibAddrType
            | DataType::DevGroup
            | DataType::ClassId
            | DataType::Realm
            | DataType::Uid
            | DataType::Gid
            | DataType::Time
            | DataType::IfaceType
            | DataType::CtLabel
            | DataType::CtEvent
            | DataType::Date
            | DataType::Hour
            | DataType::CgroupV2 => true,
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
            | DataType::IcmpCode
            | DataType::Icmpv6Code
            | DataType::Ecn
            | DataType::ArpOp
            | DataType::DccpPktType
            | DataType::MhType
            | DataType::Day
            | DataType::Other(..) => false,
        }
    }

    pub(super) fn from_number(number: u32, len: u8) -> Self {
        if number == 4 {
            return DataType::Integer(len);
        }
        DataType::NAMED
            .into_iter()
            .find(|known| known.number() == number)
            .unwrap_or(DataType::Other(number, len))
    }

    /// Whether nft writes ranges of it as prefixes: `10.0.0.0/8`, `"eth*"`.
    pub(super) fn has_prefixes(self) -> bool {
        matches!(self, DataType::Ipv4Addr | DataType::Ipv6Addr | DataType::Ifname)
    }

    /// Whether a value is a set of bits.
    pub(super) fn is_flags(self) -> bool {
        matches!(
            self,
            DataType::CtState | DataType::CtStatus | DataType::TcpFlag | DataType::CtLabel
        )
    }

    /// The value as nft writes it in a listing.
    #[must_use]
    pub fn list(self, value: &[u8]) -> String {
        let number = self.number_of(value);
        match self {
            DataType::Ipv4Addr => match <[u8; 4]>::try_from(value) {
                Ok(octets) => Ipv4Addr::from(octets).to_string(),
                Err(_) => hex(value),
            },
            DataType::Ipv6Addr => match <[u8; 16]>::try_from(value) {
                Ok(octets) => ipv6(octets),
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
            DataType::Mark => format!("{number:#010x}"),
            DataType::Boolean if number > 1 => "exists".to_owned(),
            DataType::CtState => flags(number, CT_STATES, ","),
            DataType::CtStatus => flags(number, CT_STATUSES, ","),
            DataType::CtEvent => flags(number, CT_EVENTS, ","),
            DataType::CtLabel => labels(value),
            DataType::Date => format!("\"{}\"", clock::date(number)),
            DataType::Hour => format!("\"{}\"", clock::hour(number)),
            DataType::TcpFlag => flags(number, TCP_FLAGS, " | "),
            DataType::EtherType => named_or(number, ETHER_TYPES, |n| format!("{n:#06x}")),
            DataType::Dscp => named_or(number, DSCPS, |n| format!("{n:#04x}")),
            DataType::DevGroup if number == 0 => "\"default\"".to_owned(),
            DataType::ClassId => class(number),
            DataType::Time => super::expr::listing_time(number),
            _ => match self.symbols() {
                Some(symbols) => named_or(number, symbols, |number| number.to_string()),
                None if value.len() > 8 => hex(value),
                None => number.to_string(),
            },
        }
    }

    /// The value as nft writes it at either end of a range: words as numbers, times in seconds.
    pub(super) fn list_bound(self, value: &[u8]) -> String {
        let number = self.number_of(value);
        match self {
            DataType::Time => format!("{}s", number / 1000),
            DataType::EtherType => format!("{number:#06x}"),
            DataType::Dscp => format!("{number:#04x}"),
            DataType::CtState | DataType::CtStatus | DataType::TcpFlag => format!("{number:#x}"),
            DataType::DevGroup => number.to_string(),
            _ if self.symbols().is_some() => number.to_string(),
            _ => self.list(value),
        }
    }

    /// nft's words for a type whose values each have one.
    fn symbols(self) -> Option<&'static [(u64, &'static str)]> {
        match self {
            DataType::NfProto => Some(&[(2, "ipv4"), (10, "ipv6")]),
            DataType::InetProto => Some(PROTOCOLS),
            DataType::IcmpType => Some(ICMP_TYPES),
            DataType::Icmpv6Type => Some(ICMPV6_TYPES),
            DataType::IcmpCode => Some(ICMP_CODES),
            DataType::Icmpv6Code => Some(ICMPV6_CODES),
            DataType::FibAddrType => Some(ADDRESS_TYPES),
            DataType::CtDir => Some(&[(0, "original"), (1, "reply")]),
            DataType::PktType => {
                Some(&[(0, "host"), (1, "broadcast"), (2, "multicast"), (3, "other")])
            }
            DataType::Boolean => Some(&[(0, "missing"), (1, "exists")]),
            DataType::Ecn => Some(ECNS),
            DataType::ArpOp => Some(ARP_OPERATIONS),
            DataType::IfaceType => Some(INTERFACE_TYPES),
            DataType::DccpPktType => Some(DCCP_TYPES),
            DataType::MhType => Some(MH_TYPES),
            DataType::Day => Some(DAYS),
            _ => None,
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

/// A traffic class, as tc(8) writes it.
fn class(number: u64) -> String {
    match number {
        0 => "none".to_owned(),
        0xffff_ffff => "root".to_owned(),
        number => format!("{:x}:{:x}", number >> 16, number & 0xffff),
    }
}

/// As inet_ntop(3) of glibc writes it: `::1.2.3.4` for an IPv4-compatible address.
fn ipv6(octets: [u8; 16]) -> String {
    let [low @ .., a, b, c, d] = octets;
    let compatible = low == [0; 12] && (a != 0 || b != 0 || c != 0 || d > 1);
    if compatible { format!("::{a}.{b}.{c}.{d}") } else { Ipv6Addr::from(octets).to_string() }
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

/// The bits that are set, by number.
fn labels(value: &[u8]) -> String {
    let bits = (0..value.len() * 8).filter(|bit| value[bit / 8] >> (bit % 8) & 1 != 0);
    let words: Vec<String> = bits.map(|bit| bit.to_string()).collect();
    if words.is_empty() { "0x0".to_owned() } else { words.join(",") }
}

fn hex(value: &[u8]) -> String {
    value.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

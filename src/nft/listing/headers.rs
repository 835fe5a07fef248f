//! The fields of the headers that nft has words for, by first bit and length in bits.

use crate::nft::DataType;

/// A field: its first bit, its length in bits, nft's words, its type.
pub(super) type Field = (u32, u32, &'static str, DataType);

const fn number(bits: u32) -> DataType {
    DataType::Integer(bits.div_ceil(8) as u8)
}

pub(super) const IP: &[Field] = &[
    (0, 4, "ip version", number(4)),
    (4, 4, "ip hdrlength", number(4)),
    (8, 6, "ip dscp", DataType::Dscp),
    (14, 2, "ip ecn", DataType::Ecn),
    (16, 16, "ip length", number(16)),
    (32, 16, "ip id", number(16)),
    (48, 16, "ip frag-off", number(16)),
    (64, 8, "ip ttl", number(8)),
    (72, 8, "ip protocol", DataType::InetProto),
    (80, 16, "ip checksum", number(16)),
    (96, 32, "ip saddr", DataType::Ipv4Addr),
    (128, 32, "ip daddr", DataType::Ipv4Addr),
];
pub(super) const IP6: &[Field] = &[
    (0, 4, "ip6 version", number(4)),
    (4, 6, "ip6 dscp", DataType::Dscp),
    (10, 2, "ip6 ecn", DataType::Ecn),
    (12, 20, "ip6 flowlabel", number(20)),
    (32, 16, "ip6 length", number(16)),
    (48, 8, "ip6 nexthdr", DataType::InetProto),
    (56, 8, "ip6 hoplimit", number(8)),
    (64, 128, "ip6 saddr", DataType::Ipv6Addr),
    (192, 128, "ip6 daddr", DataType::Ipv6Addr),
];
pub(super) const ETHER: &[Field] = &[
    (0, 48, "ether daddr", DataType::EtherAddr),
    (48, 48, "ether saddr", DataType::EtherAddr),
    (96, 16, "ether type", DataType::EtherType),
];
/// Behind the Ethernet addresses and the type 8021q.
pub(super) const VLAN_HEADER: &[Field] = &[
    (112, 3, "vlan pcp", number(3)),
    (115, 1, "vlan dei", number(1)),
    (116, 12, "vlan id", number(12)),
    (128, 16, "vlan type", DataType::EtherType),
];
pub(super) const ARP_HEADER: &[Field] = &[
    (0, 16, "arp htype", number(16)),
    (16, 16, "arp ptype", DataType::EtherType),
    (32, 8, "arp hlen", number(8)),
    (40, 8, "arp plen", number(8)),
    (48, 16, "arp operation", DataType::ArpOp),
    (64, 48, "arp saddr ether", DataType::EtherAddr),
    (112, 32, "arp saddr ip", DataType::Ipv4Addr),
    (144, 48, "arp daddr ether", DataType::EtherAddr),
    (192, 32, "arp daddr ip", DataType::Ipv4Addr),
];
pub(super) const TCP: &[Field] = &[
    (0, 16, "tcp sport", DataType::InetService),
    (16, 16, "tcp dport", DataType::InetService),
    (32, 32, "tcp sequence", number(32)),
    (64, 32, "tcp ackseq", number(32)),
    (96, 4, "tcp doff", number(4)),
    (100, 4, "tcp reserved", number(4)),
    (104, 8, "tcp flags", DataType::TcpFlag),
    (112, 16, "tcp window", number(16)),
    (128, 16, "tcp checksum", number(16)),
    (144, 16, "tcp urgptr", number(16)),
];
pub(super) const UDP: &[Field] = &[
    (0, 16, "udp sport", DataType::InetService),
    (16, 16, "udp dport", DataType::InetService),
    (32, 16, "udp length", number(16)),
    (48, 16, "udp checksum", number(16)),
];
pub(super) const UDPLITE: &[Field] = &[
    (0, 16, "udplite sport", DataType::InetService),
    (16, 16, "udplite dport", DataType::InetService),
    (32, 16, "udplite csumcov", number(16)),
    (48, 16, "udplite checksum", number(16)),
];
pub(super) const SCTP: &[Field] = &[
    (0, 16, "sctp sport", DataType::InetService),
    (16, 16, "sctp dport", DataType::InetService),
    (32, 32, "sctp vtag", number(32)),
    (64, 32, "sctp checksum", number(32)),
];
pub(super) const DCCP: &[Field] = &[
    (0, 16, "dccp sport", DataType::InetService),
    (16, 16, "dccp dport", DataType::InetService),
    (67, 4, "dccp type", DataType::DccpPktType),
];
pub(super) const ICMP: &[Field] = &[
    (0, 8, "icmp type", DataType::IcmpType),
    (8, 8, "icmp code", DataType::IcmpCode),
    (16, 16, "icmp checksum", number(16)),
    (32, 16, "icmp id", number(16)),
    (48, 16, "icmp sequence", number(16)),
];
pub(super) const ICMPV6: &[Field] = &[
    (0, 8, "icmpv6 type", DataType::Icmpv6Type),
    (8, 8, "icmpv6 code", DataType::Icmpv6Code),
    (16, 16, "icmpv6 checksum", number(16)),
    (32, 16, "icmpv6 id", number(16)),
    (48, 16, "icmpv6 sequence", number(16)),
];
pub(super) const AH: &[Field] = &[
    (8, 8, "ah hdrlength", number(8)),
    (16, 16, "ah reserved", number(16)),
    (32, 32, "ah spi", number(32)),
    (64, 32, "ah sequence", number(32)),
];
pub(super) const ESP: &[Field] =
    &[(0, 32, "esp spi", number(32)), (32, 32, "esp sequence", number(32))];
pub(super) const COMP: &[Field] =
    &[(8, 8, "comp flags", number(8)), (16, 16, "comp cpi", number(16))];
pub(super) const TH: &[Field] =
    &[(0, 16, "th sport", DataType::InetService), (16, 16, "th dport", DataType::InetService)];

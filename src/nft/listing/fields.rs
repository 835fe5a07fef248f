//! Header fields by their place: `ip saddr` is four bytes at offset 12 of the network header.

use super::rule::{Implied, RuleListing, Term};
use crate::nft::DataType;
use crate::nft::expr::PayloadBase;

/// A field: offset and length in bytes, nft's words, its type.
type Field = (u32, u32, &'static str, DataType);

const IP: &[Field] = &[
    (1, 1, "ip dscp", DataType::Integer(1)),
    (2, 2, "ip length", DataType::Integer(2)),
    (4, 2, "ip id", DataType::Integer(2)),
    (6, 2, "ip frag-off", DataType::Integer(2)),
    (8, 1, "ip ttl", DataType::Integer(1)),
    (9, 1, "ip protocol", DataType::InetProto),
    (12, 4, "ip saddr", DataType::Ipv4Addr),
    (16, 4, "ip daddr", DataType::Ipv4Addr),
];
const IP6: &[Field] = &[
    (4, 2, "ip6 length", DataType::Integer(2)),
    (6, 1, "ip6 nexthdr", DataType::InetProto),
    (7, 1, "ip6 hoplimit", DataType::Integer(1)),
    (8, 16, "ip6 saddr", DataType::Ipv6Addr),
    (24, 16, "ip6 daddr", DataType::Ipv6Addr),
];
const ETHER: &[Field] = &[
    (0, 6, "ether daddr", DataType::EtherAddr),
    (6, 6, "ether saddr", DataType::EtherAddr),
    (12, 2, "ether type", DataType::EtherType),
];
const TCP: &[Field] = &[
    (0, 2, "tcp sport", DataType::InetService),
    (2, 2, "tcp dport", DataType::InetService),
    (4, 4, "tcp sequence", DataType::Integer(4)),
    (8, 4, "tcp ackseq", DataType::Integer(4)),
    (13, 1, "tcp flags", DataType::TcpFlag),
    (14, 2, "tcp window", DataType::Integer(2)),
];
const UDP: &[Field] = &[
    (0, 2, "udp sport", DataType::InetService),
    (2, 2, "udp dport", DataType::InetService),
    (4, 2, "udp length", DataType::Integer(2)),
];
const UDPLITE: &[Field] = &[
    (0, 2, "udplite sport", DataType::InetService),
    (2, 2, "udplite dport", DataType::InetService),
];
const SCTP: &[Field] =
    &[(0, 2, "sctp sport", DataType::InetService), (2, 2, "sctp dport", DataType::InetService)];
const DCCP: &[Field] =
    &[(0, 2, "dccp sport", DataType::InetService), (2, 2, "dccp dport", DataType::InetService)];
const ICMP: &[Field] =
    &[(0, 1, "icmp type", DataType::IcmpType), (1, 1, "icmp code", DataType::Integer(1))];
const ICMPV6: &[Field] =
    &[(0, 1, "icmpv6 type", DataType::Icmpv6Type), (1, 1, "icmpv6 code", DataType::Integer(1))];
const TH: &[Field] =
    &[(0, 2, "th sport", DataType::InetService), (2, 2, "th dport", DataType::InetService)];

impl RuleListing<'_> {
    /// Names bytes of a header, and takes back the word that chose the header.
    pub(in crate::nft) fn field(&mut self, base: PayloadBase, offset: u32, len: u32) -> Term {
        let (fields, implied): (&[Field], Option<Implied>) = match base {
            PayloadBase::Link => (ETHER, None),
            PayloadBase::Network => match self.network {
                Some(2) => (IP, Some(Implied::Network(2))),
                Some(10) => (IP6, Some(Implied::Network(10))),
                _ => (&[], None),
            },
            PayloadBase::Transport => match self.transport {
                Some(6) => (TCP, Some(Implied::Transport(6))),
                Some(17) => (UDP, Some(Implied::Transport(17))),
                Some(33) => (DCCP, Some(Implied::Transport(33))),
                Some(132) => (SCTP, Some(Implied::Transport(132))),
                Some(136) => (UDPLITE, Some(Implied::Transport(136))),
                Some(1) => (ICMP, Some(Implied::Transport(1))),
                Some(58) => (ICMPV6, Some(Implied::Transport(58))),
                _ => (TH, None),
            },
            PayloadBase::Other(_) => (&[], None),
        };
        let found = fields.iter().find(|(at, size, _, data_type)| {
            // A shorter load of an address is a match on its prefix.
            *at == offset && (*size == len || (len < *size && is_address(*data_type)))
        });
        let Some((_, _, words, data_type)) = found else {
            let text = format!("@{},{},{}", base.word(), offset * 8, len * 8);
            return Term::plain(text, DataType::Integer(u8::try_from(len).unwrap_or(0)));
        };
        if let Some(implied) = implied {
            self.drop_implied(|word| word == implied);
        }
        let mut term = Term::plain(*words, *data_type);
        if *data_type == DataType::InetProto {
            term.selects = Some(Implied::Transport);
        }
        term
    }
}

pub(super) fn is_address(data_type: DataType) -> bool {
    matches!(data_type, DataType::Ipv4Addr | DataType::Ipv6Addr | DataType::EtherAddr)
}

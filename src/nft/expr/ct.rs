//! `ct`: what connection tracking knows of a packet's flow.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::{RuleListing, Term};
use crate::nft::{DataType, Family};

const NFTA_CT_DREG: u16 = 1;
const NFTA_CT_KEY: u16 = 2;
const NFTA_CT_DIRECTION: u16 = 3;
const NFTA_CT_SREG: u16 = 4;

kernel_numbers! {
    /// What to read or set (`NFT_CT_*`).
    CtKey {
        /// State of the packet in its flow.
        State = 0 "state",
        /// Direction of the packet.
        Direction = 1 "direction",
        /// Status bits of the flow.
        Status = 2 "status",
        /// Mark of the flow.
        Mark = 3 "mark",
        /// Security mark.
        Secmark = 4 "secmark",
        /// Time left.
        Expiration = 5 "expiration",
        /// Helper.
        Helper = 6 "helper",
        /// Network protocol.
        L3protocol = 7 "l3proto",
        /// Source address, of the table's family.
        Src = 8 "saddr",
        /// Destination address, of the table's family.
        Dst = 9 "daddr",
        /// Transport protocol.
        Protocol = 10 "protocol",
        /// Source port.
        ProtoSrc = 11 "proto-src",
        /// Destination port.
        ProtoDst = 12 "proto-dst",
        /// Labels.
        Labels = 13 "label",
        /// Packets.
        Pkts = 14 "packets",
        /// Bytes.
        Bytes = 15 "bytes",
        /// Bytes per packet.
        Avgpkt = 16 "avgpkt",
        /// Zone.
        Zone = 17 "zone",
        /// Event mask.
        Eventmask = 18 "event",
        /// IPv4 source address.
        SrcIp = 19 "ip saddr",
        /// IPv4 destination address.
        DstIp = 20 "ip daddr",
        /// IPv6 source address.
        SrcIp6 = 21 "ip6 saddr",
        /// IPv6 destination address.
        DstIp6 = 22 "ip6 daddr",
        /// Identity.
        Id = 23 "id",
    }
}

kernel_numbers! {
    /// Whose view of the flow (`IP_CT_DIR_*`).
    CtDirection {
        /// As the first packet went.
        Original = 0 "original",
        /// As the answer goes.
        Reply = 1 "reply",
    }
}

impl CtKey {
    /// The key that says the family itself, for one that takes it from its table.
    fn of_family(self, family: Family) -> Self {
        match (self, family) {
            (CtKey::Src, Family::Ip) => CtKey::SrcIp,
            (CtKey::Dst, Family::Ip) => CtKey::DstIp,
            (CtKey::Src, Family::Ip6) => CtKey::SrcIp6,
            (CtKey::Dst, Family::Ip6) => CtKey::DstIp6,
            (key, _) => key,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            CtKey::State => DataType::CtState,
            CtKey::Status => DataType::CtStatus,
            CtKey::Mark => DataType::Mark,
            CtKey::Direction => DataType::CtDir,
            CtKey::L3protocol => DataType::NfProto,
            CtKey::Protocol => DataType::InetProto,
            CtKey::ProtoSrc | CtKey::ProtoDst => DataType::InetService,
            CtKey::SrcIp | CtKey::DstIp => DataType::Ipv4Addr,
            CtKey::SrcIp6 | CtKey::DstIp6 => DataType::Ipv6Addr,
            CtKey::Helper => DataType::Ifname,
            CtKey::Expiration => DataType::Time,
            CtKey::Labels => DataType::CtLabel,
            CtKey::Eventmask => DataType::CtEvent,
            CtKey::Id => DataType::Integer(4),
            CtKey::Src
            | CtKey::Dst
            | CtKey::Secmark
            | CtKey::Pkts
            | CtKey::Bytes
            | CtKey::Avgpkt
            | CtKey::Zone
            | CtKey::Other(_) => DataType::HostInteger,
        }
    }
}

/// `ct state`, `ct original proto-dst`, `ct mark set 0x1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ct {
    /// Into a register.
    Load {
        /// What.
        key: CtKey,
        /// Whose view, for keys that have two.
        direction: Option<CtDirection>,
        /// Where to.
        dreg: Register,
    },
    /// From a register.
    Set {
        /// What.
        key: CtKey,
        /// Whose, for keys that have two.
        direction: Option<CtDirection>,
        /// Where from.
        sreg: Register,
    },
}

impl Ct {
    /// A key that has one view only.
    #[must_use]
    pub fn load(key: CtKey, dreg: Register) -> Self {
        Ct::Load { key, direction: None, dreg }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let family = listing.family();
        let name = |key: CtKey, direction: Option<CtDirection>| {
            let word = key.of_family(family).word();
            match direction {
                Some(direction) => format!("ct {} {word}", direction.word()),
                None => format!("ct {word}"),
            }
        };
        match self {
            Ct::Load { key, direction, dreg } => {
                let data_type = key.of_family(family).data_type();
                let term = Term::plain(name(*key, *direction), data_type);
                listing.load(*dreg, data_type.len() as u32, term);
            }
            Ct::Set { key, direction, sreg } => {
                let value = listing.value(*sreg, key.data_type());
                listing.word(format!("{} set {value}", name(*key, *direction)));
            }
        }
    }
}

impl Expression for Ct {
    const NAME: &'static str = "ct";
    const KNOWN: &'static [u16] = &[NFTA_CT_DREG, NFTA_CT_KEY, NFTA_CT_DIRECTION, NFTA_CT_SREG];

    fn encode(&self, message: &mut MessageBuilder) {
        let direction = match self {
            Ct::Load { key, direction, dreg } => {
                put_register(message, NFTA_CT_DREG, *dreg);
                message.put_be32(NFTA_CT_KEY, key.number());
                direction
            }
            Ct::Set { key, direction, sreg } => {
                put_register(message, NFTA_CT_SREG, *sreg);
                message.put_be32(NFTA_CT_KEY, key.number());
                direction
            }
        };
        if let Some(direction) = direction {
            // The kernel's attribute is one byte.
            message.put_u8(NFTA_CT_DIRECTION, u8::try_from(direction.number()).unwrap_or(0));
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let key = CtKey::from_number(attributes.need_be32(NFTA_CT_KEY)?);
        let direction = match attributes.find(NFTA_CT_DIRECTION) {
            Some(direction) => Some(CtDirection::from_number(u32::from(direction.u8()?))),
            None => None,
        };
        match attributes.maybe_register(NFTA_CT_SREG)? {
            Some(sreg) => Ok(Ct::Set { key, direction, sreg }),
            None => Ok(Ct::Load { key, direction, dreg: attributes.need_register(NFTA_CT_DREG)? }),
        }
    }
}

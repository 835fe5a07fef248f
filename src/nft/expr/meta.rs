//! `meta`: what the kernel knows of a packet besides its bytes.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_META_DREG: u16 = 1;
const NFTA_META_KEY: u16 = 2;
const NFTA_META_SREG: u16 = 3;

kernel_numbers! {
    /// What to read or set (`NFT_META_*`).
    MetaKey {
        /// Length of the packet.
        Len = 0 "meta length",
        /// EtherType.
        Protocol = 1 "meta protocol",
        /// Traffic class.
        Priority = 2 "meta priority",
        /// Packet mark.
        Mark = 3 "meta mark",
        /// Index of the incoming interface.
        Iif = 4 "iif",
        /// Index of the outgoing interface.
        Oif = 5 "oif",
        /// Name of the incoming interface.
        Iifname = 6 "iifname",
        /// Name of the outgoing interface.
        Oifname = 7 "oifname",
        /// Hardware type of the incoming interface.
        Iiftype = 8 "meta iiftype",
        /// Hardware type of the outgoing interface.
        Oiftype = 9 "meta oiftype",
        /// User of the sending socket.
        Skuid = 10 "meta skuid",
        /// Group of the sending socket.
        Skgid = 11 "meta skgid",
        /// Whether the packet is traced.
        Nftrace = 12 "meta nftrace",
        /// Routing realm.
        Rtclassid = 13 "meta rtclassid",
        /// Security mark.
        Secmark = 14 "meta secmark",
        /// Family of the packet, in an inet table.
        Nfproto = 15 "meta nfproto",
        /// Transport protocol.
        L4proto = 16 "meta l4proto",
        /// Name of the incoming bridge.
        BriIifname = 17 "meta ibrname",
        /// Name of the outgoing bridge.
        BriOifname = 18 "meta obrname",
        /// Unicast, broadcast, multicast.
        Pkttype = 19 "meta pkttype",
        /// Processor.
        Cpu = 20 "meta cpu",
        /// Group of the incoming interface.
        Iifgroup = 21 "iifgroup",
        /// Group of the outgoing interface.
        Oifgroup = 22 "oifgroup",
        /// Control group of the sending socket.
        Cgroup = 23 "meta cgroup",
        /// A random number.
        Prandom = 24 "meta random",
        /// Whether IPsec handled it.
        Secpath = 25 "meta ipsec",
        /// Kind of the incoming interface.
        Iifkind = 26 "meta iifkind",
        /// Kind of the outgoing interface.
        Oifkind = 27 "meta oifkind",
        /// VLAN that the incoming bridge gives untagged frames.
        BriIifpvid = 28 "meta ibrpvid",
        /// VLAN protocol of the incoming bridge.
        BriIifvproto = 29 "meta ibrvproto",
        /// Nanoseconds since 1970.
        TimeNs = 30 "meta time",
        /// Day of the week.
        TimeDay = 31 "meta day",
        /// Seconds since midnight.
        TimeHour = 32 "meta hour",
        /// Index of the enslaved interface that it came in by.
        Sdif = 33 "meta sdif",
        /// Name of the enslaved interface that it came in by.
        Sdifname = 34 "meta sdifname",
        /// Whether a bridge routes the frame (Linux 6.4).
        BriBroute = 35 "meta broute",
    }
}

impl MetaKey {
    /// The type of its value.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            MetaKey::Mark => DataType::Mark,
            MetaKey::Iif | MetaKey::Oif | MetaKey::Sdif => DataType::IfaceIndex,
            MetaKey::Iifname
            | MetaKey::Oifname
            | MetaKey::BriIifname
            | MetaKey::BriOifname
            | MetaKey::Iifkind
            | MetaKey::Oifkind
            | MetaKey::Sdifname => DataType::Ifname,
            MetaKey::Nfproto => DataType::NfProto,
            MetaKey::L4proto => DataType::InetProto,
            MetaKey::Pkttype => DataType::PktType,
            MetaKey::Protocol | MetaKey::BriIifvproto => DataType::EtherType,
            MetaKey::Secpath => DataType::Boolean,
            MetaKey::Nftrace | MetaKey::BriBroute => DataType::Integer(1),
            MetaKey::TimeNs => DataType::Date,
            MetaKey::TimeDay => DataType::Day,
            MetaKey::TimeHour => DataType::Hour,
            MetaKey::Priority => DataType::ClassId,
            MetaKey::Iiftype | MetaKey::Oiftype => DataType::IfaceType,
            MetaKey::Skuid => DataType::Uid,
            MetaKey::Skgid => DataType::Gid,
            MetaKey::Rtclassid => DataType::Realm,
            MetaKey::Iifgroup | MetaKey::Oifgroup => DataType::DevGroup,
            MetaKey::Prandom => DataType::Integer(4),
            MetaKey::Len
            | MetaKey::Secmark
            | MetaKey::Cpu
            | MetaKey::Cgroup
            | MetaKey::BriIifpvid
            | MetaKey::Other(_) => DataType::HostInteger,
        }
    }
}

/// Reads or sets one of them: `meta mark`, `meta mark set 0x1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meta {
    /// Into a register.
    Load {
        /// What.
        key: MetaKey,
        /// Where to.
        dreg: Register,
    },
    /// From a register.
    Set {
        /// What.
        key: MetaKey,
        /// Where from.
        sreg: Register,
    },
}

impl Meta {
    /// Into a register.
    #[must_use]
    pub fn load(key: MetaKey, dreg: Register) -> Self {
        Meta::Load { key, dreg }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        match self {
            Meta::Load { key, dreg } => {
                let data_type = key.data_type();
                let term = Term::meta(*key, data_type);
                listing.load(*dreg, data_type.len() as u32, term);
            }
            Meta::Set { key, sreg } => {
                let value = listing.value(*sreg, key.data_type());
                listing.word(format!("{} set {value}", key.word()));
            }
        }
    }
}

impl Expression for Meta {
    const NAME: &'static str = "meta";
    const KNOWN: &'static [u16] = &[NFTA_META_DREG, NFTA_META_KEY, NFTA_META_SREG];

    fn encode(&self, message: &mut MessageBuilder) {
        match self {
            Meta::Load { key, dreg } => {
                message.put_be32(NFTA_META_KEY, key.number());
                put_register(message, NFTA_META_DREG, *dreg);
            }
            Meta::Set { key, sreg } => {
                message.put_be32(NFTA_META_KEY, key.number());
                put_register(message, NFTA_META_SREG, *sreg);
            }
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let key = MetaKey::from_number(attributes.need_be32(NFTA_META_KEY)?);
        match attributes.maybe_register(NFTA_META_SREG)? {
            Some(sreg) => Ok(Meta::Set { key, sreg }),
            None => Ok(Meta::Load { key, dreg: attributes.need_register(NFTA_META_DREG)? }),
        }
    }
}

//! `rt`: what routing found for the packet.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_RT_DREG: u16 = 1;
const NFTA_RT_KEY: u16 = 2;

kernel_numbers! {
    /// What to read (`NFT_RT_*`).
    RtKey {
        /// Realm.
        Classid = 0 "rt classid",
        /// IPv4 gateway.
        Nexthop4 = 1 "rt ip nexthop",
        /// IPv6 gateway.
        Nexthop6 = 2 "rt ip6 nexthop",
        /// Largest segment of TCP that fits the path.
        Tcpmss = 3 "rt mtu",
        /// Whether IPsec will handle it.
        Xfrm = 4 "rt ipsec",
    }
}

/// `rt classid`, `rt ip nexthop`, `rt mtu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rt {
    /// What.
    pub key: RtKey,
    /// Where to.
    pub dreg: Register,
}

impl Rt {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let data_type = match self.key {
            RtKey::Classid => DataType::Realm,
            RtKey::Nexthop4 => DataType::Ipv4Addr,
            RtKey::Nexthop6 => DataType::Ipv6Addr,
            RtKey::Xfrm => DataType::Boolean,
            RtKey::Tcpmss | RtKey::Other(_) => DataType::HostInteger,
        };
        let term = Term::plain(self.key.word(), data_type);
        listing.load(self.dreg, data_type.len() as u32, term);
    }
}

impl Expression for Rt {
    const NAME: &'static str = "rt";
    const KNOWN: &'static [u16] = &[NFTA_RT_DREG, NFTA_RT_KEY];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_RT_KEY, self.key.number());
        put_register(message, NFTA_RT_DREG, self.dreg);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Rt {
            key: RtKey::from_number(attributes.need_be32(NFTA_RT_KEY)?),
            dreg: attributes.need_register(NFTA_RT_DREG)?,
        })
    }
}

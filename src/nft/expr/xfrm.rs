//! `xfrm`: how IPsec handled the packet, or will.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_XFRM_DREG: u16 = 1;
const NFTA_XFRM_KEY: u16 = 2;
const NFTA_XFRM_DIR: u16 = 3;
const NFTA_XFRM_SPNUM: u16 = 4;

kernel_numbers! {
    /// What to read of a transformation (`NFT_XFRM_KEY_*`).
    XfrmKey {
        /// IPv4 destination of the tunnel.
        DaddrIp4 = 1 "ip daddr",
        /// IPv6 destination of the tunnel.
        DaddrIp6 = 2 "ip6 daddr",
        /// IPv4 source of the tunnel.
        SaddrIp4 = 3 "ip saddr",
        /// IPv6 source of the tunnel.
        SaddrIp6 = 4 "ip6 saddr",
        /// The number of the request that made it.
        Reqid = 5 "reqid",
        /// Security parameters index.
        Spi = 6 "spi",
    }
}

kernel_numbers! {
    /// Of which policy (`XFRM_POLICY_*`).
    XfrmDirection {
        /// By which the packet came in.
        In = 0 "in",
        /// By which it will leave.
        Out = 1 "out",
    }
}

/// `ipsec in reqid`, `ipsec out spnum 1 ip daddr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xfrm {
    /// Where to.
    pub dreg: Register,
    /// What.
    pub key: XfrmKey,
    /// On the way in or out.
    pub direction: XfrmDirection,
    /// Which of several transformations, from 0.
    pub spnum: u32,
}

impl Xfrm {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let data_type = match self.key {
            XfrmKey::DaddrIp4 | XfrmKey::SaddrIp4 => DataType::Ipv4Addr,
            XfrmKey::DaddrIp6 | XfrmKey::SaddrIp6 => DataType::Ipv6Addr,
            XfrmKey::Spi => DataType::Integer(4),
            XfrmKey::Reqid | XfrmKey::Other(_) => DataType::HostInteger,
        };
        let spnum = match self.spnum {
            0 => String::new(),
            number => format!(" spnum {number}"),
        };
        let text = format!("ipsec {}{spnum} {}", self.direction.word(), self.key.word());
        listing.load(self.dreg, data_type.len() as u32, Term::plain(text, data_type));
    }
}

impl Expression for Xfrm {
    const NAME: &'static str = "xfrm";
    const KNOWN: &'static [u16] = &[NFTA_XFRM_DREG, NFTA_XFRM_KEY, NFTA_XFRM_DIR, NFTA_XFRM_SPNUM];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_XFRM_DREG, self.dreg);
        message.put_be32(NFTA_XFRM_KEY, self.key.number());
        // The kernel's attribute is one byte.
        message.put_u8(NFTA_XFRM_DIR, u8::try_from(self.direction.number()).unwrap_or(0));
        message.put_be32(NFTA_XFRM_SPNUM, self.spnum);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let direction = attributes.need(NFTA_XFRM_DIR, "xfrm without a direction")?.u8()?;
        Ok(Xfrm {
            dreg: attributes.need_register(NFTA_XFRM_DREG)?,
            key: XfrmKey::from_number(attributes.need_be32(NFTA_XFRM_KEY)?),
            direction: XfrmDirection::from_number(u32::from(direction)),
            spnum: attributes.maybe_be32(NFTA_XFRM_SPNUM)?.unwrap_or(0),
        })
    }
}

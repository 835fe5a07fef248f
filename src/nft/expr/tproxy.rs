//! `tproxy`: hands the packet to a listening socket without changing it.

use super::nat::nat_target;
use super::{Expression, Fields, Register, put_maybe};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;
use crate::nft::{DataType, Family};

const NFTA_TPROXY_FAMILY: u16 = 1;
const NFTA_TPROXY_REG_ADDR: u16 = 2;
const NFTA_TPROXY_REG_PORT: u16 = 3;

/// `tproxy to :3128`, `tproxy ip to 127.0.0.1:3128`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tproxy {
    /// Of packets of this family; `Family::Other(0)` for both in an `inet` table.
    pub family: Family,
    /// The socket's address; that of the incoming interface where there is none.
    pub address: Option<Register>,
    /// Its port; the packet's where there is none.
    pub port: Option<Register>,
}

impl Tproxy {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let data_type = match self.family {
            Family::Ip6 => DataType::Ipv6Addr,
            _ => DataType::Ipv4Addr,
        };
        let address = self.address.map(|register| (register, register, data_type));
        let family = match self.family {
            Family::Ip | Family::Ip6 if listing.is_dual_stack() => format!(" {}", self.family),
            _ => String::new(),
        };
        let mut target = nat_target(listing, address, self.port.map(|port| (port, port)));
        if data_type == DataType::Ipv6Addr && address.is_some() && self.port.is_none() {
            target = format!("[{target}]");
        }
        listing.word(format!("tproxy{family} to {target}"));
    }
}

impl Expression for Tproxy {
    const NAME: &'static str = "tproxy";
    const KNOWN: &'static [u16] = &[NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_ADDR, NFTA_TPROXY_REG_PORT];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_TPROXY_FAMILY, u32::from(self.family.number()));
        put_maybe(message, NFTA_TPROXY_REG_ADDR, self.address);
        put_maybe(message, NFTA_TPROXY_REG_PORT, self.port);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let family = attributes.need_be32(NFTA_TPROXY_FAMILY)?;
        Ok(Tproxy {
            family: Family::from_number(u8::try_from(family).unwrap_or(0)),
            address: attributes.maybe_register(NFTA_TPROXY_REG_ADDR)?,
            port: attributes.maybe_register(NFTA_TPROXY_REG_PORT)?,
        })
    }
}

//! `fwd`: sends the packet out of another interface, in `netdev` tables.

use super::{Expression, Fields, Register, put_maybe, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;
use crate::nft::{DataType, Family};

const NFTA_FWD_SREG_DEV: u16 = 1;
const NFTA_FWD_SREG_ADDR: u16 = 2;
const NFTA_FWD_NFPROTO: u16 = 3;

/// `fwd to "eth1"`, `fwd ip to 10.0.0.9 device "eth1"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fwd {
    /// The index of the interface.
    pub device: Register,
    /// The neighbour, and its family.
    pub address: Option<(Register, Family)>,
}

impl Fwd {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let device = listing.value(self.device, DataType::IfaceIndex);
        let text = match self.address {
            None => format!("fwd to {device}"),
            Some((register, family)) => {
                let data_type = match family {
                    Family::Ip6 => DataType::Ipv6Addr,
                    _ => DataType::Ipv4Addr,
                };
                let address = listing.value(register, data_type);
                format!("fwd {family} to {address} device {device}")
            }
        };
        listing.word(text);
    }
}

impl Expression for Fwd {
    const NAME: &'static str = "fwd";
    const KNOWN: &'static [u16] = &[NFTA_FWD_SREG_DEV, NFTA_FWD_SREG_ADDR, NFTA_FWD_NFPROTO];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_FWD_SREG_DEV, self.device);
        put_maybe(message, NFTA_FWD_SREG_ADDR, self.address.map(|(register, _)| register));
        if let Some((_, family)) = self.address {
            message.put_be32(NFTA_FWD_NFPROTO, u32::from(family.number()));
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let address = match attributes.maybe_register(NFTA_FWD_SREG_ADDR)? {
            Some(register) => {
                let number = attributes.need_be32(NFTA_FWD_NFPROTO)?;
                Some((register, Family::from_number(u8::try_from(number).unwrap_or(0))))
            }
            None => None,
        };
        Ok(Fwd { device: attributes.need_register(NFTA_FWD_SREG_DEV)?, address })
    }
}

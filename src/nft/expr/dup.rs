//! `dup`: sends a copy of the packet elsewhere.

use super::{Expression, Fields, Register, put_maybe};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;
use crate::nft::{DataType, Family};

const NFTA_DUP_SREG_ADDR: u16 = 1;
const NFTA_DUP_SREG_DEV: u16 = 2;

/// `dup to 10.0.0.9 device "eth1"` in `ip` and `ip6` tables, `dup to "eth1"` in `netdev` ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dup {
    /// The gateway, in the family of the table.
    pub address: Option<Register>,
    /// The index of the interface.
    pub device: Option<Register>,
}

impl Dup {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let address = match listing.family() {
            Family::Ip6 => DataType::Ipv6Addr,
            _ => DataType::Ipv4Addr,
        };
        let address = self.address.map(|register| listing.value(register, address));
        let device = self.device.map(|register| listing.value(register, DataType::IfaceIndex));
        listing.word(match (address, device) {
            (Some(address), Some(device)) => format!("dup to {address} device {device}"),
            (Some(only), None) | (None, Some(only)) => format!("dup to {only}"),
            (None, None) => "dup".to_owned(),
        });
    }
}

impl Expression for Dup {
    const NAME: &'static str = "dup";
    const KNOWN: &'static [u16] = &[NFTA_DUP_SREG_ADDR, NFTA_DUP_SREG_DEV];

    fn encode(&self, message: &mut MessageBuilder) {
        put_maybe(message, NFTA_DUP_SREG_ADDR, self.address);
        put_maybe(message, NFTA_DUP_SREG_DEV, self.device);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Dup {
            address: attributes.maybe_register(NFTA_DUP_SREG_ADDR)?,
            device: attributes.maybe_register(NFTA_DUP_SREG_DEV)?,
        })
    }
}

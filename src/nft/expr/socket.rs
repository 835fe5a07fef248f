//! `socket`: what the socket is that a packet is for.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_SOCKET_KEY: u16 = 1;
const NFTA_SOCKET_DREG: u16 = 2;
const NFTA_SOCKET_LEVEL: u16 = 3;

kernel_numbers! {
    /// What to read (`NFT_SOCKET_*`).
    SocketKey {
        /// Whether it may have an address that is not this host's.
        Transparent = 0 "transparent",
        /// Its mark.
        Mark = 1 "mark",
        /// Whether it listens on any address.
        Wildcard = 2 "wildcard",
        /// Its control group, or one above it.
        CgroupV2 = 3 "cgroupv2",
    }
}

/// `socket transparent`, `socket cgroupv2 level 2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What.
    pub key: SocketKey,
    /// Where to.
    pub dreg: Register,
    /// How many levels below the root the control group is.
    pub level: Option<u32>,
}

impl Socket {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let data_type = match self.key {
            SocketKey::Mark => DataType::Mark,
            SocketKey::CgroupV2 => DataType::CgroupV2,
            SocketKey::Transparent | SocketKey::Wildcard | SocketKey::Other(_) => {
                DataType::Integer(1)
            }
        };
        let level = self.level.map(|level| format!(" level {level}")).unwrap_or_default();
        let text = format!("socket {}{level}", self.key.word());
        listing.load(self.dreg, data_type.len() as u32, Term::plain(text, data_type));
    }
}

impl Expression for Socket {
    const NAME: &'static str = "socket";
    const KNOWN: &'static [u16] = &[NFTA_SOCKET_KEY, NFTA_SOCKET_DREG, NFTA_SOCKET_LEVEL];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_SOCKET_KEY, self.key.number());
        put_register(message, NFTA_SOCKET_DREG, self.dreg);
        if let Some(level) = self.level {
            message.put_be32(NFTA_SOCKET_LEVEL, level);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Socket {
            key: SocketKey::from_number(attributes.need_be32(NFTA_SOCKET_KEY)?),
            dreg: attributes.need_register(NFTA_SOCKET_DREG)?,
            level: attributes.maybe_be32(NFTA_SOCKET_LEVEL)?,
        })
    }
}

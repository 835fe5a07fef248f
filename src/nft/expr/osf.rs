//! `osf`: guesses the sender's operating system by its SYN.

use super::{Expression, Fields, Register, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_OSF_DREG: u16 = 1;
const NFTA_OSF_TTL: u16 = 2;
const NFTA_OSF_FLAGS: u16 = 3;
const NFT_OSF_F_VERSION: u32 = 1;

/// `osf name`, `osf ttl skip version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Osf {
    /// Where to.
    pub dreg: Register,
    /// How the TTL is compared: 0 exactly, 1 up to that of the fingerprint, 2 not at all.
    pub ttl: u8,
    /// Whether the version follows the name: `Linux:3.1`.
    pub version: bool,
}

impl Osf {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let ttl = match self.ttl {
            0 => "",
            1 => " ttl loose",
            _ => " ttl skip",
        };
        let what = if self.version { "version" } else { "name" };
        // A string of 16 bytes, as names of interfaces are.
        let term = Term::plain(format!("osf{ttl} {what}"), DataType::Ifname);
        listing.load(self.dreg, DataType::Ifname.len() as u32, term);
    }
}

impl Expression for Osf {
    const NAME: &'static str = "osf";
    const KNOWN: &'static [u16] = &[NFTA_OSF_DREG, NFTA_OSF_TTL, NFTA_OSF_FLAGS];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_u8(NFTA_OSF_TTL, self.ttl);
        // The kernel lists flags of 0, and refuses them.
        if self.version {
            message.put_be32(NFTA_OSF_FLAGS, NFT_OSF_F_VERSION);
        }
        put_register(message, NFTA_OSF_DREG, self.dreg);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let ttl = attributes.find(NFTA_OSF_TTL).map(|ttl| ttl.u8()).transpose()?;
        let flags = attributes.maybe_be32(NFTA_OSF_FLAGS)?.unwrap_or(0);
        Ok(Osf {
            dreg: attributes.need_register(NFTA_OSF_DREG)?,
            ttl: ttl.unwrap_or(0),
            version: flags & NFT_OSF_F_VERSION != 0,
        })
    }
}

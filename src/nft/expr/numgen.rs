//! `numgen`: numbers in turn, or at random.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_NG_DREG: u16 = 1;
const NFTA_NG_MODULUS: u16 = 2;
const NFTA_NG_TYPE: u16 = 3;
const NFTA_NG_OFFSET: u16 = 4;

kernel_numbers! {
    /// How (`NFT_NG_*`).
    NumgenKind {
        /// One after the other.
        Incremental = 0 "inc",
        /// At random.
        Random = 1 "random",
    }
}

/// `numgen random mod 4 offset 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numgen {
    /// Where to.
    pub dreg: Register,
    /// How many different numbers.
    pub modulus: u32,
    /// How.
    pub kind: NumgenKind,
    /// The lowest number.
    pub offset: u32,
}

impl Numgen {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let offset = match self.offset {
            0 => String::new(),
            offset => format!(" offset {offset}"),
        };
        let text = format!("numgen {} mod {}{offset}", self.kind.word(), self.modulus);
        listing.load(self.dreg, 4, Term::plain(text, DataType::HostInteger));
    }
}

impl Expression for Numgen {
    const NAME: &'static str = "numgen";
    const KNOWN: &'static [u16] = &[NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_TYPE, NFTA_NG_OFFSET];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_NG_DREG, self.dreg);
        message.put_be32(NFTA_NG_MODULUS, self.modulus);
        message.put_be32(NFTA_NG_TYPE, self.kind.number());
        message.put_be32(NFTA_NG_OFFSET, self.offset);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Numgen {
            dreg: attributes.need_register(NFTA_NG_DREG)?,
            modulus: attributes.need_be32(NFTA_NG_MODULUS)?,
            kind: NumgenKind::from_number(attributes.need_be32(NFTA_NG_TYPE)?),
            offset: attributes.maybe_be32(NFTA_NG_OFFSET)?.unwrap_or(0),
        })
    }
}

//! `range`: compares a register with two bounds at once.

use super::{Expression, Fields, Register, put_data, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_RANGE_SREG: u16 = 1;
const NFTA_RANGE_OP: u16 = 2;
const NFTA_RANGE_FROM_DATA: u16 = 3;
const NFTA_RANGE_TO_DATA: u16 = 4;

/// `tcp dport 80-90`, `tcp dport != 80-90`. nft itself writes the first form as two comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What.
    pub sreg: Register,
    /// Whether it must lie outside.
    pub inverted: bool,
    /// First value inside.
    pub from: Vec<u8>,
    /// Last value inside.
    pub to: Vec<u8>,
}

impl Range {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.compare_range(self.sreg, self.inverted, &self.from, &self.to);
    }
}

impl Expression for Range {
    const NAME: &'static str = "range";
    const KNOWN: &'static [u16] =
        &[NFTA_RANGE_SREG, NFTA_RANGE_OP, NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_RANGE_SREG, self.sreg);
        message.put_be32(NFTA_RANGE_OP, u32::from(self.inverted));
        put_data(message, NFTA_RANGE_FROM_DATA, &self.from);
        put_data(message, NFTA_RANGE_TO_DATA, &self.to);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Range {
            sreg: attributes.need_register(NFTA_RANGE_SREG)?,
            inverted: attributes.need_be32(NFTA_RANGE_OP)? != 0,
            from: attributes.need_data(NFTA_RANGE_FROM_DATA)?,
            to: attributes.need_data(NFTA_RANGE_TO_DATA)?,
        })
    }
}

//! `immediate`: a constant into a register, or a verdict.

use super::{Expression, Fields, NFTA_DATA_VALUE, Register, Verdict, put_data, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_IMMEDIATE_DREG: u16 = 1;
const NFTA_IMMEDIATE_DATA: u16 = 2;

/// `accept`, `jump CHAIN`, or the constant of `dnat to 10.88.0.2:80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Immediate {
    /// A verdict.
    Verdict(Verdict),
    /// A constant.
    Value {
        /// Where to.
        dreg: Register,
        /// What.
        data: Vec<u8>,
    },
}

impl Immediate {
    /// A constant.
    #[must_use]
    pub fn value(dreg: Register, data: impl Into<Vec<u8>>) -> Self {
        Immediate::Value { dreg, data: data.into() }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        match self {
            Immediate::Verdict(verdict) => listing.word(verdict.to_string()),
            Immediate::Value { dreg, data } => listing.constant(*dreg, data),
        }
    }
}

impl Expression for Immediate {
    const NAME: &'static str = "immediate";
    const KNOWN: &'static [u16] = &[NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA];

    fn encode(&self, message: &mut MessageBuilder) {
        match self {
            Immediate::Verdict(verdict) => {
                put_register(message, NFTA_IMMEDIATE_DREG, Register::VERDICT);
                let data = message.nest(NFTA_IMMEDIATE_DATA);
                verdict.encode_data(message);
                message.end(data);
            }
            Immediate::Value { dreg, data } => {
                put_register(message, NFTA_IMMEDIATE_DREG, *dreg);
                put_data(message, NFTA_IMMEDIATE_DATA, data);
            }
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let dreg = attributes.need_register(NFTA_IMMEDIATE_DREG)?;
        let data = attributes.need(NFTA_IMMEDIATE_DATA, "immediate without data")?.nested();
        match data.find(NFTA_DATA_VALUE) {
            Some(value) => Ok(Immediate::Value { dreg, data: value.value.to_vec() }),
            None => Ok(Immediate::Verdict(Verdict::decode_data(data)?)),
        }
    }
}

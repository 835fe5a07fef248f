//! `cmp`: compares a register with a constant; the rule ends where it does not hold.

use super::{Expression, Fields, Register, kernel_numbers, put_data, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_CMP_SREG: u16 = 1;
const NFTA_CMP_OP: u16 = 2;
const NFTA_CMP_DATA: u16 = 3;

kernel_numbers! {
    /// How to compare (`NFT_CMP_*`).
    CmpOp {
        /// Equal.
        Eq = 0 "==",
        /// Not equal.
        Neq = 1 "!=",
        /// Less.
        Lt = 2 "<",
        /// Less or equal.
        Lte = 3 "<=",
        /// Greater.
        Gt = 4 ">",
        /// Greater or equal.
        Gte = 5 ">=",
    }
}

/// `… == value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmp {
    /// What.
    pub sreg: Register,
    /// How.
    pub op: CmpOp,
    /// With what; only so many bytes are compared.
    pub data: Vec<u8>,
}

impl Cmp {
    /// `== data`.
    #[must_use]
    pub fn eq(sreg: Register, data: impl Into<Vec<u8>>) -> Self {
        Cmp { sreg, op: CmpOp::Eq, data: data.into() }
    }

    /// `!= data`.
    #[must_use]
    pub fn neq(sreg: Register, data: impl Into<Vec<u8>>) -> Self {
        Cmp { sreg, op: CmpOp::Neq, data: data.into() }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.compare(self.sreg, self.op, &self.data);
    }
}

impl Expression for Cmp {
    const NAME: &'static str = "cmp";
    const KNOWN: &'static [u16] = &[NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_CMP_SREG, self.sreg);
        message.put_be32(NFTA_CMP_OP, self.op.number());
        put_data(message, NFTA_CMP_DATA, &self.data);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Cmp {
            sreg: attributes.need_register(NFTA_CMP_SREG)?,
            op: CmpOp::from_number(attributes.need_be32(NFTA_CMP_OP)?),
            data: attributes.need_data(NFTA_CMP_DATA)?,
        })
    }
}

//! `byteorder`: swaps a register between host and network order.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_BYTEORDER_SREG: u16 = 1;
const NFTA_BYTEORDER_DREG: u16 = 2;
const NFTA_BYTEORDER_OP: u16 = 3;
const NFTA_BYTEORDER_LEN: u16 = 4;
const NFTA_BYTEORDER_SIZE: u16 = 5;

kernel_numbers! {
    /// Which way (`NFT_BYTEORDER_*`).
    ByteorderOp {
        /// Network to host.
        Ntoh = 0 "ntoh",
        /// Host to network.
        Hton = 1 "hton",
    }
}

/// nft puts it in front of comparisons by size, and a listing shows it only in how constants read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Byteorder {
    /// From where.
    pub sreg: Register,
    /// To where.
    pub dreg: Register,
    /// Which way.
    pub op: ByteorderOp,
    /// Bytes in all.
    pub len: u32,
    /// Bytes of one number.
    pub size: u32,
}

impl Byteorder {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.swap(self.sreg, self.dreg);
    }
}

impl Expression for Byteorder {
    const NAME: &'static str = "byteorder";
    const KNOWN: &'static [u16] = &[
        NFTA_BYTEORDER_SREG,
        NFTA_BYTEORDER_DREG,
        NFTA_BYTEORDER_OP,
        NFTA_BYTEORDER_LEN,
        NFTA_BYTEORDER_SIZE,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_BYTEORDER_SREG, self.sreg);
        put_register(message, NFTA_BYTEORDER_DREG, self.dreg);
        message.put_be32(NFTA_BYTEORDER_OP, self.op.number());
        message.put_be32(NFTA_BYTEORDER_LEN, self.len);
        message.put_be32(NFTA_BYTEORDER_SIZE, self.size);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Byteorder {
            sreg: attributes.need_register(NFTA_BYTEORDER_SREG)?,
            dreg: attributes.need_register(NFTA_BYTEORDER_DREG)?,
            op: ByteorderOp::from_number(attributes.need_be32(NFTA_BYTEORDER_OP)?),
            len: attributes.need_be32(NFTA_BYTEORDER_LEN)?,
            size: attributes.need_be32(NFTA_BYTEORDER_SIZE)?,
        })
    }
}

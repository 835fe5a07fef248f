//! `bitwise`: masks, xors and shifts.

use super::{
    Expression, Fields, NFTA_DATA_VALUE, Register, kernel_numbers, put_data, put_maybe,
    put_register,
};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_BITWISE_SREG: u16 = 1;
const NFTA_BITWISE_DREG: u16 = 2;
const NFTA_BITWISE_LEN: u16 = 3;
const NFTA_BITWISE_MASK: u16 = 4;
const NFTA_BITWISE_XOR: u16 = 5;
const NFTA_BITWISE_OP: u16 = 6;
const NFTA_BITWISE_DATA: u16 = 7;
const NFTA_BITWISE_SREG2: u16 = 8;

kernel_numbers! {
    /// Which way bits go (`NFT_BITWISE_LSHIFT`, `_RSHIFT`).
    ShiftOp {
        /// To the left.
        Left = 1 "<<",
        /// To the right.
        Right = 2 ">>",
    }
}

kernel_numbers! {
    /// How two registers come together (`NFT_BITWISE_AND`, `_OR`, `_XOR`).
    RegisterOp {
        /// Bits that both have.
        And = 3 "&",
        /// Bits that either has.
        Or = 4 "|",
        /// Bits that only one has.
        Xor = 5 "^",
    }
}

/// What to do (`NFT_BITWISE_*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BitwiseOp {
    /// `(sreg & mask) ^ xor`: and, or, xor with constants are all of this form.
    MaskXor {
        /// Bits kept.
        mask: Vec<u8>,
        /// Bits flipped.
        xor: Vec<u8>,
    },
    /// By so many bits.
    Shift {
        /// Which way.
        op: ShiftOp,
        /// How far, as the kernel keeps it.
        data: Vec<u8>,
    },
    /// With a second register (Linux 6.13). nft 1.0.6 aborts when it lists one.
    Registers {
        /// How.
        op: RegisterOp,
        /// The second operand; a constant where there is none.
        sreg2: Option<Register>,
        /// The constant.
        data: Option<Vec<u8>>,
    },
}

/// One operation on a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitwise {
    /// From where.
    pub sreg: Register,
    /// To where.
    pub dreg: Register,
    /// Bytes.
    pub len: u32,
    /// What.
    pub op: BitwiseOp,
}

impl Bitwise {
    /// `reg & mask`, in place.
    #[must_use]
    pub fn and(register: Register, mask: Vec<u8>) -> Self {
        let xor = vec![0; mask.len()];
        Bitwise::mask_xor(register, mask, xor)
    }

    /// `reg | bits` of a number in host order, in place.
    #[must_use]
    pub fn or_u32(register: Register, bits: u32) -> Self {
        Bitwise::mask_xor(register, (!bits).to_ne_bytes().to_vec(), bits.to_ne_bytes().to_vec())
    }

    /// `(reg & mask) ^ xor`, in place.
    #[must_use]
    pub fn mask_xor(register: Register, mask: Vec<u8>, xor: Vec<u8>) -> Self {
        Bitwise {
            sreg: register,
            dreg: register,
            len: mask.len() as u32,
            op: BitwiseOp::MaskXor { mask, xor },
        }
    }

    /// Shifts a number in host order by so many bits, in place.
    #[must_use]
    pub fn shift_u32(register: Register, op: ShiftOp, by: u32) -> Self {
        let op = BitwiseOp::Shift { op, data: by.to_ne_bytes().to_vec() };
        Bitwise { sreg: register, dreg: register, len: 4, op }
    }

    /// `left OP right` of so many bytes, into `left`: `ct mark set ct mark | meta mark`. Needs
    /// Linux 6.13.
    #[must_use]
    pub fn registers(left: Register, op: RegisterOp, right: Register, len: u32) -> Self {
        let op = BitwiseOp::Registers { op, sreg2: Some(right), data: None };
        Bitwise { sreg: left, dreg: left, len, op }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.bitwise(self);
    }
}

impl Expression for Bitwise {
    const NAME: &'static str = "bitwise";
    const KNOWN: &'static [u16] = &[
        NFTA_BITWISE_SREG,
        NFTA_BITWISE_DREG,
        NFTA_BITWISE_LEN,
        NFTA_BITWISE_MASK,
        NFTA_BITWISE_XOR,
        NFTA_BITWISE_OP,
        NFTA_BITWISE_DATA,
        NFTA_BITWISE_SREG2,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_BITWISE_SREG, self.sreg);
        if let BitwiseOp::Registers { sreg2, .. } = &self.op {
            put_maybe(message, NFTA_BITWISE_SREG2, *sreg2);
        }
        put_register(message, NFTA_BITWISE_DREG, self.dreg);
        message.put_be32(NFTA_BITWISE_LEN, self.len);
        match &self.op {
            BitwiseOp::MaskXor { mask, xor } => {
                message.put_be32(NFTA_BITWISE_OP, 0);
                put_data(message, NFTA_BITWISE_MASK, mask);
                put_data(message, NFTA_BITWISE_XOR, xor);
            }
            BitwiseOp::Shift { op, data } => {
                message.put_be32(NFTA_BITWISE_OP, op.number());
                put_data(message, NFTA_BITWISE_DATA, data);
            }
            BitwiseOp::Registers { op, data, .. } => {
                message.put_be32(NFTA_BITWISE_OP, op.number());
                if let Some(data) = data {
                    put_data(message, NFTA_BITWISE_DATA, data);
                }
            }
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let op = match attributes.maybe_be32(NFTA_BITWISE_OP)?.unwrap_or(0) {
            0 => BitwiseOp::MaskXor {
                mask: attributes.need_data(NFTA_BITWISE_MASK)?,
                xor: attributes.need_data(NFTA_BITWISE_XOR)?,
            },
            op @ (1 | 2) => BitwiseOp::Shift {
                op: ShiftOp::from_number(op),
                data: attributes.need_data(NFTA_BITWISE_DATA)?,
            },
            op => BitwiseOp::Registers {
                op: RegisterOp::from_number(op),
                sreg2: attributes.maybe_register(NFTA_BITWISE_SREG2)?,
                data: attributes
                    .find(NFTA_BITWISE_DATA)
                    .and_then(|data| data.nested().find(NFTA_DATA_VALUE))
                    .map(|value| value.value.to_vec()),
            },
        };
        Ok(Bitwise {
            sreg: attributes.need_register(NFTA_BITWISE_SREG)?,
            dreg: attributes.need_register(NFTA_BITWISE_DREG)?,
            len: attributes.need_be32(NFTA_BITWISE_LEN)?,
            op,
        })
    }
}

//! `exthdr`: extension headers of IPv6, options of IPv4 and TCP, chunks of SCTP.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_EXTHDR_DREG: u16 = 1;
const NFTA_EXTHDR_TYPE: u16 = 2;
const NFTA_EXTHDR_OFFSET: u16 = 3;
const NFTA_EXTHDR_LEN: u16 = 4;
const NFTA_EXTHDR_FLAGS: u16 = 5;
const NFTA_EXTHDR_OP: u16 = 6;
const NFTA_EXTHDR_SREG: u16 = 7;
const NFT_EXTHDR_F_PRESENT: u32 = 1;

kernel_numbers! {
    /// Where to look (`NFT_EXTHDR_OP_*`).
    ExthdrOp {
        /// Extension headers of IPv6, by protocol number.
        Ipv6 = 0 "exthdr",
        /// Options of TCP, by kind.
        TcpOption = 1 "tcp option",
        /// Options of IPv4, by type.
        Ipv4Option = 2 "ip option",
        /// Chunks of SCTP, by type.
        SctpChunk = 3 "sctp chunk",
        /// Options of DCCP, by type (Linux 6.5).
        DccpOption = 4 "dccp option",
    }
}

/// Which header or option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// Among which.
    pub op: ExthdrOp,
    /// Its number there.
    pub kind: u8,
}

/// `tcp option maxseg size`, `exthdr frag exists`, `reset tcp option sack-perm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exthdr {
    /// Bytes of it into a register.
    Load {
        /// Of which.
        of: Extension,
        /// Bytes from its start.
        offset: u32,
        /// How many.
        len: u32,
        /// Where to.
        dreg: Register,
    },
    /// Whether it is there, 0 or 1, into a register.
    Exists {
        /// Which.
        of: Extension,
        /// Where to.
        dreg: Register,
    },
    /// Bytes of an option of TCP from a register; nothing where the option is not there.
    Write {
        /// Of which.
        of: Extension,
        /// Bytes from its start.
        offset: u32,
        /// How many, 2 or 4.
        len: u32,
        /// Where from.
        sreg: Register,
    },
    /// Overwrites an option of TCP with no-operations (Linux 5.18).
    Reset {
        /// Which.
        of: Extension,
    },
}

impl Exthdr {
    /// `tcp option maxseg size`: where it is in the option.
    pub const MAXSEG_SIZE: (u32, u32) = (2, 2);
    /// The kind of the option `maxseg`.
    pub const MAXSEG: Extension = Extension { op: ExthdrOp::TcpOption, kind: 2 };

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        match self {
            Exthdr::Load { of, offset, len, dreg } => {
                let term = listing.extension_field(*of, *offset, *len);
                listing.load(*dreg, *len, term);
            }
            Exthdr::Exists { of, dreg } => {
                let term = listing.extension(*of);
                listing.load(*dreg, 1, term);
            }
            Exthdr::Write { of, offset, len, sreg } => {
                let field = listing.extension_field(*of, *offset, *len);
                let value = listing.value(*sreg, field.data_type);
                listing.word(format!("{} set {value}", field.text));
            }
            Exthdr::Reset { of } => {
                let text = listing.extension(*of).text;
                listing.word(format!("reset {text}"));
            }
        }
    }

    fn extension(&self) -> Extension {
        match self {
            Exthdr::Load { of, .. }
            | Exthdr::Exists { of, .. }
            | Exthdr::Write { of, .. }
            | Exthdr::Reset { of } => *of,
        }
    }
}

impl Expression for Exthdr {
    const NAME: &'static str = "exthdr";
    const KNOWN: &'static [u16] = &[
        NFTA_EXTHDR_DREG,
        NFTA_EXTHDR_TYPE,
        NFTA_EXTHDR_OFFSET,
        NFTA_EXTHDR_LEN,
        NFTA_EXTHDR_FLAGS,
        NFTA_EXTHDR_OP,
        NFTA_EXTHDR_SREG,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        let (offset, len) = match self {
            Exthdr::Load { offset, len, dreg, .. } => {
                put_register(message, NFTA_EXTHDR_DREG, *dreg);
                (*offset, *len)
            }
            Exthdr::Exists { dreg, .. } => {
                put_register(message, NFTA_EXTHDR_DREG, *dreg);
                (0, 1)
            }
            Exthdr::Write { offset, len, sreg, .. } => {
                put_register(message, NFTA_EXTHDR_SREG, *sreg);
                (*offset, *len)
            }
            Exthdr::Reset { .. } => (0, 0),
        };
        let Extension { op, kind } = self.extension();
        message.put_u8(NFTA_EXTHDR_TYPE, kind);
        // The kernel lists all of them, and refuses those that do not belong to the form.
        if !matches!(self, Exthdr::Reset { .. }) {
            message.put_be32(NFTA_EXTHDR_OFFSET, offset);
            message.put_be32(NFTA_EXTHDR_LEN, len);
        }
        match self {
            Exthdr::Load { .. } => message.put_be32(NFTA_EXTHDR_FLAGS, 0),
            Exthdr::Exists { .. } => message.put_be32(NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT),
            Exthdr::Write { .. } | Exthdr::Reset { .. } => {}
        }
        message.put_be32(NFTA_EXTHDR_OP, op.number());
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let kind = attributes.need(NFTA_EXTHDR_TYPE, "exthdr without a type")?.u8()?;
        let op = ExthdrOp::from_number(attributes.maybe_be32(NFTA_EXTHDR_OP)?.unwrap_or(0));
        let of = Extension { op, kind };
        let offset = attributes.maybe_be32(NFTA_EXTHDR_OFFSET)?.unwrap_or(0);
        let len = attributes.maybe_be32(NFTA_EXTHDR_LEN)?.unwrap_or(0);
        let flags = attributes.maybe_be32(NFTA_EXTHDR_FLAGS)?.unwrap_or(0);
        let sreg = attributes.maybe_register(NFTA_EXTHDR_SREG)?;
        Ok(match (sreg, attributes.maybe_register(NFTA_EXTHDR_DREG)?) {
            (Some(sreg), _) => Exthdr::Write { of, offset, len, sreg },
            (None, Some(dreg)) if flags & NFT_EXTHDR_F_PRESENT != 0 => Exthdr::Exists { of, dreg },
            (None, Some(dreg)) => Exthdr::Load { of, offset, len, dreg },
            (None, None) => Exthdr::Reset { of },
        })
    }
}

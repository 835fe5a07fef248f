//! `hash`: a number that is always the same for the same bytes, or for the same flow.

use super::{Expression, Fields, Register, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::DataType;
use crate::nft::listing::{RuleListing, Term};

const NFTA_HASH_SREG: u16 = 1;
const NFTA_HASH_DREG: u16 = 2;
const NFTA_HASH_LEN: u16 = 3;
const NFTA_HASH_MODULUS: u16 = 4;
const NFTA_HASH_SEED: u16 = 5;
const NFTA_HASH_OFFSET: u16 = 6;
const NFTA_HASH_TYPE: u16 = 7;
const NFT_HASH_JENKINS: u32 = 0;
const NFT_HASH_SYM: u32 = 1;

/// Of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKind {
    /// Of registers, by Jenkins' function.
    Jenkins {
        /// The first register.
        sreg: Register,
        /// How many bytes.
        len: u32,
        /// What it begins with; the kernel chooses where there is none.
        seed: Option<u32>,
    },
    /// Of the flow, the same for both directions.
    Symmetric,
}

/// `jhash ip saddr . tcp dport mod 8 seed 0x1 offset 2`, `symhash mod 2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    /// Of what.
    pub kind: HashKind,
    /// Where to.
    pub dreg: Register,
    /// How many different numbers.
    pub modulus: u32,
    /// The lowest number.
    pub offset: u32,
}

impl Hash {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let mut text = match &self.kind {
            HashKind::Jenkins { sreg, len, .. } => format!("jhash {}", listing.terms(*sreg, *len)),
            HashKind::Symmetric => "symhash".to_owned(),
        };
        text.push_str(&format!(" mod {}", self.modulus));
        if let HashKind::Jenkins { seed: Some(seed), .. } = &self.kind {
            text.push_str(&format!(" seed {seed:#x}"));
        }
        if self.offset != 0 {
            text.push_str(&format!(" offset {}", self.offset));
        }
        listing.load(self.dreg, 4, Term::plain(text, DataType::HostInteger));
    }
}

impl Expression for Hash {
    const NAME: &'static str = "hash";
    const KNOWN: &'static [u16] = &[
        NFTA_HASH_SREG,
        NFTA_HASH_DREG,
        NFTA_HASH_LEN,
        NFTA_HASH_MODULUS,
        NFTA_HASH_SEED,
        NFTA_HASH_OFFSET,
        NFTA_HASH_TYPE,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        if let HashKind::Jenkins { sreg, .. } = &self.kind {
            put_register(message, NFTA_HASH_SREG, *sreg);
        }
        put_register(message, NFTA_HASH_DREG, self.dreg);
        if let HashKind::Jenkins { len, .. } = &self.kind {
            message.put_be32(NFTA_HASH_LEN, *len);
        }
        message.put_be32(NFTA_HASH_MODULUS, self.modulus);
        if let HashKind::Jenkins { seed: Some(seed), .. } = &self.kind {
            message.put_be32(NFTA_HASH_SEED, *seed);
        }
        if self.offset != 0 {
            message.put_be32(NFTA_HASH_OFFSET, self.offset);
        }
        let kind = match self.kind {
            HashKind::Jenkins { .. } => NFT_HASH_JENKINS,
            HashKind::Symmetric => NFT_HASH_SYM,
        };
        message.put_be32(NFTA_HASH_TYPE, kind);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let kind = match attributes.maybe_be32(NFTA_HASH_TYPE)? {
            Some(NFT_HASH_SYM) => HashKind::Symmetric,
            Some(_) | None => HashKind::Jenkins {
                sreg: attributes.need_register(NFTA_HASH_SREG)?,
                len: attributes.need_be32(NFTA_HASH_LEN)?,
                seed: attributes.maybe_be32(NFTA_HASH_SEED)?,
            },
        };
        Ok(Hash {
            kind,
            dreg: attributes.need_register(NFTA_HASH_DREG)?,
            modulus: attributes.need_be32(NFTA_HASH_MODULUS)?,
            offset: attributes.maybe_be32(NFTA_HASH_OFFSET)?.unwrap_or(0),
        })
    }
}

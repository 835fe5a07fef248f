//! `limit`: matches up to a rate.

use super::{Expression, Fields, kernel_numbers};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_LIMIT_RATE: u16 = 1;
const NFTA_LIMIT_UNIT: u16 = 2;
const NFTA_LIMIT_BURST: u16 = 3;
const NFTA_LIMIT_TYPE: u16 = 4;
const NFTA_LIMIT_FLAGS: u16 = 5;
const NFTA_LIMIT_PAD: u16 = 6;
const NFT_LIMIT_F_INV: u32 = 1;

kernel_numbers! {
    /// What is counted (`NFT_LIMIT_*`).
    LimitKind {
        /// Packets.
        Packets = 0 "packets",
        /// Bytes.
        Bytes = 1 "bytes",
    }
}

/// `limit rate 10/second burst 5 packets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// How many in a unit.
    pub rate: u64,
    /// The unit in seconds: 1, 60, 3,600, 86,400 or 604,800.
    pub unit: u64,
    /// How many at once.
    pub burst: u32,
    /// Packets or bytes.
    pub kind: LimitKind,
    /// Whether it matches above the rate instead (`over`).
    pub over: bool,
}

impl Limit {
    /// Puts the attributes that expressions and objects share.
    pub(in crate::nft) fn put(&self, message: &mut MessageBuilder) {
        self.encode(message);
    }

    /// Reads the attributes that expressions and objects share.
    pub(in crate::nft) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Limit::decode(attributes)
    }

    /// `rate 10/second burst 7 packets`, as expressions and objects list it.
    pub(in crate::nft) fn text(&self) -> String {
        let unit = match self.unit {
            1 => "second",
            60 => "minute",
            3_600 => "hour",
            86_400 => "day",
            604_800 => "week",
            _ => "unknown",
        };
        let over = if self.over { "over " } else { "" };
        match self.kind {
            LimitKind::Bytes => {
                let (rate, scale) = scaled(self.rate);
                let burst = match scaled(u64::from(self.burst)) {
                    (0, _) => String::new(),
                    (burst, scale) => format!(" burst {burst} {scale}"),
                };
                format!("rate {over}{rate} {scale}/{unit}{burst}")
            }
            LimitKind::Packets | LimitKind::Other(_) => {
                let burst = match self.burst {
                    // What nft asks for where the user says nothing.
                    0 | 5 => String::new(),
                    burst => format!(" burst {burst} packets"),
                };
                format!("rate {over}{}/{unit}{burst}", self.rate)
            }
        }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.word(format!("limit {}", self.text()));
    }
}

/// The largest unit that leaves no remainder, as nft prints rates.
pub(super) fn scaled(bytes: u64) -> (u64, &'static str) {
    match bytes {
        0 => (0, "bytes"),
        bytes if bytes.is_multiple_of(1 << 20) => (bytes >> 20, "mbytes"),
        bytes if bytes.is_multiple_of(1 << 10) => (bytes >> 10, "kbytes"),
        bytes => (bytes, "bytes"),
    }
}

impl Expression for Limit {
    const NAME: &'static str = "limit";
    const KNOWN: &'static [u16] = &[
        NFTA_LIMIT_RATE,
        NFTA_LIMIT_UNIT,
        NFTA_LIMIT_BURST,
        NFTA_LIMIT_TYPE,
        NFTA_LIMIT_FLAGS,
        NFTA_LIMIT_PAD,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be64(NFTA_LIMIT_RATE, self.rate);
        message.put_be64(NFTA_LIMIT_UNIT, self.unit);
        message.put_be32(NFTA_LIMIT_BURST, self.burst);
        message.put_be32(NFTA_LIMIT_TYPE, self.kind.number());
        message.put_be32(NFTA_LIMIT_FLAGS, if self.over { NFT_LIMIT_F_INV } else { 0 });
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let flags = attributes.maybe_be32(NFTA_LIMIT_FLAGS)?.unwrap_or(0);
        Ok(Limit {
            rate: attributes.need(NFTA_LIMIT_RATE, "limit without a rate")?.be64()?,
            unit: attributes.need(NFTA_LIMIT_UNIT, "limit without a unit")?.be64()?,
            burst: attributes.maybe_be32(NFTA_LIMIT_BURST)?.unwrap_or(0),
            kind: LimitKind::from_number(attributes.maybe_be32(NFTA_LIMIT_TYPE)?.unwrap_or(0)),
            over: flags & NFT_LIMIT_F_INV != 0,
        })
    }
}

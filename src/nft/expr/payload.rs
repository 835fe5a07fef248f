//! `payload`: bytes of the packet, loaded into a register or written from one.

use super::{Expression, Fields, Register, kernel_numbers, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_PAYLOAD_DREG: u16 = 1;
const NFTA_PAYLOAD_BASE: u16 = 2;
const NFTA_PAYLOAD_OFFSET: u16 = 3;
const NFTA_PAYLOAD_LEN: u16 = 4;
pub(super) const NFTA_PAYLOAD_SREG: u16 = 5;
const NFTA_PAYLOAD_CSUM_TYPE: u16 = 6;
const NFTA_PAYLOAD_CSUM_OFFSET: u16 = 7;
const NFTA_PAYLOAD_CSUM_FLAGS: u16 = 8;

kernel_numbers! {
    /// Where an offset counts from (`NFT_PAYLOAD_*_HEADER`).
    PayloadBase {
        /// Link layer: `ether …`, `@ll`.
        Link = 0 "ll",
        /// Network layer: `ip …`, `ip6 …`, `@nh`.
        Network = 1 "nh",
        /// Transport layer: `tcp …`, `th …`, `@th`.
        Transport = 2 "th",
    }
}

/// Loads bytes: `ip saddr`, `th dport`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Where to.
    pub dreg: Register,
    /// From which header.
    pub base: PayloadBase,
    /// Bytes from its start.
    pub offset: u32,
    /// How many, at most 16.
    pub len: u32,
}

/// Which checksum to mend after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// `NFT_PAYLOAD_CSUM_*`: 0 none, 1 Internet checksum, 2 SCTP.
    pub kind: u32,
    /// Where it is, in bytes from the base.
    pub offset: u32,
    /// 1: a pseudo header's checksum above changes too.
    pub flags: u32,
}

/// Writes bytes: `ip dscp set cs1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadWrite {
    /// Where from.
    pub sreg: Register,
    /// Into which header.
    pub base: PayloadBase,
    /// Bytes from its start.
    pub offset: u32,
    /// How many.
    pub len: u32,
    /// The checksum.
    pub checksum: Checksum,
}

impl Payload {
    /// `ip saddr`.
    pub const IP_SADDR: (u32, u32) = (12, 4);
    /// `ip daddr`.
    pub const IP_DADDR: (u32, u32) = (16, 4);
    /// `ip6 saddr`.
    pub const IP6_SADDR: (u32, u32) = (8, 16);
    /// `ip6 daddr`.
    pub const IP6_DADDR: (u32, u32) = (24, 16);
    /// `th sport`.
    pub const TH_SPORT: (u32, u32) = (0, 2);
    /// `th dport`.
    pub const TH_DPORT: (u32, u32) = (2, 2);

    /// Loads a field of the network header, given as offset and length.
    #[must_use]
    pub fn network((offset, len): (u32, u32), dreg: Register) -> Self {
        Payload { dreg, base: PayloadBase::Network, offset, len }
    }

    /// Loads a field of the transport header.
    #[must_use]
    pub fn transport((offset, len): (u32, u32), dreg: Register) -> Self {
        Payload { dreg, base: PayloadBase::Transport, offset, len }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let term = listing.field(self.base, self.offset, self.len);
        listing.load(self.dreg, self.len, term);
    }
}

impl PayloadWrite {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let field = listing.field(self.base, self.offset, self.len);
        if let Some(text) = listing.part_written(&field, self.sreg) {
            listing.word(text);
            return;
        }
        let value = listing.value_of(self.sreg, &field);
        listing.word(format!("{} set {value}", field.text));
    }
}

impl Expression for Payload {
    const NAME: &'static str = "payload";
    const KNOWN: &'static [u16] =
        &[NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_PAYLOAD_DREG, self.dreg);
        message.put_be32(NFTA_PAYLOAD_BASE, self.base.number());
        message.put_be32(NFTA_PAYLOAD_OFFSET, self.offset);
        message.put_be32(NFTA_PAYLOAD_LEN, self.len);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Payload {
            dreg: attributes.need_register(NFTA_PAYLOAD_DREG)?,
            base: PayloadBase::from_number(attributes.need_be32(NFTA_PAYLOAD_BASE)?),
            offset: attributes.need_be32(NFTA_PAYLOAD_OFFSET)?,
            len: attributes.need_be32(NFTA_PAYLOAD_LEN)?,
        })
    }
}

impl Expression for PayloadWrite {
    const NAME: &'static str = "payload";
    const KNOWN: &'static [u16] = &[
        NFTA_PAYLOAD_SREG,
        NFTA_PAYLOAD_BASE,
        NFTA_PAYLOAD_OFFSET,
        NFTA_PAYLOAD_LEN,
        NFTA_PAYLOAD_CSUM_TYPE,
        NFTA_PAYLOAD_CSUM_OFFSET,
        NFTA_PAYLOAD_CSUM_FLAGS,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_PAYLOAD_SREG, self.sreg);
        message.put_be32(NFTA_PAYLOAD_BASE, self.base.number());
        message.put_be32(NFTA_PAYLOAD_OFFSET, self.offset);
        message.put_be32(NFTA_PAYLOAD_LEN, self.len);
        message.put_be32(NFTA_PAYLOAD_CSUM_TYPE, self.checksum.kind);
        message.put_be32(NFTA_PAYLOAD_CSUM_OFFSET, self.checksum.offset);
        message.put_be32(NFTA_PAYLOAD_CSUM_FLAGS, self.checksum.flags);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(PayloadWrite {
            sreg: attributes.need_register(NFTA_PAYLOAD_SREG)?,
            base: PayloadBase::from_number(attributes.need_be32(NFTA_PAYLOAD_BASE)?),
            offset: attributes.need_be32(NFTA_PAYLOAD_OFFSET)?,
            len: attributes.need_be32(NFTA_PAYLOAD_LEN)?,
            checksum: Checksum {
                kind: attributes.maybe_be32(NFTA_PAYLOAD_CSUM_TYPE)?.unwrap_or(0),
                offset: attributes.maybe_be32(NFTA_PAYLOAD_CSUM_OFFSET)?.unwrap_or(0),
                flags: attributes.maybe_be32(NFTA_PAYLOAD_CSUM_FLAGS)?.unwrap_or(0),
            },
        })
    }
}

//! `quota`: matches up to so many bytes.

use super::limit::scaled;
use super::{Expression, Fields};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_QUOTA_BYTES: u16 = 1;
const NFTA_QUOTA_FLAGS: u16 = 2;
const NFTA_QUOTA_PAD: u16 = 3;
const NFTA_QUOTA_CONSUMED: u16 = 4;
const NFT_QUOTA_F_INV: u32 = 1;

/// `quota 25 mbytes`, `quota over 1 mbytes used 3 kbytes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// How many bytes.
    pub bytes: u64,
    /// How many of them are used up.
    pub used: u64,
    /// Whether it matches when they are used up (`over`), instead of until then.
    pub over: bool,
}

impl Quota {
    /// `25 mbytes used 3 kbytes`, as expressions and objects list it.
    pub(in crate::nft) fn text(&self, with_used: bool) -> String {
        let (bytes, scale) = scaled(self.bytes);
        let over = if self.over { "over " } else { "" };
        let used = match scaled(self.used) {
            (used, scale) if with_used && used != 0 => format!(" used {used} {scale}"),
            _ => String::new(),
        };
        format!("{over}{bytes} {scale}{used}")
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.word(format!("quota {}", self.text(!listing.is_stateless())));
    }

    /// Puts the attributes that expressions and objects share.
    pub(in crate::nft) fn put(&self, message: &mut MessageBuilder) {
        self.encode(message);
    }

    /// Reads the attributes that expressions and objects share.
    pub(in crate::nft) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Quota::decode(attributes)
    }
}

impl Expression for Quota {
    const NAME: &'static str = "quota";
    const KNOWN: &'static [u16] =
        &[NFTA_QUOTA_BYTES, NFTA_QUOTA_FLAGS, NFTA_QUOTA_PAD, NFTA_QUOTA_CONSUMED];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be64(NFTA_QUOTA_BYTES, self.bytes);
        message.put_be64(NFTA_QUOTA_CONSUMED, self.used);
        message.put_be32(NFTA_QUOTA_FLAGS, if self.over { NFT_QUOTA_F_INV } else { 0 });
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        // The other flag says of an object that it is used up, and cannot be set.
        let flags = attributes.maybe_be32(NFTA_QUOTA_FLAGS)?.unwrap_or(0);
        let used = attributes.find(NFTA_QUOTA_CONSUMED).map(|used| used.be64()).transpose()?;
        Ok(Quota {
            bytes: attributes.need(NFTA_QUOTA_BYTES, "quota without bytes")?.be64()?,
            used: used.unwrap_or(0),
            over: flags & NFT_QUOTA_F_INV != 0,
        })
    }
}

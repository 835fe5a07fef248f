//! `connlimit`: matches up to so many flows at a time.

use super::{Expression, Fields};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_CONNLIMIT_COUNT: u16 = 1;
const NFTA_CONNLIMIT_FLAGS: u16 = 2;
const NFT_CONNLIMIT_F_INV: u32 = 1;

/// `ct count 5`, `ct count over 5`: of the rule, or of the element that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connlimit {
    /// How many flows.
    pub count: u32,
    /// Whether it matches above the count instead (`over`).
    pub over: bool,
}

impl Connlimit {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let over = if self.over { "over " } else { "" };
        listing.word(format!("ct count {over}{}", self.count));
    }
}

impl Expression for Connlimit {
    const NAME: &'static str = "connlimit";
    const KNOWN: &'static [u16] = &[NFTA_CONNLIMIT_COUNT, NFTA_CONNLIMIT_FLAGS];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_CONNLIMIT_COUNT, self.count);
        if self.over {
            message.put_be32(NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let flags = attributes.maybe_be32(NFTA_CONNLIMIT_FLAGS)?.unwrap_or(0);
        Ok(Connlimit {
            count: attributes.need_be32(NFTA_CONNLIMIT_COUNT)?,
            over: flags & NFT_CONNLIMIT_F_INV != 0,
        })
    }
}

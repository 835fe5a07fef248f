//! `last`: when a packet last came here (Linux 5.14).

use super::dynset::listing_time;
use super::{Expression, Fields};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_LAST_SET: u16 = 1;
const NFTA_LAST_MSECS: u16 = 2;
const NFTA_LAST_PAD: u16 = 3;

/// `last used 3s`, `last used never`. nft(8) knows it from 1.0.7 on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Last {
    /// How many milliseconds ago; `None` for never.
    pub ago: Option<u64>,
}

impl Last {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let text = match self.ago {
            _ if listing.is_stateless() => "last".to_owned(),
            Some(ago) => format!("last used {}", listing_time(ago)),
            None => "last used never".to_owned(),
        };
        listing.word(text);
    }
}

impl Expression for Last {
    const NAME: &'static str = "last";
    const KNOWN: &'static [u16] = &[NFTA_LAST_SET, NFTA_LAST_MSECS, NFTA_LAST_PAD];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_LAST_SET, u32::from(self.ago.is_some()));
        message.put_be64(NFTA_LAST_MSECS, self.ago.unwrap_or(0));
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let is_set = attributes.maybe_be32(NFTA_LAST_SET)?.unwrap_or(0) != 0;
        let ago = attributes.find(NFTA_LAST_MSECS).map(|ago| ago.be64()).transpose()?;
        Ok(Last { ago: is_set.then_some(ago.unwrap_or(0)) })
    }
}

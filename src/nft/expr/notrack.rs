//! `notrack`: excludes a packet from connection tracking.

use super::Expression;
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

/// `notrack`; only before connection tracking sees the packet (priority below -200).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notrack;

impl Notrack {
    pub(super) fn list(self, listing: &mut RuleListing<'_>) {
        listing.word("notrack".to_owned());
    }
}

impl Expression for Notrack {
    const NAME: &'static str = "notrack";
    const KNOWN: &'static [u16] = &[];

    fn encode(&self, _message: &mut MessageBuilder) {}

    fn decode(_attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Notrack)
    }
}

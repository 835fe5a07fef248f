//! `counter`: counts packets and bytes.

use super::Expression;
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_COUNTER_BYTES: u16 = 1;
const NFTA_COUNTER_PACKETS: u16 = 2;
const NFTA_COUNTER_PAD: u16 = 3;

/// `counter packets 0 bytes 0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    /// Packets so far.
    pub packets: u64,
    /// Bytes so far.
    pub bytes: u64,
}

impl Counter {
    /// Puts both numbers, as expressions, objects and chains have them.
    pub(in crate::nft) fn put(&self, message: &mut MessageBuilder) {
        self.encode(message);
    }

    /// Reads both numbers.
    pub(in crate::nft) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Counter::decode(attributes)
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let text = match listing.is_stateless() {
            true => "counter".to_owned(),
            false => format!("counter packets {} bytes {}", self.packets, self.bytes),
        };
        listing.word(text);
    }
}

impl Expression for Counter {
    const NAME: &'static str = "counter";
    const KNOWN: &'static [u16] = &[NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_COUNTER_PAD];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be64(NFTA_COUNTER_BYTES, self.bytes);
        message.put_be64(NFTA_COUNTER_PACKETS, self.packets);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Counter {
            bytes: attributes.need(NFTA_COUNTER_BYTES, "counter without bytes")?.be64()?,
            packets: attributes.need(NFTA_COUNTER_PACKETS, "counter without packets")?.be64()?,
        })
    }
}

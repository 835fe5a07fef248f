//! `masq`: translates the source to the address of the outgoing interface.

use super::nat::{NatFlags, nat_target};
use super::{Expression, Fields, Register, put_maybe};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_MASQ_FLAGS: u16 = 1;
const NFTA_MASQ_REG_PROTO_MIN: u16 = 2;
const NFTA_MASQ_REG_PROTO_MAX: u16 = 3;

/// `masquerade`, `masquerade to :1024-65535 fully-random`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masquerade {
    /// How to choose.
    pub flags: NatFlags,
    /// Lowest port.
    pub proto_min: Option<Register>,
    /// Highest port.
    pub proto_max: Option<Register>,
}

impl Masquerade {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let mut words = vec!["masquerade".to_owned()];
        if let Some(min) = self.proto_min {
            let ports = nat_target(listing, None, Some((min, self.proto_max.unwrap_or(min))));
            words.push(format!("to {ports}"));
        }
        words.extend([self.flags.words().join(",")].into_iter().filter(|word| !word.is_empty()));
        listing.word(words.join(" "));
    }
}

impl Expression for Masquerade {
    const NAME: &'static str = "masq";
    const KNOWN: &'static [u16] =
        &[NFTA_MASQ_FLAGS, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX];

    fn encode(&self, message: &mut MessageBuilder) {
        if self.flags != NatFlags::default() {
            message.put_be32(NFTA_MASQ_FLAGS, self.flags.0);
        }
        put_maybe(message, NFTA_MASQ_REG_PROTO_MIN, self.proto_min);
        put_maybe(message, NFTA_MASQ_REG_PROTO_MAX, self.proto_max);
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Masquerade {
            flags: NatFlags(attributes.maybe_be32(NFTA_MASQ_FLAGS)?.unwrap_or(0)),
            proto_min: attributes.maybe_register(NFTA_MASQ_REG_PROTO_MIN)?,
            proto_max: attributes.maybe_register(NFTA_MASQ_REG_PROTO_MAX)?,
        })
    }
}

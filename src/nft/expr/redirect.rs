//! `redir`: translates the destination to this host.

use super::nat::{NatFlags, nat_target};
use super::{Expression, Fields, Register, put_maybe};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_REDIR_REG_PROTO_MIN: u16 = 1;
const NFTA_REDIR_REG_PROTO_MAX: u16 = 2;
const NFTA_REDIR_FLAGS: u16 = 3;

/// `redirect to :8080`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirect {
    /// Lowest port.
    pub proto_min: Option<Register>,
    /// Highest port.
    pub proto_max: Option<Register>,
    /// How to choose.
    pub flags: NatFlags,
}

impl Redirect {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let mut words = vec!["redirect".to_owned()];
        if let Some(min) = self.proto_min {
            let ports = nat_target(listing, None, Some((min, self.proto_max.unwrap_or(min))));
            words.push(format!("to {ports}"));
        }
        words.extend([self.flags.words().join(",")].into_iter().filter(|word| !word.is_empty()));
        listing.word(words.join(" "));
    }
}

impl Expression for Redirect {
    const NAME: &'static str = "redir";
    const KNOWN: &'static [u16] =
        &[NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, NFTA_REDIR_FLAGS];

    fn encode(&self, message: &mut MessageBuilder) {
        put_maybe(message, NFTA_REDIR_REG_PROTO_MIN, self.proto_min);
        put_maybe(message, NFTA_REDIR_REG_PROTO_MAX, self.proto_max);
        if self.flags != NatFlags::default() {
            message.put_be32(NFTA_REDIR_FLAGS, self.flags.0);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(Redirect {
            proto_min: attributes.maybe_register(NFTA_REDIR_REG_PROTO_MIN)?,
            proto_max: attributes.maybe_register(NFTA_REDIR_REG_PROTO_MAX)?,
            flags: NatFlags(attributes.maybe_be32(NFTA_REDIR_FLAGS)?.unwrap_or(0)),
        })
    }
}

//! Rules as the kernel sends them, decoded when they are looked at: to find one of thousands.

use super::rule::{NFTA_RULE_EXPRESSIONS, NFTA_RULE_HANDLE, NFTA_RULE_USERDATA};
use super::{Expr, Listed, Rule, Userdata};
use crate::netlink::{Attributes, Malformed, Message};

/// A listed rule whose expressions are still bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRule {
    /// The kernel's number for it.
    pub handle: u64,
    /// The content of `NFTA_RULE_EXPRESSIONS`, as [`Rule::encode_expressions`] makes it.
    pub exprs: Vec<u8>,
    /// The content of `NFTA_RULE_USERDATA`.
    pub userdata: Vec<u8>,
}

impl RawRule {
    pub(super) fn read(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let handle = attributes.need(NFTA_RULE_HANDLE, "rule without a handle")?.be64()?;
        let bytes = |kind| attributes.find(kind).map(|found| found.value.to_vec());
        let exprs = bytes(NFTA_RULE_EXPRESSIONS).unwrap_or_default();
        Ok(RawRule { handle, exprs, userdata: bytes(NFTA_RULE_USERDATA).unwrap_or_default() })
    }

    /// Whether it may name something whose name has this in it, without a NUL: surely so if it does.
    #[must_use]
    pub fn may_name(&self, part: &str) -> bool {
        let Some(first) = part.bytes().next() else { return true };
        // From one such byte to the next: faster than looking at each.
        let mut rest = self.exprs.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == first) {
            if rest[at..].starts_with(part.as_bytes()) {
                return true;
            }
            rest = &rest[at + 1..];
        }
        false
    }

    /// The rule itself.
    ///
    /// # Errors
    /// [`super::Error::Netlink`] for what the kernel would not send.
    pub fn decode(&self) -> Result<Listed<Rule>, super::Error> {
        let exprs = Attributes::new(&self.exprs)
            .map(|element| Expr::decode(element?))
            .collect::<Result<Vec<_>, Malformed>>()?;
        let userdata = Userdata::decode(&self.userdata);
        Ok(Listed { handle: self.handle, value: Rule { exprs, userdata } })
    }
}

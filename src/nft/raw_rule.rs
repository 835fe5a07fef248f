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
        memchr::memmem::find(&self.exprs, part.as_bytes()).is_some()
    }

    /// The rule itself.
    ///
    /// # Errors
    /// [`super::Error::Netlink`] for what the kernel would not send.
    pub fn decode(&self) -> Result<Listed<Rule>, super::Error> {
        let elements = Attributes::new(&self.exprs);
        let mut exprs = Vec::with_capacity(elements.count());
        for element in elements {
            exprs.push(Expr::decode(element?)?);
        }
        let userdata = Userdata::decode(&self.userdata);
        Ok(Listed { handle: self.handle, value: Rule { exprs, userdata } })
    }
}

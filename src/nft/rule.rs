//! Rules, and the handle by which a listed thing can be deleted.

use super::{Expr, Name, Userdata};
use crate::netlink::{Malformed, Message, MessageBuilder};

pub(super) const NFTA_RULE_TABLE: u16 = 1;
pub(super) const NFTA_RULE_CHAIN: u16 = 2;
pub(super) const NFTA_RULE_HANDLE: u16 = 3;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
pub(super) const NFTA_RULE_POSITION: u16 = 6;
const NFTA_RULE_USERDATA: u16 = 7;

/// A rule: expressions that the kernel runs in order until one does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it does; at most 128 (`NFT_RULE_MAXEXPRS`).
    pub exprs: Vec<Expr>,
    /// Comment and more.
    pub userdata: Userdata,
}

/// Something that the kernel listed, with the handle it gave it. Only what was listed can be
/// deleted: desired values have no handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The kernel's number for it, unique in its table.
    pub handle: u64,
    /// What it is.
    pub value: T,
}

impl Rule {
    /// A rule without userdata.
    #[must_use]
    pub fn new(exprs: Vec<Expr>) -> Self {
        Rule { exprs, userdata: Userdata::new() }
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        let list = message.nest(NFTA_RULE_EXPRESSIONS);
        for expr in &self.exprs {
            expr.encode(message);
        }
        message.end(list);
        if !self.userdata.is_empty() {
            message.put(NFTA_RULE_USERDATA, &self.userdata.encode());
        }
    }

    /// Decodes a rule with the chain that it is in.
    pub(super) fn decode(message: &Message<'_>) -> Result<(Name, Listed<Rule>), Malformed> {
        let attributes = message.attributes();
        let chain = attributes.need(NFTA_RULE_CHAIN, "rule without a chain")?.text()?;
        let handle = attributes.need(NFTA_RULE_HANDLE, "rule without a handle")?.be64()?;
        let mut exprs = Vec::new();
        if let Some(list) = attributes.find(NFTA_RULE_EXPRESSIONS) {
            for element in list.nested() {
                exprs.push(Expr::decode(element?)?);
            }
        }
        let userdata = attributes.find(NFTA_RULE_USERDATA);
        let userdata = userdata.map(|data| Userdata::decode(data.value)).unwrap_or_default();
        Ok((name(chain)?, Listed { handle, value: Rule { exprs, userdata } }))
    }

    /// Whether two rules do the same and carry the same userdata; counts are not compared.
    #[must_use]
    pub fn is_same(&self, other: &Rule) -> bool {
        self.userdata == other.userdata
            && self.exprs.len() == other.exprs.len()
            && self.exprs.iter().zip(&other.exprs).all(|(ours, theirs)| ours.is_same(theirs))
    }
}

/// A name that the kernel sent.
pub(super) fn name(text: &str) -> Result<Name, Malformed> {
    Name::new(text).map_err(|_| Malformed { what: "expected a name", kind: 0, length: text.len() })
}

//! Rules, and the handle by which a listed thing can be deleted.

use super::batch::{NEWRULE, NFTABLES};
use super::expr::{Cmp, CmpOp, Meta, MetaKey, Payload, PayloadBase, SetRef};
use super::{Element, Expr, Family, Name, Set, SetData, Userdata};
use crate::netlink::{Malformed, Message, MessageBuilder};

pub(super) const NFTA_RULE_TABLE: u16 = 1;
pub(super) const NFTA_RULE_CHAIN: u16 = 2;
pub(super) const NFTA_RULE_HANDLE: u16 = 3;
pub(super) const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_RULE_COMPAT: u16 = 5;
pub(super) const NFTA_RULE_POSITION: u16 = 6;
pub(super) const NFTA_RULE_USERDATA: u16 = 7;
const NFTA_RULE_COMPAT_PROTO: u16 = 1;
const NFTA_RULE_COMPAT_FLAGS: u16 = 2;
const NFT_RULE_COMPAT_F_INV: u32 = 2;

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
        if let Some((protocol, flags)) = self.compat() {
            let compat = message.nest(NFTA_RULE_COMPAT);
            message.put_be32(NFTA_RULE_COMPAT_PROTO, u32::from(protocol));
            message.put_be32(NFTA_RULE_COMPAT_FLAGS, flags);
            message.end(compat);
        }
        if !self.userdata.is_empty() {
            message.put(NFTA_RULE_USERDATA, &self.userdata.encode());
        }
    }

    /// The expressions as the kernel lists them: the content of `NFTA_RULE_EXPRESSIONS`.
    #[must_use]
    pub fn encode_expressions(&self) -> Vec<u8> {
        let mut message = MessageBuilder::new();
        message.message(NFTABLES | NEWRULE, 0, 0, 0, 0);
        let start = message.len();
        self.exprs.iter().for_each(|expr| expr.encode(&mut message));
        let mut bytes = message.as_bytes()[start..].to_vec();
        clear_nested_flags(&mut bytes);
        bytes
    }

    /// The rule as libnftnl prints what we would send: the lines of `nft --debug=netlink`. `None`
    /// where libnftnl does not understand it.
    #[must_use]
    pub fn bytecode(&self, family: Family) -> Option<String> {
        let mut message = MessageBuilder::new();
        message.message(NFTABLES | NEWRULE, 0, 0, family.number(), 0);
        self.encode(&mut message);
        crate::sys::bytecode(message.as_bytes()).ok()
    }

    /// The same rule with the sets that belong to it inside it, instead of by the names that the
    /// kernel gave them, so that it can be added elsewhere. `find` looks such a name up.
    #[must_use]
    pub fn with_own_sets(mut self, find: impl Fn(&Name) -> Option<(Set, Vec<Element>)>) -> Self {
        for expr in &mut self.exprs {
            let Some(set_ref) = expr.set_ref_mut() else { continue };
            let SetRef::Named(name) = &*set_ref else { continue };
            if !set_ref.is_anonymous() {
                continue;
            }
            if let Some((mut set, elements)) = find(name) {
                set.name = Name::literal(match set.data {
                    None => "__set%d",
                    Some(SetData::Object(_)) => "__objmap%d",
                    Some(SetData::Value(_) | SetData::Verdict) => "__map%d",
                });
                *set_ref = SetRef::anonymous(set, elements);
            }
        }
        self
    }

    /// What nft_compat wants to know of a rule with extensions of iptables, such as `TCPMSS`: the
    /// protocol that the rule matches, and whether it matches all others instead. The kernel asks
    /// for it with each such rule and does not list it.
    fn compat(&self) -> Option<(u8, u32)> {
        let is_compat = |expr: &Expr| match expr {
            Expr::Other(other) => matches!(other.name.as_str(), "match" | "target"),
            _ => false,
        };
        if !self.exprs.iter().any(is_compat) {
            return None;
        }
        self.exprs.windows(2).find_map(|pair| match pair {
            [load, Expr::Cmp(Cmp { op, data, .. })] if loads_protocol(load) => {
                let inverted = if *op == CmpOp::Neq { NFT_RULE_COMPAT_F_INV } else { 0 };
                data.first().map(|protocol| (*protocol, inverted))
            }
            _ => None,
        })
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

/// Takes `NLA_F_NESTED` from attributes, which libmnl sets and nf_tables does not when it lists.
fn clear_nested_flags(mut attributes: &mut [u8]) {
    const NLA_F_NESTED: u16 = 0x8000;
    while let Some((header, rest)) = attributes.split_first_chunk_mut::<4>() {
        let [a, b, c, d] = *header;
        let length = usize::from(u16::from_ne_bytes([a, b])).saturating_sub(4);
        let kind = u16::from_ne_bytes([c, d]);
        let (value, after) = rest.split_at_mut(length.next_multiple_of(4).min(rest.len()));
        if kind & NLA_F_NESTED != 0 {
            let [c, d] = (kind & !NLA_F_NESTED).to_ne_bytes();
            *header = [a, b, c, d];
            clear_nested_flags(value);
        }
        attributes = after;
    }
}

/// `meta l4proto`, `ip protocol`.
fn loads_protocol(expr: &Expr) -> bool {
    match expr {
        Expr::Meta(Meta::Load { key, .. }) => *key == MetaKey::L4proto,
        Expr::Payload(Payload { base: PayloadBase::Network, offset: 9, len: 1, .. }) => true,
        _ => false,
    }
}

/// A name that the kernel sent.
pub(super) fn name(text: &str) -> Result<Name, Malformed> {
    Name::new(text).map_err(|_| Malformed { what: "expected a name", kind: 0, length: text.len() })
}

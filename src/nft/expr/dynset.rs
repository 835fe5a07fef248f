//! `dynset`: a packet adds an element to a set, renews it, or deletes it.

use super::{Expr, Expression, Fields, Register, kernel_numbers, put_maybe, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::Name;
use crate::nft::listing::RuleListing;

const NFTA_DYNSET_SET_NAME: u16 = 1;
const NFTA_DYNSET_SET_ID: u16 = 2;
const NFTA_DYNSET_OP: u16 = 3;
const NFTA_DYNSET_SREG_KEY: u16 = 4;
const NFTA_DYNSET_SREG_DATA: u16 = 5;
const NFTA_DYNSET_TIMEOUT: u16 = 6;
const NFTA_DYNSET_EXPR: u16 = 7;
const NFTA_DYNSET_PAD: u16 = 8;
const NFTA_DYNSET_FLAGS: u16 = 9;
const NFTA_DYNSET_EXPRESSIONS: u16 = 10;
/// Without it the kernel refuses more than one statement.
const NFT_DYNSET_F_EXPR: u32 = 2;

kernel_numbers! {
    /// What to do (`NFT_DYNSET_OP_*`).
    DynsetOp {
        /// Add where absent.
        Add = 0 "add",
        /// Add, or renew the timeout.
        Update = 1 "update",
        /// Delete.
        Delete = 2 "delete",
    }
}

/// `update @set { ip saddr timeout 1m limit rate 10/second }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynset {
    /// The set.
    pub set: Name,
    /// What to do.
    pub op: DynsetOp,
    /// The key.
    pub key: Register,
    /// The value, for a map.
    pub data: Option<Register>,
    /// How long the element lives, in milliseconds.
    pub timeout: Option<u64>,
    /// `NFT_DYNSET_F_*`, where the kernel gave any; not that of several statements.
    pub flags: Option<u32>,
    /// Statements of the element.
    pub exprs: Vec<Expr>,
}

impl Dynset {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let key = listing.key_of(self.set.as_str(), self.key);
        let mut words = vec![self.op.word().to_owned(), format!("@{}", self.set), "{".to_owned()];
        words.push(key);
        words.extend(self.timeout.map(|timeout| format!("timeout {}", listing_time(timeout))));
        for expr in &self.exprs {
            let mut inner = listing.detached();
            expr.list(&mut inner);
            words.push(inner.finish());
        }
        if let Some(data) = self.data {
            words.push(format!(": {}", listing.map_value(self.set.as_str(), data)));
        }
        words.push("}".to_owned());
        listing.word(words.join(" "));
    }
}

/// A time as nft prints it: `1d2h3m4s5ms`.
pub(in crate::nft) fn listing_time(milliseconds: u64) -> String {
    let mut rest = milliseconds;
    let mut text = String::new();
    for (unit, word) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
    {
        if rest >= unit {
            text.push_str(&format!("{}{word}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

impl Expression for Dynset {
    const NAME: &'static str = "dynset";
    const KNOWN: &'static [u16] = &[
        NFTA_DYNSET_SET_NAME,
        NFTA_DYNSET_SET_ID,
        NFTA_DYNSET_OP,
        NFTA_DYNSET_SREG_KEY,
        NFTA_DYNSET_SREG_DATA,
        NFTA_DYNSET_TIMEOUT,
        NFTA_DYNSET_EXPR,
        NFTA_DYNSET_PAD,
        NFTA_DYNSET_FLAGS,
        NFTA_DYNSET_EXPRESSIONS,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        put_register(message, NFTA_DYNSET_SREG_KEY, self.key);
        put_maybe(message, NFTA_DYNSET_SREG_DATA, self.data);
        message.put_be32(NFTA_DYNSET_OP, self.op.number());
        message.put_str(NFTA_DYNSET_SET_NAME, self.set.as_str());
        if let Some(timeout) = self.timeout {
            message.put_be64(NFTA_DYNSET_TIMEOUT, timeout);
        }
        match self.exprs.as_slice() {
            [] => {}
            [one] => one.encode_as(message, NFTA_DYNSET_EXPR),
            more => {
                let list = message.nest(NFTA_DYNSET_EXPRESSIONS);
                more.iter().for_each(|expr| expr.encode(message));
                message.end(list);
            }
        }
        let several = if self.exprs.len() > 1 { NFT_DYNSET_F_EXPR } else { 0 };
        if self.flags.is_some() || several != 0 {
            message.put_be32(NFTA_DYNSET_FLAGS, self.flags.unwrap_or(0) | several);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let set = attributes.need(NFTA_DYNSET_SET_NAME, "dynset without a set")?.text()?;
        let exprs =
            crate::nft::set::decode_exprs(attributes, NFTA_DYNSET_EXPR, NFTA_DYNSET_EXPRESSIONS)?;
        let flags = attributes.maybe_be32(NFTA_DYNSET_FLAGS)?;
        Ok(Dynset {
            set: crate::nft::rule::name(set)?,
            op: DynsetOp::from_number(attributes.need_be32(NFTA_DYNSET_OP)?),
            key: attributes.need_register(NFTA_DYNSET_SREG_KEY)?,
            data: attributes.maybe_register(NFTA_DYNSET_SREG_DATA)?,
            timeout: match attributes.find(NFTA_DYNSET_TIMEOUT) {
                // The kernel lists 0 for none, and refuses a 0 for a set without timeouts.
                Some(timeout) => Some(timeout.be64()?).filter(|timeout| *timeout != 0),
                None => None,
            },
            // The flag of several statements is sent with them, and not listed.
            flags: match exprs.len() {
                0 | 1 => flags,
                _ => flags.map(|flags| flags & !NFT_DYNSET_F_EXPR).filter(|flags| *flags != 0),
            },
            exprs,
        })
    }
}

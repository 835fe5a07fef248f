//! Verdicts: what becomes of a packet.

use std::fmt;

use super::Fields;
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::Name;

const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;
const NFTA_VERDICT_CHAIN: u16 = 2;

/// A verdict (`NF_*` of linux/netfilter.h, `NFT_*` of nf_tables.h).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The packet is dropped.
    Drop,
    /// It passes this base chain; later ones can still drop it.
    Accept,
    /// On with the next rule.
    Continue,
    /// The rule ends: it did not match.
    Break,
    /// Back to the chain that jumped here.
    Return,
    /// To another chain, and back here at its end.
    Jump(Name),
    /// To another chain, and not back.
    Goto(Name),
    /// A code without a name here, e.g. a queue.
    Other(i32),
}

impl Verdict {
    fn code(&self) -> i32 {
        match self {
            Verdict::Drop => 0,
            Verdict::Accept => 1,
            Verdict::Continue => -1,
            Verdict::Break => -2,
            Verdict::Jump(_) => -3,
            Verdict::Goto(_) => -4,
            Verdict::Return => -5,
            Verdict::Other(code) => *code,
        }
    }

    /// The chain that it leads to.
    #[must_use]
    pub fn chain(&self) -> Option<&Name> {
        match self {
            Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
            Verdict::Drop
            | Verdict::Accept
            | Verdict::Continue
            | Verdict::Break
            | Verdict::Return
            | Verdict::Other(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn chain_mut(&mut self) -> Option<&mut Name> {
        // As in `chain`, which names them all.
        if let Verdict::Jump(chain) | Verdict::Goto(chain) = self { Some(chain) } else { None }
    }

    /// Puts `NFTA_DATA_VERDICT`.
    pub(in crate::nft) fn encode_data(&self, message: &mut MessageBuilder) {
        let verdict = message.nest(NFTA_DATA_VERDICT);
        message.put_be32(NFTA_VERDICT_CODE, self.code().cast_unsigned());
        if let Some(chain) = self.chain() {
            message.put_str(NFTA_VERDICT_CHAIN, chain.as_str());
        }
        message.end(verdict);
    }

    /// Reads what is inside an `NFTA_*_DATA`.
    pub(in crate::nft) fn decode_data(data: Attributes<'_>) -> Result<Self, Malformed> {
        let verdict = data.need(NFTA_DATA_VERDICT, "data without a verdict")?.nested();
        let chain = || -> Result<Name, Malformed> {
            let chain = verdict.need(NFTA_VERDICT_CHAIN, "jump without a chain")?;
            crate::nft::rule::name(chain.text()?)
        };
        Ok(match verdict.need_be32(NFTA_VERDICT_CODE)?.cast_signed() {
            0 => Verdict::Drop,
            1 => Verdict::Accept,
            -1 => Verdict::Continue,
            -2 => Verdict::Break,
            -3 => Verdict::Jump(chain()?),
            -4 => Verdict::Goto(chain()?),
            -5 => Verdict::Return,
            code => Verdict::Other(code),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Drop => f.write_str("drop"),
            Verdict::Accept => f.write_str("accept"),
            Verdict::Continue => f.write_str("continue"),
            Verdict::Break => f.write_str("break"),
            Verdict::Return => f.write_str("return"),
            Verdict::Jump(chain) => write!(f, "jump {chain}"),
            Verdict::Goto(chain) => write!(f, "goto {chain}"),
            Verdict::Other(code) => write!(f, "verdict {code}"),
        }
    }
}

//! The shape of a rule: which match or target made which expressions.
//!
//! `-m state --state NEW` and `-m conntrack --ctstate NEW` are the same expressions, and a list of
//! ports is in a set without order. So a rule's userdata says, for each match and for the target,
//! its number, how many expressions are its, and a note of its own: three bytes and the note. It
//! never says what the rule does: that is read from the expressions.

use crate::nft::Userdata;

/// The type of the entry in userdata, which nft skips.
pub(super) const TLV_SHAPE: u8 = 0xE7;

/// One match, or the target, which is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// [`super::module::Module::id`].
    pub(super) id: u8,
    /// How many expressions.
    pub(super) exprs: u8,
    /// What its module wants to remember.
    pub(super) note: Vec<u8>,
}

/// The matches of a rule in order, and its target if that is one with a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// In the order of the rule.
    pub(super) matches: Vec<Part>,
    /// The target.
    pub(super) target: Option<Part>,
}

impl Shape {
    /// Bytes for userdata: the number of matches, then the parts.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.matches.len() as u8];
        for part in self.matches.iter().chain(&self.target) {
            bytes.extend([part.id, part.exprs, part.note.len() as u8]);
            bytes.extend(&part.note);
        }
        bytes
    }

    /// Whether userdata as it is listed has a shape in it: whether [`Shape::decode`] finds one.
    pub(super) fn is_in(userdata: &[u8]) -> bool {
        let shape = Userdata::find_in(userdata, TLV_SHAPE).and_then(<[u8]>::split_first);
        let Some((count, mut rest)) = shape else { return false };
        let mut parts = 0;
        while let [_, _, length, after @ ..] = rest {
            let Some(after) = after.get(usize::from(*length)..) else { return false };
            rest = after;
            parts += 1;
        }
        let count = usize::from(*count);
        rest.is_empty() && (count..count + 2).contains(&parts)
    }

    /// The shape that a rule carries; `None` for a rule that others made.
    pub(super) fn decode(userdata: &Userdata) -> Option<Self> {
        let (count, mut rest) = userdata.find(TLV_SHAPE)?.split_first()?;
        let mut parts = Vec::new();
        while let [id, exprs, length, after @ ..] = rest {
            let note = after.get(..usize::from(*length))?.to_vec();
            rest = &after[usize::from(*length)..];
            parts.push(Part { id: *id, exprs: *exprs, note });
        }
        let matches: Vec<Part> = parts.drain(..usize::from(*count).min(parts.len())).collect();
        let complete = matches.len() == usize::from(*count) && rest.is_empty() && parts.len() < 2;
        complete.then(|| Shape { matches, target: parts.pop() })
    }
}

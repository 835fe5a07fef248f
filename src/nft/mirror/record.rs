//! The rules of a chain as a log: each record puts a rule into the chain or takes one away.

use std::collections::VecDeque;

use super::digest::BLOCK;
use crate::nft::RawRule;

/// Where a rule was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind all others.
    End,
    /// Before all others.
    Front,
    /// Before the rule with that handle.
    Before(u64),
    /// Behind the rule with that handle.
    Behind(u64),
    /// In the place of the rule with that handle.
    Of(u64),
}

/// One change of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Put(Place, RawRule),
    /// The rule with that handle is gone.
    Delete(u64),
}

/// What each kind of record is called in a file; it is followed by two lengths, and by two handles.
const END: u32 = 1;
const FRONT: u32 = 2;
const BEFORE: u32 = 3;
const BEHIND: u32 = 4;
const OF: u32 = 5;
const DELETE: u32 = 6;

impl Record {
    /// Puts it behind what is there: a head of 32 bytes, expressions, userdata, zeros up to a whole
    /// block. Numbers are in host order, as the file never leaves the host.
    pub(super) fn encode(&self, log: &mut Vec<u8>) {
        match self {
            Record::Put(place, rule) => {
                let (kind, anchor) = match *place {
                    Place::End => (END, 0),
                    Place::Front => (FRONT, 0),
                    Place::Before(handle) => (BEFORE, handle),
                    Place::Behind(handle) => (BEHIND, handle),
                    Place::Of(handle) => (OF, handle),
                };
                put(log, kind, (rule.handle, anchor), &rule.exprs, &rule.userdata);
            }
            Record::Delete(handle) => put(log, DELETE, (*handle, 0), &[], &[]),
        }
    }

    /// Takes the first record from a log.
    fn decode(log: &mut &[u8]) -> Option<Self> {
        let (head, rest) = log.split_first_chunk::<BLOCK>()?;
        let (words, _) = head.as_chunks::<4>();
        let word = |at: usize| u32::from_ne_bytes(words[at]);
        let (longs, _) = head.as_chunks::<8>();
        let (handle, anchor) = (u64::from_ne_bytes(longs[2]), u64::from_ne_bytes(longs[3]));
        let (exprs, userdata) = (word(1) as usize, word(2) as usize);
        let length = exprs.checked_add(userdata)?;
        let body = rest.get(..length)?;
        *log = rest.get(length.checked_next_multiple_of(BLOCK)?..)?;
        let place = match word(0) {
            END => Place::End,
            FRONT => Place::Front,
            BEFORE => Place::Before(anchor),
            BEHIND => Place::Behind(anchor),
            OF => Place::Of(anchor),
            DELETE => return Some(Record::Delete(handle)),
            _ => return None,
        };
        let (exprs, userdata) = body.split_at(exprs);
        let rule = RawRule { handle, exprs: exprs.to_vec(), userdata: userdata.to_vec() };
        Some(Record::Put(place, rule))
    }
}

fn put(log: &mut Vec<u8>, kind: u32, (handle, anchor): (u64, u64), exprs: &[u8], data: &[u8]) {
    for word in [kind, exprs.len() as u32, data.len() as u32, 0] {
        log.extend_from_slice(&word.to_ne_bytes());
    }
    log.extend_from_slice(&handle.to_ne_bytes());
    log.extend_from_slice(&anchor.to_ne_bytes());
    log.extend_from_slice(exprs);
    log.extend_from_slice(data);
    log.resize(log.len().next_multiple_of(BLOCK), 0);
}

/// A chain as a dump of it says, as the log to begin with.
pub(super) fn encode_all(rules: &[RawRule]) -> Vec<u8> {
    let mut log = Vec::new();
    for rule in rules {
        put(&mut log, END, (rule.handle, 0), &rule.exprs, &rule.userdata);
    }
    log
}

/// The rules that a log comes to, in order; `None` if it is none.
pub(super) fn replay(mut log: &[u8]) -> Option<Vec<RawRule>> {
    let mut rules = VecDeque::<RawRule>::new();
    // No handle is given twice, so that what goes may go at the end, and all of it at once.
    let mut deleted = Vec::new();
    while !log.is_empty() {
        match Record::decode(&mut log)? {
            Record::Put(Place::End, rule) => rules.push_back(rule),
            Record::Put(Place::Front, rule) => rules.push_front(rule),
            Record::Put(Place::Before(anchor), rule) => rules.insert(find(&rules, anchor)?, rule),
            Record::Put(Place::Behind(anchor), rule) => {
                rules.insert(find(&rules, anchor)? + 1, rule);
            }
            Record::Put(Place::Of(anchor), rule) => {
                let at = find(&rules, anchor)?;
                *rules.get_mut(at)? = rule;
            }
            Record::Delete(handle) => deleted.push(handle),
        }
    }
    if !deleted.is_empty() {
        deleted.sort_unstable();
        let before = rules.len();
        rules.retain(|rule| deleted.binary_search(&rule.handle).is_err());
        if rules.len() + deleted.len() != before {
            return None;
        }
    }
    Some(rules.into())
}

fn find(rules: &VecDeque<RawRule>, handle: u64) -> Option<usize> {
    rules.iter().position(|rule| rule.handle == handle)
}

//! The rules of a chain as a log: each record puts a rule into the chain or takes one away.

use std::collections::VecDeque;

use super::digest::BLOCK;
use crate::nft::RawRule;

/// A rule of a chain, as far as it was wanted: of a thousand most are passed, so they are small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainRule {
    /// All of it.
    Read(Box<RawRule>),
    /// The handle of one that was not wanted.
    Passed(u64),
}

impl ChainRule {
    /// The kernel's number for it.
    #[must_use]
    pub fn handle(&self) -> u64 {
        match self {
            ChainRule::Read(rule) => rule.handle,
            ChainRule::Passed(handle) => *handle,
        }
    }
}

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
}

/// How long the record is that begins with this head.
pub(super) fn length(head: &[u8; BLOCK]) -> Option<usize> {
    let [_, exprs, userdata, _] = words(head);
    let body = (exprs as usize).checked_add(userdata as usize)?;
    body.checked_next_multiple_of(BLOCK)?.checked_add(BLOCK)
}

fn words(head: &[u8; BLOCK]) -> [u32; 4] {
    let (words, _) = head.as_chunks::<4>();
    [0, 1, 2, 3].map(|at| u32::from_ne_bytes(words[at]))
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

/// How long that log is, without making it.
pub(super) fn length_of_all(rules: &[RawRule]) -> u64 {
    let length =
        |rule: &RawRule| (rule.exprs.len() + rule.userdata.len()).next_multiple_of(BLOCK) + BLOCK;
    rules.iter().map(|rule| length(rule) as u64).sum()
}

/// So many rules are put beside others at most: each is looked for from the front.
pub(super) const SEARCHES: usize = 256;

/// A log that is being read, record by record.
pub(super) struct Replay<'a> {
    rules: VecDeque<ChainRule>,
    /// No handle is given twice, so that what goes may go at the end, and all of it at once.
    deleted: Vec<u64>,
    /// How many rules were looked for.
    searches: usize,
    /// Which rules are read: by their expressions and userdata.
    wanted: &'a dyn Fn(&[u8], &[u8]) -> bool,
}

impl<'a> Replay<'a> {
    /// One of nothing yet.
    pub(super) fn new(wanted: &'a dyn Fn(&[u8], &[u8]) -> bool) -> Self {
        Replay { rules: VecDeque::new(), deleted: Vec::new(), searches: 0, wanted }
    }

    /// Does what a whole record says; `None` if it is none, or one too many of those that take long.
    pub(super) fn take(&mut self, record: &[u8]) -> Option<()> {
        let (head, body) = record.split_first_chunk::<BLOCK>()?;
        let [kind, exprs, userdata, _] = words(head);
        let (longs, _) = head.as_chunks::<8>();
        let (handle, anchor) = (u64::from_ne_bytes(longs[2]), u64::from_ne_bytes(longs[3]));
        if kind == DELETE {
            self.deleted.push(handle);
            return Some(());
        }
        let (exprs, rest) = body.split_at_checked(exprs as usize)?;
        let userdata = rest.get(..userdata as usize)?;
        let rule = if (self.wanted)(exprs, userdata) {
            let (exprs, userdata) = (exprs.to_vec(), userdata.to_vec());
            ChainRule::Read(Box::new(RawRule { handle, exprs, userdata }))
        } else {
            ChainRule::Passed(handle)
        };
        match kind {
            END => self.rules.push_back(rule),
            FRONT => self.rules.push_front(rule),
            BEFORE => {
                let at = self.find(anchor)?;
                self.rules.insert(at, rule);
            }
            BEHIND => {
                let at = self.find(anchor)?;
                self.rules.insert(at + 1, rule);
            }
            OF => {
                let at = self.find(anchor)?;
                *self.rules.get_mut(at)? = rule;
            }
            _ => return None,
        }
        Some(())
    }

    /// The rules that it came to, in order; `None` if it was no log.
    pub(super) fn end(mut self) -> Option<Vec<ChainRule>> {
        if !self.deleted.is_empty() {
            self.deleted.sort_unstable();
            let before = self.rules.len();
            self.rules.retain(|rule| self.deleted.binary_search(&rule.handle()).is_err());
            if self.rules.len() + self.deleted.len() != before {
                return None;
            }
        }
        Some(self.rules.into())
    }

    fn find(&mut self, handle: u64) -> Option<usize> {
        self.searches += 1;
        if self.searches > SEARCHES {
            return None;
        }
        self.rules.iter().position(|rule| rule.handle() == handle)
    }
}

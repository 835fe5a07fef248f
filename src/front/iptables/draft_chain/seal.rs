//! What a chain's draft comes to: changes, in the order in which the kernel takes them.

use std::collections::VecDeque;

use super::super::sealed::{Deed, Sealed};
use super::{DraftChain, NewRule, Rules, Slot};
use crate::nft::{Chain, Change, Policy, TableId};

impl DraftChain {
    /// The rules that go: in front of all that is made.
    pub(in super::super) fn seal_deletions(&mut self, table: &TableId, sealed: &mut Sealed) {
        if let Some(origin) = self.flushed {
            sealed.push(Change::FlushChain(table.clone(), self.name.clone()), origin);
            return;
        }
        for (rule, origin) in self.deleted.drain(..) {
            sealed.push(Change::DeleteRule(table.clone(), self.name.clone(), rule), origin);
        }
    }

    /// The chain itself, if it is to be made.
    pub(in super::super) fn seal_chain(&self, table: &TableId, sealed: &mut Sealed) {
        if self.there.is_some() {
            return;
        }
        let change = match self.builtin {
            Some(builtin) => {
                let policy = self.policy.map_or(Policy::Accept, |(policy, _)| policy);
                Change::AddBaseChain(table.clone(), builtin.base_chain(policy))
            }
            None => Change::AddChain(table.clone(), Chain::new(self.name.clone())),
        };
        sealed.push(change, self.made);
    }

    /// The rules that come.
    pub(in super::super) fn seal_rules(&mut self, table: &TableId, sealed: &mut Sealed) {
        let none = Rules::Known(VecDeque::new());
        match std::mem::replace(&mut self.rules, none) {
            Rules::Ends { front, back } => {
                for new in front.into_iter().rev() {
                    self.seal_insertion(new, None, table, sealed);
                }
                for new in back {
                    self.seal_addition(new, table, sealed);
                }
            }
            Rules::Known(slots) => {
                let mut waiting = Vec::new();
                for slot in slots {
                    match slot {
                        Slot::New(new) => waiting.push(*new),
                        Slot::Kept(old) => {
                            for new in waiting.drain(..) {
                                self.seal_insertion(new, Some(old.handle()), table, sealed);
                            }
                        }
                        // Others are put in front of it by the handle that it may lose then.
                        Slot::Replaced(of) => {
                            let (old, replacement) = *of;
                            for new in waiting.drain(..) {
                                self.seal_insertion(new, Some(old.handle), table, sealed);
                            }
                            let NewRule { rule, companions, origin } = replacement;
                            sealed.companions(table, companions, origin);
                            let (table, chain) = (table.clone(), self.name.clone());
                            let new = rule;
                            sealed.push(Change::ReplaceRule { table, chain, old, new }, origin);
                        }
                    }
                }
                for new in waiting {
                    self.seal_addition(new, table, sealed);
                }
            }
        }
    }

    fn seal_insertion(&self, new: NewRule, at: Option<u64>, table: &TableId, sealed: &mut Sealed) {
        let NewRule { rule, companions, origin } = new;
        sealed.companions(table, companions, origin);
        let (table, chain, before) = (table.clone(), self.name.clone(), at);
        sealed.push(Change::InsertRule { table, chain, rule, before }, origin);
    }

    fn seal_addition(&self, new: NewRule, table: &TableId, sealed: &mut Sealed) {
        let NewRule { rule, companions, origin } = new;
        sealed.companions(table, companions, origin);
        let (table, chain) = (table.clone(), self.name.clone());
        sealed.push(Change::AddRule { table, chain, rule, after: None }, origin);
    }

    /// Policy, counters and name: last.
    pub(in super::super) fn seal_rest(self, table: &TableId, sealed: &mut Sealed) {
        if let (Some((policy, origin)), Some(_)) = (self.policy, &self.there) {
            sealed.push(Change::SetPolicy(table.clone(), self.name.clone(), policy), origin);
        }
        if let Some((counter, origin)) = self.counter {
            let change = Change::SetChainCounters(table.clone(), self.name.clone(), counter);
            sealed.push(change, origin);
        }
        if let (Some((to, origin)), Some(chain)) = (self.renamed, self.there) {
            let table = table.clone();
            sealed.push(Change::RenameChain { table, chain, to }, origin.of(Deed::ChainRename));
        }
    }
}

//! A transaction: changes that come into force together or not at all.
//!
//! A [`Transaction`] is open and collects [`Change`]s; sealing it makes a [`Batch`], which is bytes
//! and cannot change any more. It prints in nft syntax, so that a plan can be read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::batch::{Batch, Writer};
use super::describe::describe;
use super::expr::Counter;
use super::kernel::Generation;
use super::{
    AnyChain, BaseChain, Chain, Element, Listed, Name, Object, Policy, Rule, Set, Table, TableId,
};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `add table`: makes it if it is not there.
    AddTable(Table),
    /// `delete table`, with all that is in it.
    DeleteTable(TableId),
    /// `add chain`.
    AddChain(TableId, Chain),
    /// `add chain` with a hook.
    AddBaseChain(TableId, BaseChain),
    /// `flush chain`: deletes its rules.
    FlushChain(TableId, Name),
    /// `delete chain`; it must be empty and nothing may jump to it.
    DeleteChain(TableId, Name),
    /// `rename chain`: rules that jump to it go on doing so.
    RenameChain {
        /// The table.
        table: TableId,
        /// The chain as it is.
        chain: Listed<AnyChain>,
        /// Its new name, which no other chain of the table has.
        to: Name,
    },
    /// `add chain … { policy drop; }` for a base chain that is there: its rules stay.
    SetPolicy(TableId, Name, Policy),
    /// Sets what a base chain counted of the packets that came to its policy; one that has no
    /// counters yet has some from then on. nft(8) has no command for it; `iptables-restore -c` does.
    SetChainCounters(TableId, Name, Counter),
    /// `add rule`: at the end, or behind the rule with that handle.
    AddRule {
        /// The table.
        table: TableId,
        /// The chain.
        chain: Name,
        /// The rule.
        rule: Arc<Rule>,
        /// The handle of the rule behind which it goes.
        after: Option<u64>,
    },
    /// `insert rule`: at the front, or before the rule with that handle.
    InsertRule {
        /// The table.
        table: TableId,
        /// The chain.
        chain: Name,
        /// The rule.
        rule: Arc<Rule>,
        /// The handle of the rule before which it goes.
        before: Option<u64>,
    },
    /// `replace rule`: another rule in the place of the listed one. Whether it takes over the
    /// handle depends on the kernel.
    ReplaceRule {
        /// The table.
        table: TableId,
        /// The chain.
        chain: Name,
        /// The rule that goes.
        old: Listed<Rule>,
        /// The rule that takes its place.
        new: Arc<Rule>,
    },
    /// `delete rule`.
    DeleteRule(TableId, Name, Listed<Rule>),
    /// `add set` or `add map`.
    AddSet(TableId, Set),
    /// `delete set`.
    DeleteSet(TableId, Name),
    /// `add element`: equal elements may be there already, others with the same key may not.
    AddElements(TableId, Set, Vec<Element>),
    /// `create element`: none of the keys may be there.
    CreateElements(TableId, Set, Vec<Element>),
    /// `delete element`: all keys must be there.
    DeleteElements(TableId, Set, Vec<Element>),
    /// `add counter`, `add quota`, …
    AddObject(TableId, Object),
    /// `delete counter`, …
    DeleteObject(TableId, Object),
}

/// A change to one rule of a chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleChange<'a> {
    pub(super) table: &'a TableId,
    pub(super) chain: &'a Name,
    /// The handle of a rule that must be there: the one that goes, or that the new one goes beside.
    pub(super) named: Option<u64>,
    /// Whether there is a new rule after it.
    pub(super) makes: bool,
}

impl Change {
    /// Whether it names a rule, by the handle that it was listed with, which must be there.
    #[must_use]
    pub fn needs_rule(&self) -> bool {
        self.of_rule().is_some_and(|change| change.named.is_some())
    }

    /// The change as one to a rule; `None` for what is about anything else.
    pub(super) fn of_rule(&self) -> Option<RuleChange<'_>> {
        match self {
            Change::AddRule { table, chain, after: named, .. }
            | Change::InsertRule { table, chain, before: named, .. } => {
                Some(RuleChange { table, chain, named: *named, makes: true })
            }
            Change::ReplaceRule { table, chain, old, .. } => {
                Some(RuleChange { table, chain, named: Some(old.handle), makes: true })
            }
            Change::DeleteRule(table, chain, old) => {
                Some(RuleChange { table, chain, named: Some(old.handle), makes: false })
            }
            Change::AddTable(_)
            | Change::DeleteTable(_)
            | Change::AddChain(..)
            | Change::AddBaseChain(..)
            | Change::FlushChain(..)
            | Change::DeleteChain(..)
            | Change::RenameChain { .. }
            | Change::SetPolicy(..)
            | Change::SetChainCounters(..)
            | Change::AddSet(..)
            | Change::DeleteSet(..)
            | Change::AddElements(..)
            | Change::CreateElements(..)
            | Change::DeleteElements(..)
            | Change::AddObject(..)
            | Change::DeleteObject(..) => None,
        }
    }
}

/// Changes, still open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    changes: Vec<Change>,
    /// Sets that rules name, for the listing.
    known: Vec<Set>,
}

impl Transaction {
    /// No changes yet.
    #[must_use]
    pub fn new() -> Self {
        Transaction::default()
    }

    /// Adds a change behind those there are.
    pub fn push(&mut self, change: Change) {
        if let Change::AddSet(_, set) = &change {
            self.known.push(set.clone());
        }
        self.changes.push(change);
    }

    /// Adds the changes of another transaction behind those there are. Sets of both are known by
    /// their names alone, so sets of different tables should not share one.
    pub fn append(&mut self, other: Transaction) {
        self.changes.extend(other.changes);
        other.known.iter().for_each(|set| self.know(set));
    }

    /// Tells of a set that is there already, so that rules which name it list as they should.
    pub fn know(&mut self, set: &Set) {
        if !self.known.iter().any(|known| known.name == set.name) {
            self.known.push(set.clone());
        }
    }

    /// The changes, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Seals the transaction without its end: the kernel checks it and drops it.
    pub(super) fn seal_open(&self, first_seq: u32) -> Batch<'_> {
        let told = BTreeSet::new();
        let mut writer = Writer::begin(first_seq, None, &told);
        writer.put_all(&self.changes);
        writer.leave_open(&self.changes, &self.known)
    }

    /// Seals the transaction. With a generation the kernel refuses it if anything in nf_tables
    /// has changed since. Numbers of the messages begin at `first_seq`. The rules that the changes
    /// at the places of `told` make are to be told as the kernel lists them.
    #[must_use]
    pub fn seal(
        &self,
        first_seq: u32,
        generation: Option<Generation>,
        told: &BTreeSet<usize>,
    ) -> Batch<'_> {
        let mut writer = Writer::begin(first_seq, generation, told);
        writer.put_all(&self.changes);
        writer.end(&self.changes, &self.known)
    }
}

impl fmt::Display for Transaction {
    /// One line a change, in nft syntax.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{}", describe(change, &self.known))?;
        }
        Ok(())
    }
}

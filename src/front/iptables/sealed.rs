//! Changes that are ready to be committed, each with the line and the deed that it comes from.

use std::collections::BTreeSet;

use crate::nft::{self, Change, Name, TableId, Transaction};
use crate::xtables::Companion;

use super::error::{Error, Refusal};

/// What was being done, by the names of iptables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// `-A`
    RuleAppend,
    /// `-I`
    RuleInsert,
    /// `-R`, `-Z`
    RuleReplace,
    /// `-D`
    RuleDelete,
    /// `-F`
    RuleFlush,
    /// `-N`, or a chain that a hook calls and that is not there yet.
    ChainAdd,
    /// `-X`
    ChainDelete,
    /// `-P`
    ChainUpdate,
    /// `-E`
    ChainRename,
    /// `*table` of a save file.
    TableFlush,
}

impl Deed {
    /// The word for it in the messages of iptables.
    pub(super) fn classic(self) -> &'static str {
        match self {
            Deed::RuleAppend => "RULE_APPEND",
            Deed::RuleInsert => "RULE_INSERT",
            Deed::RuleReplace => "RULE_REPLACE",
            Deed::RuleDelete => "RULE_DELETE",
            Deed::RuleFlush => "RULE_FLUSH",
            Deed::ChainAdd => "CHAIN_ADD",
            Deed::ChainDelete => "CHAIN_DEL",
            Deed::ChainUpdate => "CHAIN_UPDATE",
            Deed::ChainRename => "CHAIN_RENAME",
            Deed::TableFlush => "TABLE_FLUSH",
        }
    }

    /// What a refusal is about: `rule in chain INPUT`.
    pub(super) fn object(self, chain: &str) -> String {
        match self {
            Deed::RuleAppend
            | Deed::RuleInsert
            | Deed::RuleReplace
            | Deed::RuleDelete
            | Deed::RuleFlush => format!("rule in chain {chain}"),
            Deed::ChainAdd | Deed::ChainDelete | Deed::ChainUpdate | Deed::ChainRename => {
                format!("chain {chain}")
            }
            Deed::TableFlush => format!("table {chain}"),
        }
    }
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) deed: Deed,
    /// The line of a save file, from 1; 0 for a command of its own.
    pub(super) line: usize,
}

impl Origin {
    pub(super) fn of(self, deed: Deed) -> Self {
        Origin { deed, ..self }
    }
}

/// A transaction, and where each change of it comes from.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    pub(super) transaction: Transaction,
    origins: Vec<Origin>,
    /// The chains that came with rules so far.
    chains: BTreeSet<Name>,
}

impl Sealed {
    pub(super) fn push(&mut self, change: Change, origin: Origin) {
        self.transaction.push(change);
        self.origins.push(origin);
    }

    /// What a rule refers to goes in front of it.
    pub(super) fn companions(
        &mut self,
        table: &TableId,
        companions: Vec<Companion>,
        origin: Origin,
    ) {
        for companion in companions {
            // Lists depend on the other rules that share them: they are there already.
            if let Companion::List { .. } = &companion {
                continue;
            }
            // Rules share a chain: once in a batch is enough.
            if let Companion::Chain(chain) = &companion
                && !self.chains.insert(chain.name.clone())
            {
                continue;
            }
            for change in companion.changes(table) {
                self.push(change, origin);
            }
        }
    }

    /// What the kernel refused, by the deeds and lines that it comes from.
    pub(super) fn explain(&self, error: nft::Error) -> Error {
        let nft::Error::Refused(refused) = error else { return error.into() };
        let explain = |refused: &nft::RefusedChange| {
            let place = refused.place?;
            let origin = self.origins.get(place)?;
            let chain = chain_of(self.transaction.changes().get(place)?);
            let reason = format!("kernel refused {}: {}", refused.change, refused.reason);
            let errno = refused.reason.errno;
            Some(Refusal { deed: origin.deed, line: origin.line, chain, errno, reason })
        };
        let refusals: Option<Vec<Refusal>> = refused.iter().map(explain).collect();
        match refusals.filter(|refusals| !refusals.is_empty()) {
            Some(refusals) => Error::Refused(refusals),
            None => nft::Error::Refused(refused).into(),
        }
    }
}

/// The chain that a change is about, or the table.
fn chain_of(change: &Change) -> String {
    match change {
        Change::AddTable(table) => table.id.name.to_string(),
        Change::DeleteTable(table) => table.name.to_string(),
        Change::AddChain(_, chain) => chain.name.to_string(),
        Change::AddBaseChain(_, chain) => chain.name.to_string(),
        Change::FlushChain(_, name)
        | Change::DeleteChain(_, name)
        | Change::SetPolicy(_, name, _)
        | Change::SetChainCounters(_, name, _)
        | Change::DeleteRule(_, name, _)
        | Change::AddRule { chain: name, .. }
        | Change::InsertRule { chain: name, .. }
        | Change::ReplaceRule { chain: name, .. }
        | Change::DeleteSet(_, name) => name.to_string(),
        Change::RenameChain { chain, .. } => chain.value.name().to_string(),
        Change::AddSet(_, set)
        | Change::AddElements(_, set, _)
        | Change::CreateElements(_, set, _)
        | Change::DeleteElements(_, set, _) => set.name.to_string(),
        Change::AddObject(_, object) | Change::DeleteObject(_, object) => object.name.to_string(),
    }
}

//! What a commit makes of a mirror.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{Entry, Ledger};
use super::record::{Place, Record};
use crate::nft::{Change, Name, RawRule, TableId};

/// The rules that a commit made, as the kernel lists them, by the place of the change.
pub(in crate::nft) type Listed = BTreeMap<usize, RawRule>;

/// So many rules of a commit are asked back at most: the answers must fit the receive queue, also
/// where it cannot be enlarged.
const ASKED: usize = 8;

/// What becomes of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is of the next generation too, with these records behind it.
    Goes(Vec<Record>),
    /// It is void.
    Over,
}

/// The changes whose rules mirrors have to know: none if there are too many.
pub(super) fn asked(ledger: &Ledger, changes: &[Change]) -> BTreeSet<usize> {
    let is_asked = |change: &Change| {
        let made = change.of_rule().filter(|change| change.makes);
        made.is_some_and(|change| ledger.entry(change.table, change.chain).is_some())
    };
    let places = changes.iter().enumerate().filter(|(_, change)| is_asked(change));
    let places: BTreeSet<usize> = places.map(|(place, _)| place).take(ASKED + 1).collect();
    if places.len() > ASKED { BTreeSet::new() } else { places }
}

/// Whether a commit surely makes the generation greater. One that finds everything as it is to be,
/// an element that is there, a chain to flush that is empty, is acknowledged and is none.
pub(super) fn is_felt(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::AddChain(..)
        | Change::AddBaseChain(..)
        | Change::RenameChain { .. }
        | Change::SetPolicy(..)
        | Change::SetChainCounters(..)
        | Change::AddRule { .. }
        | Change::InsertRule { .. }
        | Change::ReplaceRule { .. }
        // What goes has to be there.
        | Change::DeleteTable(_)
        | Change::DeleteChain(..)
        | Change::DeleteRule(..)
        | Change::DeleteSet(..)
        | Change::DeleteObject(..) => true,
        Change::CreateElements(_, _, elements) | Change::DeleteElements(_, _, elements) => {
            !elements.is_empty()
        }
        Change::AddTable(_)
        | Change::FlushChain(..)
        | Change::AddSet(..)
        | Change::AddElements(..)
        | Change::AddObject(..) => false,
    })
}

/// What becomes of a mirror by a commit.
pub(super) fn fate(entry: &Entry, changes: &[Change], listed: &Listed) -> Fate {
    let mut records = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        match effect(entry, change, listed.get(&place)) {
            Effect::None => {}
            Effect::Record(record) => records.push(record),
            Effect::End => return Fate::Over,
        }
    }
    Fate::Goes(records)
}

/// What one change does to a mirror.
enum Effect {
    None,
    Record(Record),
    End,
}

fn effect(entry: &Entry, change: &Change, listed: Option<&RawRule>) -> Effect {
    let is_chain = |table: &TableId, chain: &Name| *table == entry.table && *chain == entry.chain;
    let over = |is_over: bool| if is_over { Effect::End } else { Effect::None };
    let put = |is_here: bool, place: Place| match (is_here, listed) {
        (false, _) => Effect::None,
        (true, Some(rule)) => Effect::Record(Record::Put(place, rule.clone())),
        (true, None) => Effect::End,
    };
    match change {
        // What is to be made was not there, so that the mirror is of one that has gone.
        Change::AddTable(table) => over(table.id == entry.table),
        Change::AddChain(table, chain) => over(is_chain(table, &chain.name)),
        Change::AddBaseChain(table, chain) => over(is_chain(table, &chain.name)),
        Change::DeleteTable(table) => over(*table == entry.table),
        Change::FlushChain(table, chain) | Change::DeleteChain(table, chain) => {
            over(is_chain(table, chain))
        }
        // Rules of any chain may jump to it, and are listed with its name.
        Change::RenameChain { table, .. } => over(*table == entry.table),
        Change::AddRule { table, chain, after, .. } => {
            put(is_chain(table, chain), after.map_or(Place::End, Place::Behind))
        }
        Change::InsertRule { table, chain, before, .. } => {
            put(is_chain(table, chain), before.map_or(Place::Front, Place::Before))
        }
        Change::ReplaceRule { table, chain, old, .. } => {
            put(is_chain(table, chain), Place::Of(old.handle))
        }
        Change::DeleteRule(table, chain, rule) if is_chain(table, chain) => {
            Effect::Record(Record::Delete(rule.handle))
        }
        Change::DeleteRule(..)
        | Change::SetPolicy(..)
        | Change::SetChainCounters(..)
        | Change::AddSet(..)
        | Change::DeleteSet(..)
        | Change::AddElements(..)
        | Change::CreateElements(..)
        | Change::DeleteElements(..)
        | Change::AddObject(..)
        | Change::DeleteObject(..) => Effect::None,
    }
}

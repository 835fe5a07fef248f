//! The lists of `-m recent` that rules of a change need: each is one set, with one time for all.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::error::{Error, Refusal};
use super::sealed::{Origin, Sealed};
use crate::nft::{Change, Expr, Name, Rule, Set, TableId};
use crate::xtables::{self, Age, Companion, Compiled};

/// What is to become of a list's set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is there as it should be.
    Stays,
    Made,
    /// It is there for another time, and all rules that name it go.
    Remade,
}

#[derive(Debug)]
struct List {
    set: Set,
    /// What the rules that come want.
    age: Age,
    fate: Fate,
    origin: Origin,
}

/// Lists by their sets.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: BTreeMap<Name, List>,
    /// The sets of the kernel, once they were asked for.
    known: Option<Vec<Set>>,
}

impl Draft<'_> {
    /// Notes the lists of a rule that comes.
    pub(super) fn note_lists(
        &mut self,
        chain: &str,
        rule: &Compiled,
        origin: Origin,
    ) -> Result<(), Error> {
        for companion in &rule.companions {
            let Companion::List { set, age } = companion else { continue };
            let wanted = match self.lists.lists.get(&set.name) {
                Some(list) => list.age.and(*age),
                None => Some(*age),
            };
            let wanted = wanted.ok_or_else(|| conflict(&set.name))?;
            let fate = self.fate(set, wanted, (chain, origin))?;
            let list = List { set: set.clone(), age: wanted, fate, origin };
            self.lists.lists.insert(set.name.clone(), list);
        }
        Ok(())
    }

    /// What becomes of a list's set, with what the kernel has of it.
    fn fate(&mut self, set: &Set, wanted: Age, of: (&str, Origin)) -> Result<Fate, Error> {
        let name = &set.name;
        self.depends = true;
        if self.is_cleared() {
            return Ok(Fate::Made);
        }
        let there = self.known_sets()?.iter().find(|there| there.name == *name);
        let Some((there, is_list)) = there.map(|there| (Age::of(there), is_list(there, set)))
        else {
            return Ok(Fate::Made);
        };
        if !is_list {
            return Err(in_the_way(name, of));
        }
        if there.and(wanted).is_some() {
            return Ok(Fate::Stays);
        }
        if self.is_free(name)? { Ok(Fate::Remade) } else { Err(conflict(name)) }
    }

    /// The sets of the kernel, asked for once.
    pub(super) fn known_sets(&mut self) -> Result<&[Set], Error> {
        let known = match self.lists.known.take() {
            Some(known) => known,
            None => self.kernel.sets(&self.id)?,
        };
        Ok(self.lists.known.insert(known))
    }

    /// Whether all rules of the kernel's that name a set go.
    fn is_free(&mut self, set: &Name) -> Result<bool, Error> {
        let rules = self.kernel.rules(&self.id, None)?;
        let naming = rules.iter().filter(|(_, rule)| names(&rule.value, set));
        Ok(naming.into_iter().all(|(chain, rule)| !self.keeps(chain, rule.handle)))
    }
}

impl Lists {
    /// Sets that go: behind the rules that named them.
    pub(super) fn seal_deletions(&self, table: &TableId, sealed: &mut Sealed) {
        for list in self.lists.values().filter(|list| list.fate == Fate::Remade) {
            let change = Change::DeleteSet(table.clone(), list.set.name.clone());
            sealed.push(change, list.origin);
        }
    }

    /// Sets that come: in front of the rules.
    pub(super) fn seal(self, table: &TableId, sealed: &mut Sealed) {
        for List { set, age, fate, origin } in self.lists.into_values() {
            if fate != Fate::Stays {
                sealed.push(Change::AddSet(table.clone(), age.given_to(set)), origin);
            }
        }
    }
}

/// Whether a set of the kernel's is a list: what would have been made, whatever its time.
fn is_list(there: &Set, list: &Set) -> bool {
    let made = Age::of(there).given_to(list.clone());
    let shape = |set: &Set| (set.key.clone(), set.data.clone(), set.flags, set.exprs.clone());
    xtables::is_companion(there) && shape(there) == shape(&made)
}

/// A set that has the name of a list, and is none.
fn in_the_way(set: &Name, (chain, origin): (&str, Origin)) -> Error {
    Error::Refused(vec![Refusal {
        deed: origin.deed,
        line: origin.line,
        chain: chain.to_owned(),
        errno: nix::errno::Errno::EEXIST as i32,
        reason: format!("another program's set has the name {set}, which \"-m recent\" needs"),
    }])
}

fn conflict(set: &Name) -> Error {
    Error::Words(xtables::Error::ListAge { name: set.to_string() })
}

fn names(rule: &Rule, set: &Name) -> bool {
    rule.exprs.iter().any(|expr| match expr {
        Expr::Dynset(dynset) => dynset.set == *set,
        expr => expr.set_ref().is_some_and(|found| found.name() == set),
    })
}

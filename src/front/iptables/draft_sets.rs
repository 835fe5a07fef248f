//! Sets that belong to one rule: named by its chain, and not shared with another chain that was
//! called so before.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::error::Error;
use super::naming::{Naming, naming};
use crate::nft::Name;
use crate::xtables::{Compiled, is_companion, own_sets, with_next_own_sets};

/// Who has the sets that belong to one rule.
#[derive(Debug, Default)]
pub(super) struct OwnSets {
    /// The chains whose new rules have them.
    taken: BTreeMap<Name, String>,
    /// The rules of the kernel's that name them, once they were asked for.
    naming: Option<Vec<Naming>>,
}

impl OwnSets {
    /// Follows a chain to its new name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for chain in self.taken.values_mut().filter(|chain| *chain == from) {
            *chain = to.to_owned();
        }
    }
}

impl Draft<'_> {
    /// The rules with sets that no rule of another chain has: what a chain is renamed with keeps its
    /// name, and a new chain of the old name comes to the same. `None` if none of them has such sets.
    pub(super) fn with_free_sets(
        &mut self,
        chain: &str,
        rules: &[Compiled],
    ) -> Result<Option<Vec<Compiled>>, Error> {
        if rules.iter().all(|rule| own_sets(rule).next().is_none()) {
            return Ok(None);
        }
        self.depends = true;
        let mut free = Vec::new();
        for rule in rules {
            let mut rule = rule.clone();
            while self.is_taken(chain, &rule)? {
                rule = with_next_own_sets(rule)?;
            }
            let sets = own_sets(&rule).map(|set| (set.clone(), chain.to_owned()));
            self.own_sets.taken.extend(sets);
            free.push(rule);
        }
        Ok(Some(free))
    }

    /// Whether a rule of another chain names a set of this one.
    fn is_taken(&mut self, chain: &str, rule: &Compiled) -> Result<bool, Error> {
        for set in own_sets(rule) {
            if self.own_sets.taken.get(set).is_some_and(|owner| owner != chain) {
                return Ok(true);
            }
            if self.is_cleared() || !self.known_sets()?.iter().any(|known| known.name == *set) {
                continue;
            }
            let there = self.chain(chain)?.filter(|draft| draft.there.is_some());
            let there = there.map(|draft| draft.name.clone());
            let named = match self.own_sets.naming.take() {
                Some(naming) => naming,
                None => self.read_naming()?,
            };
            let mut others =
                named.iter().filter(|of| of.set == *set && Some(&of.chain) != there.as_ref());
            let is_taken = others.any(|of| self.keeps(&of.chain, of.rule));
            self.own_sets.naming = Some(named);
            if is_taken {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_naming(&mut self) -> Result<Vec<Naming>, Error> {
        let rules = self.kernel.raw_rules_by_chain(&self.id, None)?;
        let sets = self.known_sets()?.iter().filter(|set| is_companion(set));
        Ok(naming(&rules, &sets.collect::<Vec<_>>())?)
    }
}

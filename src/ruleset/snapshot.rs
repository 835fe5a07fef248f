//! What is there, of what matters.

use std::collections::BTreeMap;

use crate::nft::{
    AnyChain, Element, Error, Kernel, Listed, Name, Object, Rule, Set, Table, TableId,
};

/// Part of a table as the kernel has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The table, if it is there.
    pub table: Option<Table>,
    /// The objects asked for.
    pub objects: BTreeMap<Name, Object>,
    /// All sets that have names of their own.
    pub sets: BTreeMap<Name, Set>,
    /// The chains asked for, with their rules in order.
    pub chains: BTreeMap<Name, (AnyChain, Vec<Listed<Rule>>)>,
    /// The elements asked for, by set and key.
    pub elements: BTreeMap<(Name, Vec<u8>), Element>,
}

/// What to look for. Each is looked up by its name or key, so that the cost does not depend on
/// what else the table holds.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Objects.
    pub objects: Vec<Name>,
    /// Chains, with their rules.
    pub chains: Vec<Name>,
    /// Elements: the set, and an element whose key is the one wanted.
    pub elements: Vec<(Name, Element)>,
}

/// From so many keys of one set on, all its elements are dumped instead.
const DUMP_FROM: usize = 2048;

impl Snapshot {
    /// Reads the table itself and the list of its sets.
    ///
    /// # Errors
    /// [`Error`].
    pub fn of_table(kernel: &mut Kernel, table: &TableId) -> Result<Self, Error> {
        let Some(found) = kernel.table(table)? else { return Ok(Snapshot::default()) };
        let sets = kernel.sets(table)?;
        let named = sets.into_iter().filter(|set| !set.is_anonymous());
        Ok(Snapshot {
            table: Some(found),
            sets: named.map(|set| (set.name.clone(), set)).collect(),
            ..Snapshot::default()
        })
    }

    /// Reads what is wanted, in addition to what was read. Nothing is asked of a table that is not
    /// there.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(
        &mut self,
        kernel: &mut Kernel,
        table: &TableId,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        if self.table.is_none() {
            return Ok(());
        }
        let objects = kernel.counters_named(table, &wanted.objects)?;
        self.objects.extend(objects.into_iter().flatten().map(|o| (o.name.clone(), o)));
        for chain in kernel.chains_named(table, &wanted.chains)?.into_iter().flatten() {
            let name = chain.value.name().clone();
            let rules = kernel.rules(table, Some(&name))?;
            let rules = rules.into_iter().map(|(_, rule)| rule).collect();
            self.chains.insert(name, (chain.value, rules));
        }
        self.read_elements(kernel, table, &wanted.elements)
    }

    fn read_elements(
        &mut self,
        kernel: &mut Kernel,
        table: &TableId,
        wanted: &[(Name, Element)],
    ) -> Result<(), Error> {
        // A set whose keys have another length is not ours, which the difference will say.
        let is_there = |(name, element): &&(Name, Element)| {
            self.sets.get(name).is_some_and(|set| set.key_len() == element.key.len())
        };
        let there: Vec<&(Name, Element)> = wanted.iter().filter(is_there).collect();
        if there.len() >= DUMP_FROM {
            let mut sets: Vec<&Name> = there.iter().map(|(set, _)| set).collect();
            sets.sort();
            sets.dedup();
            for set in sets {
                for element in kernel.elements(table, set)? {
                    self.elements.insert((set.clone(), element.key.clone()), element);
                }
            }
            return Ok(());
        }
        let keys: Vec<(&Name, &Element)> =
            there.iter().map(|(set, element)| (set, element)).collect();
        for ((set, _), found) in there.iter().zip(kernel.elements_at(table, &keys)?) {
            if let Some(element) = found {
                self.elements.insert((set.clone(), element.key.clone()), element);
            }
        }
        Ok(())
    }

    /// Reads every element of every set that was listed: what a table holds, at its price.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read_all_elements(&mut self, kernel: &mut Kernel, table: &TableId) -> Result<(), Error> {
        for set in self.sets.keys() {
            for element in kernel.elements(table, set)? {
                self.elements.insert((set.clone(), element.key.clone()), element);
            }
        }
        Ok(())
    }
}

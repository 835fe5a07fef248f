//! A table as operations will leave it: read as far as they need it, changed in memory, committed
//! as one batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::builtin::Table;
use super::draft_chain::{DraftChain, NewRule, Sought, Source};
use super::draft_lists::Lists;
use super::draft_sets::OwnSets;
use super::error::{Error, Refusal};
use super::sealed::{Deed, Origin, Sealed};
use super::state::table_id;
use crate::net::IpVersion;
use crate::nft::expr::{Counter, Immediate, Verdict};
use crate::nft::{AnyChain, Change, Expr, Kernel, Name, Policy, Rule, TableId};
use crate::xtables::{
    Compiled, Counters, Operation, companion_chain, is_companion_chain, jump_target,
};

/// A table that is being changed.
pub(super) struct Draft<'a> {
    pub(super) kernel: &'a mut Kernel,
    pub(super) table: &'static Table,
    pub(super) version: IpVersion,
    pub(super) id: TableId,
    source: Source,
    /// The chains that were looked at, by the names they will have; `None` for one that will not
    /// be there.
    pub(super) chains: BTreeMap<String, Option<DraftChain>>,
    /// Chains of the kernel's that go.
    pub(super) gone: Vec<(DraftChain, Origin)>,
    /// Whether chains that are not in `chains` are not there.
    is_complete: bool,
    /// The table goes first, with all that is in it.
    cleared: Option<Origin>,
    /// Maps that are made as if they were new.
    pub(super) renewed: Vec<(Change, Origin)>,
    /// Lists that rules share.
    pub(super) lists: Lists,
    /// Sets that belong to one rule.
    pub(super) own_sets: OwnSets,
    /// Whether what comes of it depends on what was read.
    pub(super) depends: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        kernel: &'a mut Kernel,
        table: &'static Table,
        version: IpVersion,
        source: Source,
    ) -> Draft<'a> {
        let id = table_id(table, version);
        let (chains, gone) = (BTreeMap::new(), Vec::new());
        let (is_complete, cleared, renewed, depends) = (false, None, Vec::new(), false);
        let (lists, own_sets) = (Lists::default(), OwnSets::default());
        Draft {
            kernel,
            table,
            version,
            id,
            source,
            chains,
            gone,
            is_complete,
            cleared,
            renewed,
            lists,
            own_sets,
            depends,
        }
    }

    /// Begins with an empty table.
    pub(super) fn clear(&mut self, line: usize) -> Result<(), Error> {
        self.depends = true;
        self.is_complete = true;
        if self.kernel.table(&self.id)?.is_some() {
            self.cleared = Some(Origin { deed: Deed::TableFlush, line });
        }
        Ok(())
    }

    /// Whether nothing of the kernel's stays.
    pub(super) fn is_cleared(&self) -> bool {
        self.cleared.is_some()
    }

    /// Whether a rule of the kernel's stays.
    pub(super) fn keeps(&self, chain: &Name, handle: u64) -> bool {
        let gone = self.gone.iter().map(|(chain, _)| chain);
        let mut drafts = self.chains.values().flatten().chain(gone);
        drafts.find(|draft| draft.name == *chain).is_none_or(|draft| draft.keeps(handle))
    }

    /// Whether the batch holds only while nothing else changes.
    pub(super) fn depends(&self) -> bool {
        self.depends
    }

    /// Does an operation in memory. `line` is that of a save file, or 0.
    pub(super) fn apply(&mut self, operation: &Operation, line: usize) -> Result<(), Error> {
        let origin = |deed| Origin { deed, line };
        match operation {
            Operation::Append { chain, rules } => {
                self.add(chain, None, rules, origin(Deed::RuleAppend))
            }
            Operation::Insert { chain, number, rules } => {
                self.add(chain, Some(*number), rules, origin(Deed::RuleInsert))
            }
            Operation::Replace { chain, number, rule } => {
                self.replace(chain, *number, rule, origin(Deed::RuleReplace))
            }
            Operation::DeleteNumber { chain, number } => {
                let missing = self.missing(chain, Error::NoIndex { what: "deletion" });
                let found = self.loaded(chain, Sought::Places)?.ok_or(missing)?;
                let at = (*number as usize).wrapping_sub(1);
                let deleted = found.delete(at, origin(Deed::RuleDelete))?;
                if deleted { Ok(()) } else { Err(Error::NoIndex { what: "deletion" }) }
            }
            Operation::Delete { chain, rules } => {
                for rule in rules {
                    let (found, at) = self.find(chain, rule)?;
                    if !found.delete(at, origin(Deed::RuleDelete))? {
                        return Err(Error::NoRule);
                    }
                }
                Ok(())
            }
            Operation::Check { chain, rules } => {
                for rule in rules {
                    self.find(chain, rule)?;
                }
                Ok(())
            }
            Operation::Flush { chain } => self.flush(chain.as_deref(), origin(Deed::RuleFlush)),
            Operation::Zero { chain, number } => {
                self.zero(chain.as_deref(), *number, origin(Deed::RuleReplace))
            }
            Operation::NewChain { chain } => self.new_chain(chain, origin(Deed::ChainAdd)),
            Operation::DeleteChain { chain } => {
                self.delete_chains(chain.as_deref(), origin(Deed::ChainDelete))
            }
            Operation::Policy { chain, target, counters } => {
                self.policy(chain, target, *counters, origin(Deed::ChainUpdate))
            }
            Operation::Rename { from, to } => self.rename(from, to, origin(Deed::ChainRename)),
            Operation::List { .. }
            | Operation::ListRules { .. }
            | Operation::Version
            | Operation::Help => Err(Error::NoChange),
        }
    }

    /// `:CHAIN` of a save file: a user's chain is there and empty then.
    pub(super) fn declare(&mut self, chain: &str, line: usize) -> Result<(), Error> {
        let origin = Origin { deed: Deed::ChainAdd, line };
        match self.chain(chain)? {
            Some(found) => found.flush(origin.of(Deed::RuleFlush)),
            None => self.make(chain, origin)?,
        }
        Ok(())
    }

    /// `:INPUT DROP [0:0]` of a save file: policy and counters of a chain that a hook calls. Its
    /// rules stay.
    pub(super) fn declare_builtin(
        &mut self,
        chain: &str,
        policy: Option<Policy>,
        counters: Option<Counters>,
        line: usize,
    ) -> Result<(), Error> {
        let origin = Origin { deed: Deed::ChainUpdate, line };
        let found = self.chain_to_add_to(chain, origin.of(Deed::ChainAdd))?;
        if let Some(policy) = policy {
            found.set_policy(policy, origin);
        }
        if let Some(Counters { packets, bytes }) = counters {
            found.set_counter(Counter { packets, bytes }, origin);
        }
        Ok(())
    }

    /// All changes, in an order that the kernel takes: what goes, chains, rules, the rest.
    pub(super) fn finish(self) -> Result<Sealed, Error> {
        let mut sealed = Sealed::default();
        let id = self.id;
        if let Some(origin) = self.cleared {
            sealed.push(Change::DeleteTable(id.clone()), origin);
        }
        let mut chains: Vec<DraftChain> = self.chains.into_values().flatten().collect();
        let there = chains.iter().filter(|chain| chain.there.is_some());
        let there: BTreeSet<&Name> = there.map(|chain| &chain.name).collect();
        for (made, origin) in chains.iter().filter_map(DraftChain::to_be_made) {
            if there.contains(made) {
                return Err(still_named(made, origin));
            }
        }
        for chain in &mut chains {
            chain.seal_deletions(&id, &mut sealed);
        }
        for (mut chain, origin) in self.gone {
            chain.seal_deletions(&id, &mut sealed);
            sealed.push(Change::DeleteChain(id.clone(), chain.name), origin);
        }
        // One that is there keeps its flags: it may be dormant.
        let makes_chains = chains.iter().any(|chain| chain.there.is_none());
        if makes_chains && (self.cleared.is_some() || self.kernel.table(&id)?.is_none()) {
            let origin = Origin { deed: Deed::ChainAdd, line: 0 };
            sealed.push(Change::AddTable(crate::nft::Table::new(id.clone())), origin);
        }
        for (change, origin) in self.renewed {
            sealed.push(change, origin);
        }
        self.lists.seal_deletions(&id, &mut sealed);
        self.lists.seal(&id, &mut sealed);
        for chain in &chains {
            chain.seal_chain(&id, &mut sealed);
        }
        for chain in &mut chains {
            chain.seal_rules(&id, &mut sealed);
        }
        for chain in chains {
            chain.seal_rest(&id, &mut sealed);
        }
        Ok(sealed)
    }

    /// A chain as it is so far.
    pub(super) fn chain(&mut self, name: &str) -> Result<Option<&mut DraftChain>, Error> {
        if !self.chains.contains_key(name) {
            let found = if self.is_complete { None } else { self.read(name)? };
            // One that is to be made must not be there by then with a policy of somebody's.
            self.depends |= found.is_none();
            self.chains.insert(name.to_owned(), found);
        }
        Ok(self.chains.get_mut(name).and_then(Option::as_mut))
    }

    /// Whether another program's base chain has this name.
    pub(super) fn is_of_others(&mut self, name: &str) -> Result<bool, Error> {
        let Ok(name) = Name::new(name) else { return Ok(false) };
        if self.is_complete {
            return Ok(false);
        }
        let there = self.kernel.chains_named(&self.id, &[name])?;
        Ok(there.into_iter().flatten().any(|chain| matches!(chain.value, AnyChain::Base(_))))
    }

    fn read(&mut self, name: &str) -> Result<Option<DraftChain>, Error> {
        let Ok(name) = Name::new(name) else { return Ok(None) };
        let usage = self.kernel.chain_usage(&self.id, std::slice::from_ref(&name))?;
        let Some(usage) = usage.into_iter().flatten().next() else { return Ok(None) };
        match (self.table.builtin(name.as_str()), &usage.chain.value) {
            // In the way of the one that iptables means.
            (Some(builtin), there) if !builtin.is(there) => Err(in_the_way(&name)),
            // Another program's: iptables neither lists nor changes it.
            (None, AnyChain::Base(_)) => Ok(None),
            (Some(_), _) | (None, AnyChain::Regular(_)) => {
                let origin = Origin { deed: Deed::ChainUpdate, line: 0 };
                Ok(Some(DraftChain::listed(usage, origin)))
            }
        }
    }

    /// All chains of the kernel's are in memory then.
    pub(super) fn read_all(&mut self) -> Result<(), Error> {
        self.depends = true;
        if self.is_complete {
            return Ok(());
        }
        self.is_complete = true;
        let origin = Origin { deed: Deed::ChainUpdate, line: 0 };
        for usage in self.kernel.all_chain_usage(&self.id)? {
            let handle = usage.chain.handle;
            // It goes with the last rule that it came with.
            if is_companion_chain(usage.chain.value.name()) {
                continue;
            }
            let is_known = |chain: &DraftChain| {
                chain.there.as_ref().is_some_and(|there| there.handle == handle)
            };
            let gone = self.gone.iter().any(|(chain, _)| is_known(chain));
            if gone || self.chains.values().flatten().any(is_known) {
                continue;
            }
            let name = usage.chain.value.name().to_string();
            let chain = DraftChain::listed(usage, origin);
            self.chains.insert(name, Some(chain));
        }
        Ok(())
    }

    /// A chain with its rules in memory, as far as they are sought.
    pub(super) fn loaded(
        &mut self,
        name: &str,
        sought: Sought<'_>,
    ) -> Result<Option<&mut DraftChain>, Error> {
        self.depends = true;
        self.chain(name)?;
        let Some(chain) = self.chains.get_mut(name).and_then(Option::as_mut) else {
            return Ok(None);
        };
        chain.load(self.kernel, &self.id, self.source, sought)?;
        Ok(Some(chain))
    }

    /// Why a chain is not there: one that a hook calls counts as there, and empty.
    fn missing(&self, name: &str, empty: Error) -> Error {
        if self.table.builtin(name).is_some() { empty } else { Error::NoSuch }
    }

    pub(super) fn make(&mut self, name: &str, origin: Origin) -> Result<(), Error> {
        let valid = Name::new(name).map_err(|_| Error::NoSuch)?;
        let chain = DraftChain::made(valid, self.table.builtin(name), origin);
        self.chains.insert(name.to_owned(), Some(chain));
        Ok(())
    }

    /// The chain that rules go to; one that a hook calls is made where it is not there.
    fn chain_to_add_to(&mut self, name: &str, origin: Origin) -> Result<&mut DraftChain, Error> {
        if self.chain(name)?.is_none() {
            if self.table.builtin(name).is_none() {
                return Err(Error::NoSuch);
            }
            self.make(name, origin.of(Deed::ChainAdd))?;
        }
        self.chain(name)?.ok_or(Error::NoSuch)
    }

    fn add(
        &mut self,
        chain: &str,
        number: Option<u32>,
        rules: &[Compiled],
        origin: Origin,
    ) -> Result<(), Error> {
        let free = self.with_free_sets(chain, rules)?;
        let rules = free.as_deref().unwrap_or(rules);
        rules.iter().try_for_each(|rule| self.prepare(chain, rule, origin))?;
        let rules = self.ready(rules, origin)?;
        self.chain_to_add_to(chain, origin)?;
        let at = match number {
            Some(number) if number > 1 => Some(number as usize - 1),
            Some(_) | None => None,
        };
        if at.is_some() {
            self.loaded(chain, Sought::Places)?;
        }
        let chain = self.chain_to_add_to(chain, origin)?;
        for new in rules {
            match (number, at) {
                (None, _) => chain.append(new),
                (Some(_), None) => chain.prepend(new),
                (Some(_), Some(at)) => {
                    if !chain.insert(at, new) {
                        return Err(Error::NoIndex { what: "insertion" });
                    }
                }
            }
        }
        Ok(())
    }

    fn replace(
        &mut self,
        chain: &str,
        number: u32,
        rule: &Compiled,
        origin: Origin,
    ) -> Result<(), Error> {
        let rules = std::slice::from_ref(rule);
        let free = self.with_free_sets(chain, rules)?;
        let rules = free.as_deref().unwrap_or(rules);
        rules.iter().try_for_each(|rule| self.prepare(chain, rule, origin))?;
        let new = self.ready(rules, origin)?.pop().ok_or(Error::NoRule)?;
        let missing = self.missing(chain, Error::NoIndex { what: "replacement" });
        let found = self.loaded(chain, Sought::Places)?.ok_or(missing)?;
        let at = (number as usize).wrapping_sub(1);
        if found.replace(at, new)? { Ok(()) } else { Err(Error::NoIndex { what: "replacement" }) }
    }

    /// Rules for the table as it is: what they jump to is there.
    fn ready(&mut self, rules: &[Compiled], origin: Origin) -> Result<Vec<NewRule>, Error> {
        let drops = |expr: &Expr| matches!(expr, Expr::Immediate(Immediate::Verdict(verdict)) if *verdict == Verdict::Drop);
        let mut renamed = None;
        if let Some(first) = rules.first() {
            if self.table.name == "nat" && first.rule.exprs.iter().any(drops) {
                return Err(Error::NatDrop);
            }
            if let (Some(target), None) = (jump_target(&first.rule), companion_chain(&first.rule)) {
                let missing = || Error::NoChain { name: target.to_owned() };
                let found = self.chain(target)?.ok_or_else(missing)?;
                renamed = Some(found.name.clone()).filter(|name| name.as_str() != target);
            }
        }
        let ready = |compiled: &Compiled| {
            let Compiled { mut rule, companions } = compiled.clone();
            if let Some(name) = &renamed {
                retarget(Arc::make_mut(&mut rule), name);
            }
            NewRule { rule, companions, origin }
        };
        Ok(rules.iter().map(ready).collect())
    }

    /// The first rule of a chain that is the same as this one.
    fn find(&mut self, chain: &str, rule: &Compiled) -> Result<(&mut DraftChain, usize), Error> {
        let origin = Origin { deed: Deed::RuleDelete, line: 0 };
        let ready = self.ready(std::slice::from_ref(rule), origin)?.pop().ok_or(Error::NoRule)?;
        let wanted = Compiled { rule: ready.rule, companions: ready.companions };
        let version = self.version;
        let sought = Sought::Rule(&wanted, version);
        let found = self.loaded(chain, sought)?.ok_or(Error::NoRule)?;
        let at = found.find(&wanted, version)?.ok_or(Error::NoRule)?;
        Ok((found, at))
    }
}

/// A chain that has the name of one that a hook calls, and is not that.
fn in_the_way(name: &Name) -> Error {
    Error::Refused(vec![Refusal {
        deed: Deed::ChainAdd,
        line: 0,
        chain: name.to_string(),
        errno: nix::errno::Errno::EEXIST as i32,
        reason: format!(
            "another program's chain has the name {name}, and another hook or priority, or none"
        ),
    }])
}

/// A chain with the name that another has until the batch is committed: the kernel would take that.
fn still_named(name: &Name, origin: Origin) -> Error {
    Error::Refused(vec![Refusal {
        deed: Deed::ChainAdd,
        line: origin.line,
        chain: name.to_string(),
        errno: nix::errno::Errno::EEXIST as i32,
        reason: format!("a chain gives up the name {name} only when all of this is committed"),
    }])
}

/// Makes a rule jump to a chain by the name that it has until the batch is committed.
fn retarget(rule: &mut Rule, name: &Name) {
    for expr in &mut rule.exprs {
        if let Expr::Immediate(Immediate::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain))) =
            expr
        {
            *chain = name.clone();
        }
    }
}

//! Changes: each operation is one batch, against the generation that it was decided on.

use super::builtin::Table;
use super::error::Error;
use super::state::{State, table_id};
use crate::net::IpVersion;
use crate::nft::{
    Applied, Chain, Change, Kernel, Listed, Name, Policy, RawRule, Rule, TableId, Transaction,
};
use crate::xtables::{Companion, Compiled, Counters, Operation, Pattern, jump_target};

/// How often an operation is decided anew when others commit in between.
const ATTEMPTS: u32 = 20;

/// A table that is being changed.
pub(super) struct Changer<'a> {
    pub(super) kernel: &'a mut Kernel,
    pub(super) table: &'static Table,
    pub(super) version: IpVersion,
}

/// Where rules go without looking at those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl Changer<'_> {
    /// Does an operation that changes something.
    pub(super) fn change(&mut self, operation: &Operation) -> Result<(), Error> {
        match operation {
            Operation::Append { chain, rules } => self.add(chain, rules, End::Back),
            Operation::Insert { chain, number: 1, rules } => self.add(chain, rules, End::Front),
            operation => self.decided(|changer| changer.decide(operation)),
        }
    }

    /// Commits what `decide` makes of the table as it is; anew, if it has changed meanwhile.
    fn decided(
        &mut self,
        decide: impl Fn(&mut Self) -> Result<Transaction, Error>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let generation = self.kernel.generation()?;
            let transaction = match decide(self) {
                // Of two pieces perhaps: what was listed first was gone then.
                Err(_) if self.kernel.generation()? != generation => continue,
                decided => decided?,
            };
            match self.kernel.commit(&transaction, Some(generation))? {
                Applied::Committed => return Ok(()),
                Applied::Stale => {}
            }
        }
        let table = table_id(self.table, self.version).to_string();
        Err(Error::Unsteady { table, attempts: ATTEMPTS })
    }

    /// Rules at the end or the front: nothing of the table is read but whether the chains are
    /// there, and nothing depends on what others commit meanwhile.
    fn add(&mut self, chain: &str, rules: &[Compiled], end: End) -> Result<(), Error> {
        let id = self.id();
        self.check_targets(rules)?;
        let mut transaction = Transaction::new();
        let chain = self.chain_to_add_to(chain, &mut transaction)?;
        put_companions(&mut transaction, &id, rules);
        for rule in rules {
            let (table, chain, rule) = (id.clone(), chain.clone(), rule.rule.clone());
            transaction.push(match end {
                End::Back => Change::AddRule { table, chain, rule, after: None },
                End::Front => Change::InsertRule { table, chain, rule, before: None },
            });
        }
        self.kernel.commit(&transaction, None)?;
        Ok(())
    }

    /// The changes that an operation means, after what is there.
    fn decide(&mut self, operation: &Operation) -> Result<Transaction, Error> {
        let mut transaction = Transaction::new();
        let id = self.id();
        match operation {
            Operation::Append { .. } => {}
            Operation::Insert { chain, number, rules } => {
                self.insert(chain, *number, rules, &mut transaction)?;
            }
            Operation::Replace { chain, number, rule } => {
                self.check_targets(std::slice::from_ref(rule))?;
                let (name, mut listed) = self.rules_of(chain)?;
                let too_big = Error::NoIndex { what: "replacement" };
                let at = index(*number, listed.len()).ok_or(too_big)?;
                put_companions(&mut transaction, &id, std::slice::from_ref(rule));
                let (old, new) = (listed.swap_remove(at), rule.rule.clone());
                transaction.push(Change::ReplaceRule { table: id, chain: name, old, new });
            }
            Operation::DeleteNumber { chain, number } => {
                let (name, mut listed) = self.rules_of(chain)?;
                let too_big = Error::NoIndex { what: "deletion" };
                let at = index(*number, listed.len()).ok_or(too_big)?;
                transaction.push(Change::DeleteRule(id, name, listed.swap_remove(at)));
            }
            Operation::Delete { chain, rules } => {
                self.check_targets(rules)?;
                let (name, mut listed) = self.rules_to_search(chain)?;
                for rule in rules {
                    let at = self.find(rule, &listed)?.ok_or(Error::NoRule)?;
                    let found = listed.remove(at).decode()?;
                    transaction.push(Change::DeleteRule(id.clone(), name.clone(), found));
                }
            }
            Operation::Check { chain, rules } => {
                self.check_targets(rules)?;
                let (_, listed) = self.rules_to_search(chain)?;
                for rule in rules {
                    self.find(rule, &listed)?.ok_or(Error::NoRule)?;
                }
            }
            Operation::Flush { chain } => self.flush(chain.as_deref(), &mut transaction)?,
            Operation::Zero { chain, number } => {
                self.zero(chain.as_deref(), *number, &mut transaction)?;
            }
            Operation::NewChain { chain } => {
                let name = Name::new(chain.as_str()).map_err(|_| Error::NoSuch)?;
                if self.table.builtin(chain).is_some() || self.has(&name)? {
                    return Err(Error::Exists);
                }
                transaction.push(Change::AddTable(crate::nft::Table::new(id.clone())));
                transaction.push(Change::AddChain(id, Chain::new(name)));
            }
            Operation::DeleteChain { chain } => {
                self.delete_chains(chain.as_deref(), &mut transaction)?;
            }
            Operation::Policy { chain, target, counters } => {
                self.policy(chain, target, *counters, &mut transaction)?;
            }
            Operation::Rename { from, to } => self.rename(from, to, &mut transaction)?,
            Operation::List { .. }
            | Operation::ListRules { .. }
            | Operation::Version
            | Operation::Help => {}
        }
        Ok(transaction)
    }

    fn id(&self) -> TableId {
        table_id(self.table, self.version)
    }

    fn has(&mut self, name: &Name) -> Result<bool, Error> {
        let found = self.kernel.chains_named(&self.id(), std::slice::from_ref(name))?;
        Ok(found.into_iter().flatten().next().is_some())
    }

    /// Chains that rules jump to must be there.
    fn check_targets(&mut self, rules: &[Compiled]) -> Result<(), Error> {
        let Some(target) = rules.first().and_then(|rule| jump_target(&rule.rule)) else {
            return Ok(());
        };
        let missing = || Error::NoChain { name: target.to_owned() };
        let name = Name::new(target).map_err(|_| missing())?;
        if self.has(&name)? { Ok(()) } else { Err(missing()) }
    }

    /// The chain that rules go to; one that a hook calls is made where it is not there.
    fn chain_to_add_to(
        &mut self,
        chain: &str,
        transaction: &mut Transaction,
    ) -> Result<Name, Error> {
        let name = Name::new(chain).map_err(|_| Error::NoSuch)?;
        if self.has(&name)? {
            return Ok(name);
        }
        let builtin = self.table.builtin(chain).ok_or(Error::NoSuch)?;
        let id = self.id();
        transaction.push(Change::AddTable(crate::nft::Table::new(id.clone())));
        transaction.push(Change::AddBaseChain(id, builtin.base_chain(Policy::Accept)));
        Ok(name)
    }

    fn insert(
        &mut self,
        chain: &str,
        number: u32,
        rules: &[Compiled],
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let id = self.id();
        self.check_targets(rules)?;
        let name = self.chain_to_add_to(chain, transaction)?;
        let (_, listed) = self.rules_of(chain)?;
        put_companions(transaction, &id, rules);
        let at = number.saturating_sub(1) as usize;
        if at > listed.len() {
            return Err(Error::NoIndex { what: "insertion" });
        }
        for rule in rules {
            let (table, chain, rule) = (id.clone(), name.clone(), rule.rule.clone());
            transaction.push(match listed.get(at) {
                Some(next) => Change::InsertRule { table, chain, rule, before: Some(next.handle) },
                None => Change::AddRule { table, chain, rule, after: None },
            });
        }
        Ok(())
    }

    /// The rules of a chain to change.
    fn rules_of(&mut self, chain: &str) -> Result<(Name, Vec<Listed<Rule>>), Error> {
        let name = Name::new(chain).map_err(|_| Error::NoSuch)?;
        if !self.has(&name)? {
            return match self.table.builtin(chain) {
                Some(_) => Ok((name, Vec::new())),
                None => Err(Error::NoSuch),
            };
        }
        let listed = self.kernel.rules(&self.id(), Some(&name))?;
        Ok((name, listed.into_iter().map(|(_, rule)| rule).collect()))
    }

    /// The rules of a chain to look for one in.
    fn rules_to_search(&mut self, chain: &str) -> Result<(Name, Vec<RawRule>), Error> {
        let missing = || Error::NoChain { name: chain.to_owned() };
        let name = Name::new(chain).map_err(|_| missing())?;
        if !self.has(&name)? {
            return match self.table.builtin(chain) {
                Some(_) => Ok((name, Vec::new())),
                None => Err(missing()),
            };
        }
        let listed = self.kernel.raw_rules(&self.id(), &name)?;
        Ok((name, listed))
    }

    fn find(&self, rule: &Compiled, listed: &[RawRule]) -> Result<Option<usize>, Error> {
        let pattern = Pattern::new(rule, self.version);
        for (at, listed) in listed.iter().enumerate() {
            if pattern.is(listed)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn flush(&mut self, chain: Option<&str>, transaction: &mut Transaction) -> Result<(), Error> {
        let id = self.id();
        let names = match chain {
            Some(chain) => {
                let name = Name::new(chain).map_err(|_| Error::NoSuch)?;
                match (self.has(&name)?, self.table.builtin(chain)) {
                    (true, _) => vec![name],
                    (false, Some(_)) => Vec::new(),
                    (false, None) => return Err(Error::NoSuch),
                }
            }
            None => {
                let chains = self.kernel.chains(&id)?;
                chains.into_iter().map(|chain| chain.value.name().clone()).collect()
            }
        };
        for name in names {
            transaction.push(Change::FlushChain(id.clone(), name));
        }
        Ok(())
    }

    /// Rules whose counters are zero take the place of those that count. The chains' own counters
    /// start anew too.
    fn zero(
        &mut self,
        chain: Option<&str>,
        number: Option<u32>,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let id = self.id();
        let state = State::read(self.kernel, self.table, self.version, chain)?;
        if let Some(chain) = chain
            && state.chain(chain).is_none()
        {
            return Err(Error::NoSuch);
        }
        for chain in state.chains {
            let mut rules = chain.rules;
            if let Some(number) = number {
                let at = index(number, rules.len()).ok_or(Error::NoRule)?;
                rules = vec![rules.swap_remove(at)];
            }
            for old in rules {
                let Some(new) = with_counters(&old.value, Counters::default()) else { continue };
                let (table, chain) = (id.clone(), chain.name.clone());
                transaction.push(Change::ReplaceRule { table, chain, old, new });
            }
        }
        Ok(())
    }

    fn delete_chains(
        &mut self,
        chain: Option<&str>,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let id = self.id();
        match chain {
            Some(chain) => {
                let name = Name::new(chain).map_err(|_| Error::NoSuch)?;
                let usage = self.kernel.chain_usage(&id, std::slice::from_ref(&name))?;
                let usage = usage.into_iter().flatten().next().ok_or(Error::NoSuch)?;
                // The kernel would refuse it too, after a grace period.
                if usage.uses > 0 {
                    return Err(Error::Busy { name: chain.to_owned() });
                }
                transaction.push(Change::DeleteChain(id, name));
            }
            None => {
                let state = State::read(self.kernel, self.table, self.version, None)?;
                for chain in state.chains.iter().filter(|chain| chain.policy.is_none()) {
                    if chain.references > 0 || !chain.rules.is_empty() {
                        return Err(Error::Busy { name: chain.name.to_string() });
                    }
                    transaction.push(Change::DeleteChain(id.clone(), chain.name.clone()));
                }
            }
        }
        Ok(())
    }

    fn policy(
        &mut self,
        chain: &str,
        target: &str,
        counters: Option<Counters>,
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        let builtin = self.table.builtin(chain).ok_or(Error::NotBuiltin)?;
        let policy = match target {
            "ACCEPT" => Policy::Accept,
            "DROP" => Policy::Drop,
            _ => return Err(Error::BadPolicy),
        };
        let (id, name) = (self.id(), Name::literal(builtin.name));
        if self.has(&name)? {
            transaction.push(Change::SetPolicy(id.clone(), name.clone(), policy));
        } else {
            transaction.push(Change::AddTable(crate::nft::Table::new(id.clone())));
            transaction.push(Change::AddBaseChain(id.clone(), builtin.base_chain(policy)));
        }
        if let Some(Counters { packets, bytes }) = counters {
            let counter = crate::nft::expr::Counter { packets, bytes };
            transaction.push(Change::SetChainCounters(id, name, counter));
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str, transaction: &mut Transaction) -> Result<(), Error> {
        let id = self.id();
        let old = Name::new(from).map_err(|_| Error::NoSuch)?;
        let new = Name::new(to).map_err(|_| Error::NoSuch)?;
        let [old, there] = self
            .kernel
            .chains_named(&id, &[old, new.clone()])?
            .try_into()
            .map_or([None, None], |found: [Option<Listed<crate::nft::AnyChain>>; 2]| found);
        let chain = old.ok_or(Error::NoSuch)?;
        if there.is_some() || self.table.builtin(to).is_some() {
            return Err(Error::Exists);
        }
        transaction.push(Change::RenameChain { table: id, chain, to: new });
        Ok(())
    }
}

/// What the rules refer to goes in front of them.
fn put_companions(transaction: &mut Transaction, id: &TableId, rules: &[Compiled]) {
    for companion in rules.iter().flat_map(|rule| &rule.companions) {
        transaction.push(match companion {
            Companion::Set(set) => Change::AddSet(id.clone(), set.clone()),
            Companion::Object(object) => Change::AddObject(id.clone(), object.clone()),
        });
    }
}

/// The place of a rule's number.
fn index(number: u32, rules: usize) -> Option<usize> {
    (number as usize).checked_sub(1).filter(|at| *at < rules)
}

/// The same rule with other counts; `None` if it does not count.
pub(super) fn with_counters(rule: &Rule, counters: Counters) -> Option<Rule> {
    let mut rule = rule.clone();
    let counter = rule.exprs.iter_mut().find_map(|expr| match expr {
        crate::nft::Expr::Counter(counter) => Some(counter),
        _ => None,
    })?;
    (counter.packets, counter.bytes) = (counters.packets, counters.bytes);
    Some(rule)
}

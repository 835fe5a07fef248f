//! What operations do to whole chains: flush, zero, make, delete, rename, set the policy.

use super::draft::Draft;
use super::draft_chain::{NewRule, Sought};
use super::error::Error;
use super::sealed::{Deed, Origin};
use super::unnamed_sets::UnnamedSets;
use crate::nft::expr::Counter;
use crate::nft::{AnyChain, Name, Policy, Rule};
use crate::xtables::Counters;

impl Draft<'_> {
    pub(super) fn flush(&mut self, chain: Option<&str>, origin: Origin) -> Result<(), Error> {
        let Some(name) = chain else {
            self.read_all()?;
            self.chains.values_mut().flatten().for_each(|chain| chain.flush(origin));
            return Ok(());
        };
        if let Some(chain) = self.chain(name)? {
            chain.flush(origin);
            return Ok(());
        }
        // One that a hook calls and that is not there has no rules.
        if self.table.builtin(name).is_some() { Ok(()) } else { Err(Error::NoSuch) }
    }

    /// Rules whose counters are zero take the place of those that count: for a save file, whose
    /// lines come into force together.
    pub(super) fn zero(
        &mut self,
        chain: Option<&str>,
        number: Option<u32>,
        origin: Origin,
    ) -> Result<(), Error> {
        self.depends = true;
        let mut own = UnnamedSets::default();
        let names: Vec<String> = match chain {
            Some(name) => vec![name.to_owned()],
            None => {
                self.read_all()?;
                let there = self.chains.iter().filter(|(_, chain)| chain.is_some());
                there.map(|(name, _)| name.clone()).collect()
            }
        };
        for name in names {
            let is_builtin = self.table.builtin(&name).is_some();
            let Some(found) = self.loaded(&name, Sought::Places)? else {
                if is_builtin && number.is_none() {
                    continue;
                }
                return Err(if is_builtin { Error::NoRule } else { Error::NoSuch });
            };
            let mut zeroed: Vec<(usize, Rule)> = found
                .rules()?
                .iter()
                .enumerate()
                .filter(|(at, _)| number.is_none_or(|number| number as usize == at + 1))
                .filter_map(|(at, rule)| Some((at, with_counters(rule, Counters::default())?)))
                .collect();
            if number.is_some() && zeroed.is_empty() {
                return Err(Error::NoRule);
            }
            for (_, rule) in &mut zeroed {
                self.renew_map(rule, origin)?;
                // The kernel's names for them would be refused: nobody else may have them.
                if let Some(whole) = own.put_inside(rule, self.kernel, &self.id)? {
                    *rule = whole;
                }
            }
            let found = self.loaded(&name, Sought::Places)?.ok_or(Error::NoSuch)?;
            for (at, rule) in zeroed {
                let new = NewRule { rule: rule.into(), companions: Vec::new(), origin };
                if !found.replace(at, new)? {
                    return Err(Error::NoRule);
                }
            }
            if number.is_none() && found.counts() {
                found.set_counter(Counter::default(), origin.of(Deed::ChainUpdate));
            }
        }
        Ok(())
    }

    pub(super) fn new_chain(&mut self, name: &str, origin: Origin) -> Result<(), Error> {
        let is_ours = self.table.builtin(name).is_some() || self.chain(name)?.is_some();
        if is_ours || self.is_of_others(name)? {
            return Err(Error::Exists);
        }
        self.make(name, origin)
    }

    pub(super) fn delete_chains(
        &mut self,
        chain: Option<&str>,
        origin: Origin,
    ) -> Result<(), Error> {
        let names: Vec<String> = match chain {
            Some(name) => vec![name.to_owned()],
            None => {
                self.read_all()?;
                let users = self.chains.iter().filter(|(_, chain)| {
                    chain.as_ref().is_some_and(|chain| match &chain.there {
                        Some(there) => matches!(there.value, AnyChain::Regular(_)),
                        None => !chain.is_builtin(),
                    })
                });
                users.map(|(name, _)| name.clone()).collect()
            }
        };
        self.depends = true;
        // A chain of the kernel's that anything is left in, or jumps to, is refused by the kernel
        // too, but after a grace period. What this batch takes away counts no more.
        let goes = self.takes_rules_away();
        for name in &names {
            let is_builtin = self.table.builtin(name).is_some();
            let found = self.chain(name)?.ok_or(Error::NoSuch)?;
            if is_builtin && found.drops() {
                return Err(Error::NotEmpty);
            }
            if found.has_new_rules() || (found.uses > 0 && !goes) {
                return Err(Error::Busy { name: name.clone() });
            }
        }
        for name in names {
            let found = self.chains.insert(name, None).flatten();
            if let Some(chain) = found.filter(|chain| chain.there.is_some()) {
                self.gone.push((chain, origin));
            }
        }
        Ok(())
    }

    /// Whether rules of the kernel's go, so that what they jumped to may be free.
    fn takes_rules_away(&self) -> bool {
        let there = self.chains.values().flatten().filter(|chain| chain.there.is_some());
        there.into_iter().any(|chain| chain.takes_rules_away()) || !self.gone.is_empty()
    }

    pub(super) fn policy(
        &mut self,
        chain: &str,
        target: &str,
        counters: Option<Counters>,
        origin: Origin,
    ) -> Result<(), Error> {
        if self.table.builtin(chain).is_none() {
            return Err(Error::NotBuiltin);
        }
        let policy = policy_named(target).ok_or(Error::BadPolicy)?;
        if self.table.name == "nat" && policy == Policy::Drop {
            return Err(Error::NatDrop);
        }
        self.declare_builtin(chain, Some(policy), counters, origin.line)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, origin: Origin) -> Result<(), Error> {
        self.depends = true;
        if self.table.builtin(from).is_some() {
            return Err(Error::NotBuiltin);
        }
        let new = Name::new(to).map_err(|_| Error::NoSuch)?;
        if self.chain(from)?.is_none() {
            return Err(Error::NoSuch);
        }
        if self.table.builtin(to).is_some() || self.chain(to)?.is_some() {
            return Err(Error::FileExists);
        }
        let moved = self.chains.insert(from.to_owned(), None).flatten();
        let renamed = moved.map(|mut chain| {
            chain.rename(new, origin);
            chain
        });
        self.chains.insert(to.to_owned(), renamed);
        self.own_sets.rename(from, to);
        Ok(())
    }
}

/// The policy of a name.
pub(super) fn policy_named(target: &str) -> Option<Policy> {
    match target {
        "ACCEPT" => Some(Policy::Accept),
        "DROP" => Some(Policy::Drop),
        _ => None,
    }
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

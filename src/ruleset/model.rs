//! A table in memory that takes transactions as the kernel does: for plans without a kernel, and
//! for tests of the difference. It keeps the kernel's rules about what may be added and deleted.

use std::collections::BTreeMap;

use super::snapshot::Snapshot;
use crate::nft::expr::{Immediate, Verdict};
use crate::nft::{
    AnyChain, BaseChain, Change, Element, ElementData, Expr, Listed, Name, Object, Rule, Set,
    Table, Transaction, list_table,
};

/// One table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    table: Option<Table>,
    objects: Vec<Object>,
    sets: Vec<(Set, Vec<Element>)>,
    chains: Vec<(AnyChain, Vec<Listed<Rule>>)>,
    handles: u64,
}

/// A change that the kernel would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What is to be changed is not there.
    #[error("{0} is not there")]
    Absent(String),
    /// What is to be added is there with other content.
    #[error("{0} is there already")]
    Present(String),
    /// What is to be deleted is still used.
    #[error("{0} is in use")]
    Busy(String),
}

impl Model {
    /// Applies all changes, or none.
    ///
    /// # Errors
    /// [`Refused`], for the first change that the kernel would refuse.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), Refused> {
        let mut next = self.clone();
        for change in transaction.changes() {
            next.change(change)?;
        }
        *self = next;
        Ok(())
    }

    /// Everything in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let elements = self.sets.iter().flat_map(|(set, elements)| {
            elements.iter().map(|e| ((set.name.clone(), e.key.clone()), e.clone()))
        });
        Snapshot {
            table: self.table.clone(),
            objects: self.objects.iter().map(|o| (o.name.clone(), o.clone())).collect(),
            sets: self.sets.iter().map(|(set, _)| (set.name.clone(), set.clone())).collect(),
            chains: self
                .chains
                .iter()
                .map(|(chain, rules)| (chain.name().clone(), (chain.clone(), rules.clone())))
                .collect::<BTreeMap<_, _>>(),
            elements: elements.collect(),
        }
    }

    /// What `nft list table` would print.
    #[must_use]
    pub fn list(&self) -> String {
        let Some(table) = &self.table else { return String::new() };
        let chains: Vec<(AnyChain, Vec<Rule>)> = self
            .chains
            .iter()
            .map(|(chain, rules)| {
                (chain.clone(), rules.iter().map(|rule| rule.value.clone()).collect())
            })
            .collect();
        list_table(table, &self.objects, &self.sets, &chains)
    }

    fn change(&mut self, change: &Change) -> Result<(), Refused> {
        match change {
            Change::AddTable(table) => {
                self.table.get_or_insert_with(|| table.clone());
            }
            Change::DeleteTable(_) => *self = Model::default(),
            Change::AddChain(_, chain) => self.add_chain(AnyChain::Regular(chain.clone())),
            Change::AddBaseChain(_, chain) => self.add_chain(AnyChain::Base(chain.clone())),
            Change::FlushChain(_, name) => {
                for rule in self.rules(name)?.clone() {
                    self.delete_rule(name, &rule)?;
                }
            }
            Change::DeleteChain(_, name) => self.delete_chain(name)?,
            Change::RenameChain { chain, to, .. } => self.rename_chain(chain.value.name(), to)?,
            Change::SetPolicy(_, name, policy) => self.base_chain(name)?.policy = *policy,
            // What was counted is not modelled.
            Change::SetChainCounters(_, name, _) => {
                self.base_chain(name)?;
            }
            Change::AddRule { chain, rule, after, .. } => self.add_rule(chain, rule, *after, 1)?,
            Change::InsertRule { chain, rule, before, .. } => {
                self.add_rule(chain, rule, *before, 0)?;
            }
            Change::ReplaceRule { chain, old, new, .. } => {
                self.add_rule(chain, new, Some(old.handle), 0)?;
                self.delete_rule(chain, old)?;
            }
            Change::DeleteRule(_, chain, rule) => self.delete_rule(chain, rule)?,
            Change::AddSet(_, set) => {
                if !self.sets.iter().any(|(there, _)| there.name == set.name) {
                    self.sets.push((set.clone(), vec![]));
                }
            }
            Change::DeleteSet(_, name) => self.sets.retain(|(set, _)| set.name != *name),
            Change::AddElements(_, set, elements) => self.add_elements(set, elements, false)?,
            Change::CreateElements(_, set, elements) => self.add_elements(set, elements, true)?,
            Change::DeleteElements(_, set, elements) => {
                let there = self.elements(&set.name)?;
                for element in elements {
                    let at = there.iter().position(|e| e.key == element.key);
                    let absent = || Refused::Absent(format!("element of {}", set.name));
                    there.remove(at.ok_or_else(absent)?);
                }
            }
            Change::AddObject(_, object) => {
                if !self.objects.iter().any(|there| there.name == object.name) {
                    self.objects.push(object.clone());
                }
            }
            Change::DeleteObject(_, object) => {
                let at = self.objects.iter().position(|there| there.name == object.name);
                self.objects.remove(at.ok_or_else(|| Refused::Absent(object.name.to_string()))?);
            }
        }
        Ok(())
    }

    fn add_chain(&mut self, chain: AnyChain) {
        if !self.chains.iter().any(|(there, _)| there.name() == chain.name()) {
            self.chains.push((chain, vec![]));
        }
    }

    fn delete_chain(&mut self, name: &Name) -> Result<(), Refused> {
        let jump = format!("{name}");
        let used =
            self.chains.iter().any(|(_, rules)| {
                rules.iter().any(|rule| targets(&rule.value).any(|to| *to == *name))
            }) || self
                .sets
                .iter()
                .any(|(_, elements)| elements.iter().any(|element| target(element) == Some(name)));
        if used {
            return Err(Refused::Busy(jump));
        }
        let at = self.chains.iter().position(|(chain, _)| chain.name() == name);
        self.chains.remove(at.ok_or(Refused::Absent(jump))?);
        Ok(())
    }

    /// Rules and elements lead to a chain itself, and show its new name.
    fn rename_chain(&mut self, from: &Name, to: &Name) -> Result<(), Refused> {
        if self.chains.iter().any(|(chain, _)| chain.name() == to) {
            return Err(Refused::Present(to.to_string()));
        }
        let chain = self.chains.iter_mut().find(|(chain, _)| chain.name() == from);
        match chain.ok_or_else(|| Refused::Absent(from.to_string()))? {
            (AnyChain::Base(chain), _) => chain.name = to.clone(),
            (AnyChain::Regular(chain), _) => chain.name = to.clone(),
        }
        let rules = self.chains.iter_mut().flat_map(|(_, rules)| rules);
        let of_rules = rules.flat_map(|rule| &mut rule.value.exprs).filter_map(|expr| match expr {
            Expr::Immediate(Immediate::Verdict(verdict)) => Some(verdict),
            _ => None,
        });
        let elements = self.sets.iter_mut().flat_map(|(_, elements)| elements);
        let of_elements = elements.filter_map(|element| match &mut element.data {
            Some(ElementData::Verdict(verdict)) => Some(verdict),
            Some(ElementData::Value(_) | ElementData::Object(_)) | None => None,
        });
        let names = of_rules.chain(of_elements).filter_map(Verdict::chain_mut);
        for name in names.filter(|name| *name == from) {
            *name = to.clone();
        }
        Ok(())
    }

    fn base_chain(&mut self, name: &Name) -> Result<&mut BaseChain, Refused> {
        let base = self.chains.iter_mut().find_map(|(chain, _)| match chain {
            AnyChain::Base(base) if base.name == *name => Some(base),
            AnyChain::Base(_) | AnyChain::Regular(_) => None,
        });
        base.ok_or_else(|| Refused::Absent(format!("base chain {name}")))
    }

    fn delete_rule(&mut self, chain: &Name, rule: &Listed<Rule>) -> Result<(), Refused> {
        let rules = self.rules(chain)?;
        let at = rules.iter().position(|there| there.handle == rule.handle);
        rules.remove(at.ok_or_else(|| Refused::Absent(format!("rule {}", rule.handle)))?);
        Ok(())
    }

    fn add_rule(
        &mut self,
        chain: &Name,
        rule: &Rule,
        at: Option<u64>,
        behind: usize,
    ) -> Result<(), Refused> {
        for to in targets(rule) {
            if !self.chains.iter().any(|(chain, _)| chain.name() == to) {
                return Err(Refused::Absent(to.to_string()));
            }
        }
        self.handles += 1;
        let handle = self.handles;
        let rules = self.rules(chain)?;
        let place = match at {
            Some(handle) => {
                let found = rules.iter().position(|there| there.handle == handle);
                found.ok_or_else(|| Refused::Absent(format!("rule {handle}")))? + behind
            }
            None => rules.len() * behind,
        };
        rules.insert(place, Listed { handle, value: rule.clone() });
        Ok(())
    }

    fn add_elements(
        &mut self,
        set: &Set,
        elements: &[Element],
        exclusive: bool,
    ) -> Result<(), Refused> {
        let chains: Vec<Name> = self.chains.iter().map(|(chain, _)| chain.name().clone()).collect();
        let exprs = set.exprs.clone();
        let there = self.elements(&set.name)?;
        for element in elements {
            if let Some(to) = target(element).filter(|to| !chains.contains(to)) {
                return Err(Refused::Absent(to.to_string()));
            }
            match there.iter().find(|e| e.key == element.key) {
                Some(same) if same.data == element.data && !exclusive => {}
                Some(_) => return Err(Refused::Present(format!("element of {}", set.name))),
                None => {
                    let mut element = element.clone();
                    element.exprs.extend(exprs.clone());
                    there.push(element);
                }
            }
        }
        Ok(())
    }

    fn rules(&mut self, chain: &Name) -> Result<&mut Vec<Listed<Rule>>, Refused> {
        let found = self.chains.iter_mut().find(|(there, _)| there.name() == chain);
        found.map(|(_, rules)| rules).ok_or_else(|| Refused::Absent(chain.to_string()))
    }

    fn elements(&mut self, set: &Name) -> Result<&mut Vec<Element>, Refused> {
        let found = self.sets.iter_mut().find(|(there, _)| there.name == *set);
        found.map(|(_, elements)| elements).ok_or_else(|| Refused::Absent(set.to_string()))
    }
}

/// The chains that a rule jumps to.
fn targets(rule: &Rule) -> impl Iterator<Item = &Name> {
    rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Immediate(Immediate::Verdict(verdict)) => verdict.chain(),
        _ => None,
    })
}

/// The chain that an element of a verdict map leads to.
fn target(element: &Element) -> Option<&Name> {
    match &element.data {
        Some(ElementData::Verdict(verdict)) => verdict.chain(),
        Some(ElementData::Value(_) | ElementData::Object(_)) | None => None,
    }
}

//! One chain as it will be when a change is committed.

mod seal;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::builtin::Builtin;
use super::sealed::Origin;
use crate::net::IpVersion;
use crate::nft::expr::Counter;
use crate::nft::{
    self, AnyChain, ChainRule, ChainUsage, Generation, Kernel, Listed, Name, Policy, Rule, TableId,
};
use crate::xtables::{self, Companion, Compiled, Pattern};

/// A rule that is to be made, with what must be in the table before it.
#[derive(Debug, Clone)]
pub(super) struct NewRule {
    pub(super) rule: Arc<Rule>,
    pub(super) companions: Vec<Companion>,
    pub(super) origin: Origin,
}

/// Where the rules that are there are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// In the kernel: with what they have counted.
    Kernel,
    /// In a mirror too, if it is of this generation: for what does not depend on their counts.
    Mirror(Generation),
}

/// What the rules of a chain are looked at for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sought<'a> {
    /// Their places alone, or all of them.
    Places,
    /// One that is the same.
    Rule(&'a Compiled, IpVersion),
}

/// Which rules of a mirror were read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    All,
    /// Those that may be the same as this one.
    Like(Rule),
    None,
}

/// A rule's place in a chain whose rules were read: small, as most of thousands are only counted.
#[derive(Debug)]
enum Slot {
    Kept(ChainRule),
    Replaced(Box<(Listed<Rule>, NewRule)>),
    New(Box<NewRule>),
}

impl Slot {
    fn made(new: NewRule) -> Self {
        Slot::New(Box::new(new))
    }
}

/// The rules of a chain, as far as they matter.
#[derive(Debug)]
enum Rules {
    /// Those there are were not read: new ones go in front of them and behind them. The first of
    /// `front` is the first rule.
    Ends {
        front: VecDeque<NewRule>,
        back: Vec<NewRule>,
    },
    Known(VecDeque<Slot>),
}

/// A chain while a change is prepared.
#[derive(Debug)]
pub(super) struct DraftChain {
    /// Its name until the change is committed.
    pub(super) name: Name,
    /// As the kernel has it; none if it is to be made.
    pub(super) there: Option<Listed<AnyChain>>,
    /// How many rules it has in the kernel, and how many jump to it, in one number.
    pub(super) uses: u32,
    /// Whether the kernel counts what comes to its policy.
    counts: bool,
    builtin: Option<&'static Builtin>,
    made: Origin,
    policy: Option<(Policy, Origin)>,
    counter: Option<(Counter, Origin)>,
    flushed: Option<Origin>,
    deleted: Vec<(Listed<Rule>, Origin)>,
    rules: Rules,
    seen: Seen,
    renamed: Option<(Name, Origin)>,
}

impl DraftChain {
    /// One that the kernel has.
    pub(super) fn listed(usage: ChainUsage, origin: Origin) -> Self {
        let rules = Rules::Ends { front: VecDeque::new(), back: Vec::new() };
        let ChainUsage { chain, uses, counter } = usage;
        let made = DraftChain::made(chain.value.name().clone(), None, origin);
        DraftChain { there: Some(chain), uses, counts: counter.is_some(), rules, ..made }
    }

    /// One that is to be made: a chain that a hook calls, or one of a user's.
    pub(super) fn made(name: Name, builtin: Option<&'static Builtin>, made: Origin) -> Self {
        DraftChain {
            name,
            there: None,
            uses: 0,
            counts: false,
            builtin,
            made,
            policy: None,
            counter: None,
            flushed: None,
            deleted: Vec::new(),
            rules: Rules::Known(VecDeque::new()),
            seen: Seen::All,
            renamed: None,
        }
    }

    /// Reads the rules there are, if they were not: of a mirror those that are sought.
    pub(super) fn load(
        &mut self,
        kernel: &mut Kernel,
        table: &TableId,
        source: Source,
        sought: Sought<'_>,
    ) -> Result<(), nft::Error> {
        let Rules::Ends { front, back } = &mut self.rules else {
            return self.see(kernel, table, sought);
        };
        let listed = match (source, &self.there) {
            (Source::Mirror(generation), Some(there)) => match sought {
                Sought::Places => {
                    kernel.rules_at(table, there, self.uses, generation, &|_, _| false)?
                }
                Sought::Rule(wanted, version) => {
                    let pattern = Pattern::new(wanted, version);
                    let may_be = |exprs: &[u8], data: &[u8]| pattern.may_be(exprs, data);
                    kernel.rules_at(table, there, self.uses, generation, &may_be)?
                }
            },
            (Source::Kernel, _) | (Source::Mirror(_), None) => {
                let read = |rule| ChainRule::Read(Box::new(rule));
                kernel.raw_rules(table, &self.name)?.into_iter().map(read).collect()
            }
        };
        let has_passed = listed.iter().any(|rule| matches!(rule, ChainRule::Passed(_)));
        self.seen = match (has_passed, sought) {
            (false, _) => Seen::All,
            (true, Sought::Places) => Seen::None,
            (true, Sought::Rule(wanted, _)) => Seen::Like(Rule::clone(&wanted.rule)),
        };
        let mut slots: VecDeque<Slot> = std::mem::take(front).into_iter().map(Slot::made).collect();
        slots.extend(listed.into_iter().map(Slot::Kept));
        slots.extend(std::mem::take(back).into_iter().map(Slot::made));
        self.rules = Rules::Known(slots);
        Ok(())
    }

    /// Reads the rules that were passed over, if what is sought now may be among them.
    fn see(
        &mut self,
        kernel: &mut Kernel,
        table: &TableId,
        sought: Sought<'_>,
    ) -> Result<(), nft::Error> {
        let is_enough = match (&self.seen, sought) {
            (Seen::All, _) | (_, Sought::Places) => true,
            (Seen::Like(seen), Sought::Rule(wanted, _)) => *seen == *wanted.rule,
            (Seen::None, Sought::Rule(..)) => false,
        };
        let Rules::Known(slots) = &mut self.rules else { return Ok(()) };
        if is_enough {
            return Ok(());
        }
        let listed = kernel.raw_rules(table, &self.name)?;
        let mut listed: BTreeMap<u64, _> =
            listed.into_iter().map(|rule| (rule.handle, rule)).collect();
        for slot in slots {
            if let Slot::Kept(ChainRule::Passed(handle)) = slot {
                // Somebody has deleted it meanwhile.
                let raw = listed.remove(handle).ok_or(nft::Error::Unsteady { attempts: 1 })?;
                *slot = Slot::Kept(ChainRule::Read(Box::new(raw)));
            }
        }
        self.seen = Seen::All;
        Ok(())
    }

    /// The rules, if they were read, as those are that they will be.
    pub(super) fn rules(&self) -> Result<Vec<Rule>, nft::Error> {
        let slots = match &self.rules {
            Rules::Known(slots) => Some(slots),
            Rules::Ends { .. } => None,
        };
        let rule = |slot: &Slot| match slot {
            Slot::Kept(ChainRule::Read(raw)) => raw.decode().map(|listed| listed.value),
            // Who asks for all of them has read them in the kernel.
            Slot::Kept(ChainRule::Passed(_)) => Err(nft::Error::Unsteady { attempts: 1 }),
            Slot::Replaced(of) => Ok(Rule::clone(&of.1.rule)),
            Slot::New(new) => Ok(Rule::clone(&new.rule)),
        };
        slots.into_iter().flatten().map(rule).collect()
    }

    /// The place of the first rule that is the same, of those that were read or are to be made.
    pub(super) fn find(
        &self,
        wanted: &Compiled,
        version: IpVersion,
    ) -> Result<Option<usize>, nft::Error> {
        let Rules::Known(slots) = &self.rules else { return Ok(None) };
        let pattern = Pattern::new(wanted, version);
        for (at, slot) in slots.iter().enumerate() {
            let is_same = match slot {
                Slot::Kept(ChainRule::Read(raw)) => pattern.is(raw)?,
                Slot::Kept(ChainRule::Passed(_)) => false,
                Slot::Replaced(of) => xtables::same(wanted, &of.1.rule, version),
                Slot::New(new) => xtables::same(wanted, &new.rule, version),
            };
            if is_same {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    pub(super) fn append(&mut self, new: NewRule) {
        match &mut self.rules {
            Rules::Ends { back, .. } => back.push(new),
            Rules::Known(slots) => slots.push_back(Slot::made(new)),
        }
    }

    pub(super) fn prepend(&mut self, new: NewRule) {
        match &mut self.rules {
            Rules::Ends { front, .. } => front.push_front(new),
            Rules::Known(slots) => slots.push_front(Slot::made(new)),
        }
    }

    /// Puts a rule at a place, if the chain is that long.
    #[must_use]
    pub(super) fn insert(&mut self, at: usize, new: NewRule) -> bool {
        match &mut self.rules {
            Rules::Known(slots) if at <= slots.len() => {
                slots.insert(at, Slot::made(new));
                true
            }
            Rules::Known(_) | Rules::Ends { .. } => false,
        }
    }

    /// Puts a rule in the place of another; says whether there is one.
    pub(super) fn replace(&mut self, at: usize, new: NewRule) -> Result<bool, nft::Error> {
        let Rules::Known(slots) = &mut self.rules else { return Ok(false) };
        let Some(slot) = slots.get_mut(at) else { return Ok(false) };
        let old = match slot {
            Slot::Kept(kept) => Some(listed(kept)?),
            Slot::Replaced(of) => Some(of.0.clone()),
            Slot::New(_) => None,
        };
        *slot = match old {
            Some(old) => Slot::Replaced(Box::new((old, new))),
            None => Slot::made(new),
        };
        Ok(true)
    }

    /// Takes a rule away; says whether there is one.
    pub(super) fn delete(&mut self, at: usize, origin: Origin) -> Result<bool, nft::Error> {
        let Rules::Known(slots) = &mut self.rules else { return Ok(false) };
        match slots.remove(at) {
            Some(Slot::Kept(kept)) => self.deleted.push((listed(&kept)?, origin)),
            Some(Slot::Replaced(of)) => self.deleted.push((of.0, origin)),
            Some(Slot::New(_)) => {}
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Takes all rules away.
    pub(super) fn flush(&mut self, origin: Origin) {
        self.flushed = self.there.is_some().then_some(origin);
        self.deleted.clear();
        self.rules = Rules::Known(VecDeque::new());
        self.seen = Seen::All;
    }

    pub(super) fn set_policy(&mut self, policy: Policy, origin: Origin) {
        self.policy = Some((policy, origin));
    }

    pub(super) fn set_counter(&mut self, counter: Counter, origin: Origin) {
        self.counter = Some((counter, origin));
    }

    /// Gives it another name: at once if it is to be made, with the batch if it is there.
    pub(super) fn rename(&mut self, to: Name, origin: Origin) {
        match self.there {
            Some(_) => self.renamed = Some((to, origin)),
            None => self.name = to,
        }
    }

    /// Whether the kernel counts what comes to its policy.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// Whether its policy is to drop.
    pub(super) fn drops(&self) -> bool {
        let there = self.there.as_ref().is_some_and(|there| match &there.value {
            AnyChain::Base(chain) => chain.policy == Policy::Drop,
            AnyChain::Regular(_) => false,
        });
        self.policy.map_or(there, |(policy, _)| policy == Policy::Drop)
    }

    /// Its name, and what makes it, if it is not there yet.
    pub(super) fn to_be_made(&self) -> Option<(&Name, Origin)> {
        self.there.is_none().then_some((&self.name, self.made))
    }

    /// Whether it is to be made, and a hook calls it.
    pub(super) fn is_builtin(&self) -> bool {
        self.builtin.is_some()
    }

    /// Whether rules of the kernel's go.
    pub(super) fn takes_rules_away(&self) -> bool {
        self.flushed.is_some() || !self.deleted.is_empty()
    }

    /// Whether a rule of the kernel's stays.
    pub(super) fn keeps(&self, handle: u64) -> bool {
        self.flushed.is_none() && self.deleted.iter().all(|(rule, _)| rule.handle != handle)
    }

    /// Whether rules are to be made in it.
    pub(super) fn has_new_rules(&self) -> bool {
        match &self.rules {
            Rules::Ends { front, back } => !front.is_empty() || !back.is_empty(),
            Rules::Known(slots) => slots.iter().any(|slot| !matches!(slot, Slot::Kept(_))),
        }
    }
}

/// A rule to delete or to replace, which the kernel knows by its handle.
fn listed(kept: &ChainRule) -> Result<Listed<Rule>, nft::Error> {
    match kept {
        ChainRule::Read(raw) => raw.decode(),
        ChainRule::Passed(handle) => Ok(Listed { handle: *handle, value: Rule::new(Vec::new()) }),
    }
}

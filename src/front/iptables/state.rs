//! What is in a table: its chains in the order of iptables, and their rules.

use std::collections::BTreeSet;

use super::builtin::{Builtin, Table};
use super::error::Error;
use super::unnamed_sets::{UnnamedSets, has_unnamed_sets};
use crate::net::IpVersion;
use crate::nft::expr::Counter;
use crate::nft::{
    self, AnyChain, ChainUsage, Expr, Family, Generation, Kernel, Listed, Name, Policy, RawRule,
    Rule, TableId,
};
use crate::xtables;

/// The table's name in nf_tables.
pub(super) fn table_id(table: &Table, version: IpVersion) -> TableId {
    TableId { family: Family::of(version), name: Name::literal(table.name) }
}

/// A chain with its rules.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) name: Name,
    /// Of a chain that a hook calls.
    pub(super) policy: Option<Policy>,
    /// What came to the policy; zero where the kernel does not count it.
    pub(super) counter: Counter,
    /// How many rules jump to it.
    pub(super) references: u32,
    pub(super) rules: Vec<ListedRule>,
}

/// A rule of the kernel's.
#[derive(Debug)]
pub(super) struct ListedRule {
    pub(super) handle: u64,
    pub(super) said: Said,
    /// The map that decides for it, and counts.
    pub(super) map: Option<Name>,
}

/// What a rule is in the words of iptables.
#[derive(Debug)]
pub(super) enum Said {
    Words(xtables::Rule),
    /// It has no words for it.
    Foreign(Rule),
}

impl Said {
    fn of(rule: Rule, version: IpVersion) -> Self {
        xtables::Rule::read(&rule, version).map_or_else(|| Said::Foreign(rule), Said::Words)
    }
}

/// A table, read as one piece.
#[derive(Debug)]
pub(super) struct State {
    /// The commit after which it was so.
    pub(super) generation: Generation,
    pub(super) version: IpVersion,
    pub(super) table: &'static Table,
    /// Whether it is there at all.
    pub(super) exists: bool,
    /// The chains that hooks call, all of them, then those of users by name.
    pub(super) chains: Vec<Chain>,
    /// Whether it has chains that hooks call and that iptables does not know.
    pub(super) has_foreign: bool,
}

impl State {
    /// All of a table, or one chain of it.
    pub(super) fn read(
        kernel: &mut Kernel,
        table: &'static Table,
        version: IpVersion,
        only: Option<&str>,
    ) -> Result<Self, Error> {
        let id = table_id(table, version);
        let (generation, state) = kernel.consistently(|kernel| {
            let usage = match only.map(Name::new) {
                Some(Ok(name)) => kernel.chain_usage(&id, &[name])?.into_iter().flatten().collect(),
                Some(Err(_)) => Vec::new(),
                None => kernel.all_chain_usage(&id)?,
            };
            let early = |raw| Early::of(raw, version);
            let rules = match (only.map(Name::new), usage.is_empty()) {
                (_, true) => Vec::new(),
                (Some(Ok(name)), false) => kernel.rules_by_chain(&id, Some(&name), early)?,
                (_, false) => kernel.rules_by_chain(&id, None, early)?,
            };
            let seen = BTreeSet::new();
            let own = UnnamedSets::default();
            let mut beside = Beside { kernel, table: &id, version, own, seen };
            let mut listed = Vec::new();
            for (chain, rules) in rules {
                let rules = rules.into_iter().map(|early| beside.listed(early));
                listed.push((chain, rules.collect::<Result<Vec<_>, _>>()?));
            }
            let exists = !usage.is_empty() || kernel.table(&id)?.is_some();
            Ok((usage, listed, exists))
        })?;
        let (usage, rules, exists) = state;
        let whole = State { exists, ..State::absent(generation, table, version) };
        Ok(whole.assemble(only, usage, rules))
    }

    /// One without anything.
    fn absent(generation: Generation, table: &'static Table, version: IpVersion) -> Self {
        let (exists, has_foreign, chains) = (false, false, Vec::new());
        State { generation, version, table, exists, chains, has_foreign }
    }

    fn assemble(
        self,
        only: Option<&str>,
        usage: Vec<ChainUsage>,
        rules: Vec<(Name, Vec<ListedRule>)>,
    ) -> Self {
        let table = self.table;
        let mut users = Vec::new();
        let mut builtin: Vec<Chain> = Vec::new();
        let mut has_foreign = false;
        for usage in usage {
            match table.builtin(usage.chain.value.name().as_str()) {
                Some(known) if known.is(&usage.chain.value) => builtin.push(chain(&usage)),
                Some(_) => has_foreign = true,
                None => match &usage.chain.value {
                    AnyChain::Base(_) => has_foreign = true,
                    // What it does is said by the rules that it came with.
                    AnyChain::Regular(chain) if xtables::is_companion_chain(&chain.name) => {}
                    AnyChain::Regular(_) => users.push(chain(&usage)),
                },
            }
        }
        let wanted = |known: &&Builtin| only.is_none_or(|only| only == known.name);
        let mut chains: Vec<Chain> = Vec::new();
        for known in table.chains.iter().filter(wanted) {
            let at = builtin.iter().position(|chain| chain.name.as_str() == known.name);
            chains.push(at.map_or_else(|| absent(known), |at| builtin.swap_remove(at)));
        }
        users.sort_by(|one, other| one.name.cmp(&other.name));
        chains.extend(users);
        for (name, rules) in rules {
            if let Some(chain) = chains.iter_mut().find(|chain| chain.name == name) {
                chain.rules.extend(rules);
            }
        }
        for chain in &mut chains {
            let own = u32::try_from(chain.rules.len()).unwrap_or(u32::MAX);
            chain.references = chain.references.saturating_sub(own);
        }
        State { chains, has_foreign, ..self }
    }

    /// A chain by name.
    pub(super) fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name.as_str() == name)
    }
}

/// What the kernel's names of sets without one begin with: `__set0`, `__map1`.
const UNNAMED: &str = "__";

/// A rule as far as it is read while others are still on their way from the kernel.
enum Early {
    /// All that there is to know.
    Listed(ListedRule),
    /// Words or counts may need what is in sets beside it.
    Beside(RawRule),
    /// The kernel would not send it.
    Malformed(nft::Error),
}

impl Early {
    fn of(raw: RawRule, version: IpVersion) -> Self {
        if raw.may_name(UNNAMED) || raw.may_name(xtables::DECIDING_MAP) {
            return Early::Beside(raw);
        }
        match raw.decode() {
            Ok(Listed { handle, value }) => {
                Early::Listed(ListedRule { handle, said: Said::of(value, version), map: None })
            }
            Err(error) => Early::Malformed(error),
        }
    }
}

/// The sets beside rules, looked up where words or counts need what is in them.
struct Beside<'a> {
    kernel: &'a mut Kernel,
    table: &'a TableId,
    version: IpVersion,
    own: UnnamedSets,
    /// Maps that decide for rules. Rules of the same words share one, and what it has decided, it
    /// has decided for the first of them.
    seen: BTreeSet<Name>,
}

impl Beside<'_> {
    fn listed(&mut self, early: Early) -> Result<ListedRule, nft::Error> {
        let raw = match early {
            Early::Listed(listed) => return Ok(listed),
            Early::Beside(raw) => raw,
            Early::Malformed(error) => return Err(error),
        };
        let Listed { handle, value: mut rule } = raw.decode()?;
        let map = xtables::deciding_map(&rule).cloned();
        if let Some(whole) = self.with_own_sets(&rule)? {
            rule = whole;
        } else if let Some(map) = map.clone().filter(|map| self.seen.insert(map.clone())) {
            rule = self.with_decided(rule, &map)?;
        }
        Ok(ListedRule { handle, said: Said::of(rule, self.version), map })
    }

    /// The rule with the sets inside it that belong to it alone, where others made the rule and its
    /// words cannot be told without what is in them.
    fn with_own_sets(&mut self, rule: &Rule) -> Result<Option<Rule>, nft::Error> {
        if !has_unnamed_sets(rule) || xtables::Rule::read(rule, self.version).is_some() {
            return Ok(None);
        }
        self.own.put_inside(rule, self.kernel, self.table)
    }

    /// The rule with what the map has counted that decides for it.
    fn with_decided(&mut self, mut rule: Rule, map: &Name) -> Result<Rule, nft::Error> {
        let counted = xtables::decided(map, &self.kernel.elements(self.table, map)?);
        for expr in &mut rule.exprs {
            if let Expr::Counter(counter) = expr {
                counter.packets += counted.packets;
                counter.bytes += counted.bytes;
            }
        }
        Ok(rule)
    }
}

fn chain(usage: &ChainUsage) -> Chain {
    let policy = match &usage.chain.value {
        AnyChain::Base(chain) => Some(chain.policy),
        AnyChain::Regular(_) => None,
    };
    let counter = usage.counter.unwrap_or_default();
    let name = usage.chain.value.name().clone();
    Chain { name, policy, counter, references: usage.uses, rules: Vec::new() }
}

/// One that iptables shows although the kernel has none.
fn absent(known: &Builtin) -> Chain {
    Chain {
        name: Name::literal(known.name),
        policy: Some(Policy::Accept),
        counter: Counter::default(),
        references: 0,
        rules: Vec::new(),
    }
}

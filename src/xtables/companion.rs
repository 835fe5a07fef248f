//! What must be in a table beside a rule: sets, objects and chains that the rule names.

use crate::nft::expr::{Immediate, Verdict};
use crate::nft::{Chain, Change, Element, Expr, Name, Object, Rule, Set, SetFlags, TableId};

use super::matches::Listed;
use super::targets::is_gate;

/// What a rule refers to by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companion {
    /// A set that packets add to: what `-m connlimit` counts.
    Set(Set),
    /// A list of addresses, which rules share by its name: that of `-m recent`.
    List {
        /// The set, whose elements have no end yet.
        set: Set,
        /// How long the rule wants it to keep them.
        age: Age,
    },
    /// A map by which the rule decides, with what is in it: that of `-m conntrack ! --ctstate DNAT`.
    Map {
        /// The map.
        set: Set,
        /// Its elements.
        elements: Vec<Element>,
    },
    /// A chain that says together with the rule what iptables says in one: that of `-j TPROXY`.
    Chain(CompanionChain),
    /// A stateful object: the helper of `-j CT --helper`.
    Object(Object),
}

/// How long a list keeps an address, as one rule of it has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As long as the others say.
    Any,
    /// For good.
    Endless,
    /// So many seconds.
    Seconds(u32),
}

impl Age {
    /// The age that both are content with, if there is one.
    #[must_use]
    pub fn and(self, other: Age) -> Option<Age> {
        match (self, other) {
            (Age::Any, age) | (age, Age::Any) => Some(age),
            (one, other) => (one == other).then_some(one),
        }
    }

    /// The age of a set.
    #[must_use]
    pub fn of(set: &Set) -> Self {
        let seconds = set.timeout.map(|timeout| u32::try_from(timeout / 1000).unwrap_or(u32::MAX));
        seconds.map_or(Age::Endless, Age::Seconds)
    }

    /// A set that keeps its elements so long.
    #[must_use]
    pub fn given_to(self, mut set: Set) -> Set {
        match self {
            Age::Any | Age::Endless => {}
            Age::Seconds(seconds) => {
                set.flags = set.flags.and(SetFlags::TIMEOUT);
                set.timeout = Some(u64::from(seconds) * 1000);
            }
        }
        set
    }
}

/// A chain that comes with a rule. Its name says all that its rules do, so that rules with the same
/// words share one, and a rule that jumps to it can be read without it.
///
/// The name is longer than iptables takes for a chain, so that none of a user's is called so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionChain {
    /// Its name.
    pub name: Name,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// The only table that xtables takes `-j TPROXY` in, and so the only one with such chains.
pub const TPROXY_TABLE: &str = "mangle";
/// The only chain with a hook that xtables takes it in, besides chains that this one calls.
pub const TPROXY_HOOK: &str = "PREROUTING";

/// The longest name that iptables takes for a chain (`XT_EXTENSION_MAXNAMELEN` less the zero).
const NAME: usize = 28;

/// Whether a chain of this name came with a rule, and is to go with the last one that jumps to it.
#[must_use]
pub fn is_companion_chain(name: &Name) -> bool {
    name.as_str().len() > NAME && is_gate(name)
}

/// The chain that a rule jumps to and that came with it.
#[must_use]
pub fn companion_chain(rule: &Rule) -> Option<&Name> {
    rule.exprs.iter().find_map(|expr| match expr {
        Expr::Immediate(Immediate::Verdict(verdict)) => jumped_to(verdict),
        _ => None,
    })
}

/// The same of a verdict.
pub(super) fn jumped_to(verdict: &Verdict) -> Option<&Name> {
    match verdict {
        Verdict::Jump(name) => Some(name).filter(|name| is_companion_chain(name)),
        Verdict::Goto(_)
        | Verdict::Accept
        | Verdict::Drop
        | Verdict::Return
        | Verdict::Continue
        | Verdict::Break
        | Verdict::Other(_) => None,
    }
}

impl Companion {
    /// Whether a match of the rule decides by it, with the verdict of the rule.
    pub(super) fn decides(&self) -> bool {
        match self {
            Companion::Map { .. } => true,
            Companion::Set(_)
            | Companion::List { .. }
            | Companion::Chain(_)
            | Companion::Object(_) => false,
        }
    }

    /// The same of a list that is negated.
    pub(super) fn excludes(&self) -> bool {
        let listed = self.set().and_then(|set| Listed::of(&set.name));
        listed.is_some_and(|listed| listed.negated)
    }

    /// The set or map, where it is one.
    #[must_use]
    pub fn set(&self) -> Option<&Set> {
        match self {
            Companion::Set(set) | Companion::List { set, .. } | Companion::Map { set, .. } => {
                Some(set)
            }
            Companion::Chain(_) | Companion::Object(_) => None,
        }
    }

    pub(super) fn set_mut(&mut self) -> Option<&mut Set> {
        match self {
            Companion::Set(set) | Companion::List { set, .. } | Companion::Map { set, .. } => {
                Some(set)
            }
            Companion::Chain(_) | Companion::Object(_) => None,
        }
    }

    /// The changes that put it into a table, the same whether it is there already or not.
    #[must_use]
    pub fn changes(self, table: &TableId) -> Vec<Change> {
        match self {
            Companion::Set(set) => vec![Change::AddSet(table.clone(), set)],
            Companion::List { set, age } => {
                vec![Change::AddSet(table.clone(), age.given_to(set))]
            }
            Companion::Map { set, elements } => vec![
                Change::AddSet(table.clone(), set.clone()),
                Change::AddElements(table.clone(), set, elements),
            ],
            Companion::Object(object) => vec![Change::AddObject(table.clone(), object)],
            Companion::Chain(CompanionChain { name, rules, .. }) => {
                let mut changes = vec![
                    Change::AddChain(table.clone(), Chain::new(name.clone())),
                    Change::FlushChain(table.clone(), name.clone()),
                ];
                let add = |rule: Rule| Change::AddRule {
                    table: table.clone(),
                    chain: name.clone(),
                    rule: rule.into(),
                    after: None,
                };
                changes.extend(rules.into_iter().map(add));
                changes
            }
        }
    }
}

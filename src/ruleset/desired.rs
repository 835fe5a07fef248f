//! What a table should hold, for the owners concerned.

use crate::nft::{AnyChain, Element, Object, Rule, Set, Table};

/// A chain with the rules it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredChain {
    /// The chain.
    pub chain: AnyChain,
    /// Its rules, in order; foreign rules may stand between them.
    pub rules: Vec<Rule>,
}

/// What a table should hold. It is complete for the owners in a [`super::Scope`] and says nothing
/// of what belongs to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The table.
    pub table: Table,
    /// Stateful objects.
    pub objects: Vec<Object>,
    /// Sets and maps.
    pub sets: Vec<Set>,
    /// Chains: those that others jump to first.
    pub chains: Vec<DesiredChain>,
    /// Elements, by the set (one of `sets`) they are in.
    pub elements: Vec<(Set, Element)>,
}

impl Desired {
    /// An empty table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Desired { table, objects: vec![], sets: vec![], chains: vec![], elements: vec![] }
    }
}

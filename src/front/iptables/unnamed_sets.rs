//! The sets that belong to one rule each: the kernel has given them names by which no other rule,
//! and no later one, can have them.

use crate::nft::expr::SetRef;
use crate::nft::{self, Expr, Kernel, Name, Rule, Set, TableId};

/// The sets of a table, listed when the first of them is asked for.
#[derive(Debug, Default)]
pub(super) struct UnnamedSets {
    listed: Option<Vec<Set>>,
}

/// Whether a rule of the kernel's has sets that belong to it.
pub(super) fn has_unnamed_sets(rule: &Rule) -> bool {
    rule.exprs.iter().any(|expr| expr.set_ref().is_some_and(SetRef::is_anonymous))
}

impl UnnamedSets {
    /// The rule with its own sets inside it, instead of by name; `None` if it has none.
    pub(super) fn put_inside(
        &mut self,
        rule: &Rule,
        kernel: &mut Kernel,
        table: &TableId,
    ) -> Result<Option<Rule>, nft::Error> {
        if !has_unnamed_sets(rule) {
            return Ok(None);
        }
        let listed = match self.listed.take() {
            Some(listed) => listed,
            None => kernel.sets(table)?,
        };
        let mut own = Vec::new();
        for set in rule.exprs.iter().filter_map(Expr::set_ref) {
            if let Some(set) = listed.iter().find(|listed| listed.name == *set.name()) {
                own.push((set.clone(), kernel.elements(table, &set.name)?));
            }
        }
        self.listed = Some(listed);
        let find = |name: &Name| own.iter().find(|(set, _)| set.name == *name).cloned();
        Ok(Some(rule.clone().with_own_sets(find)))
    }
}

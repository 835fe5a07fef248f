//! Sets that rules shared by name and that no rule names any more.

use std::collections::BTreeSet;

use super::error::Error;
use crate::nft::{Change, Expr, Kernel, Name, Rule, Set, TableId, Transaction};
use crate::xtables::is_companion;

/// Deletes them, after rules were deleted: a batch of its own, which only follows where such sets
/// are left. If somebody commits meanwhile they stay until rules are deleted the next time.
pub(super) fn sweep(kernel: &mut Kernel, table: &TableId) -> Result<(), Error> {
    if !kernel.sets(table)?.iter().any(is_companion) {
        return Ok(());
    }
    let (generation, (sets, rules)) =
        kernel.consistently(|kernel| Ok((kernel.sets(table)?, kernel.rules(table, None)?)))?;
    let named: BTreeSet<&Name> = rules.iter().flat_map(|(_, rule)| names(&rule.value)).collect();
    let mut transaction = Transaction::new();
    let left = |set: &&Set| is_companion(set) && !named.contains(&set.name);
    for set in sets.iter().filter(left) {
        transaction.push(Change::DeleteSet(table.clone(), set.name.clone()));
    }
    kernel.commit(&transaction, Some(generation))?;
    Ok(())
}

/// The sets that a rule names.
fn names(rule: &Rule) -> impl Iterator<Item = &Name> {
    rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Dynset(dynset) => Some(&dynset.set),
        expr => expr.set_ref().map(crate::nft::expr::SetRef::name),
    })
}

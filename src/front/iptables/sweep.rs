//! Sets and chains that rules shared by name and that no rule names any more.

use std::collections::BTreeSet;

use super::error::Error;
use crate::nft::{Change, Expr, Kernel, Name, Rule, Set, TableId, Transaction};
use crate::xtables::{TPROXY_TABLE, companion_chain, is_companion, is_companion_chain};

/// Deletes them, after rules were deleted: a batch of its own, which only follows where such sets
/// or chains are left. If somebody commits meanwhile they stay until rules are deleted the next
/// time.
pub(super) fn sweep(kernel: &mut Kernel, table: &TableId) -> Result<(), Error> {
    let has_chains = !chains(kernel, table)?.is_empty();
    if !has_chains && !kernel.sets(table)?.iter().any(is_companion) {
        return Ok(());
    }
    let (generation, (sets, chains, rules)) = kernel.consistently(|kernel| {
        Ok((kernel.sets(table)?, chains(kernel, table)?, kernel.rules(table, None)?))
    })?;
    let named: BTreeSet<&Name> = rules.iter().flat_map(|(_, rule)| names(&rule.value)).collect();
    let mut transaction = Transaction::new();
    for chain in chains.into_iter().filter(|chain| !named.contains(chain)) {
        transaction.push(Change::FlushChain(table.clone(), chain.clone()));
        transaction.push(Change::DeleteChain(table.clone(), chain));
    }
    let left = |set: &&Set| is_companion(set) && !named.contains(&set.name);
    for set in sets.iter().filter(left) {
        transaction.push(Change::DeleteSet(table.clone(), set.name.clone()));
    }
    kernel.commit(&transaction, Some(generation))?;
    Ok(())
}

/// The chains that came with rules: one table alone can have any.
fn chains(kernel: &mut Kernel, table: &TableId) -> Result<Vec<Name>, crate::nft::Error> {
    if table.name.as_str() != TPROXY_TABLE {
        return Ok(Vec::new());
    }
    let all = kernel.chains(table)?.into_iter().map(|chain| chain.value.name().clone());
    Ok(all.filter(is_companion_chain).collect())
}

/// The sets and chains that a rule names.
fn names(rule: &Rule) -> impl Iterator<Item = &Name> {
    let sets = rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Dynset(dynset) => Some(&dynset.set),
        expr => expr.set_ref().map(crate::nft::expr::SetRef::name),
    });
    sets.chain(companion_chain(rule))
}

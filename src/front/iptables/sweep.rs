//! Sets and chains that rules shared by name and that no rule names any more.

use std::collections::BTreeSet;

use super::naming::naming;
use crate::nft::{self, ChainUsage, Change, Generation, Kernel, Name, Set, TableId, Transaction};
use crate::xtables::{TPROXY_TABLE, is_companion, is_companion_chain};

/// Deletes them, after rules were deleted: a batch of its own, which only follows where such sets
/// or chains are left. If somebody commits meanwhile they stay until rules are deleted the next
/// time.
///
/// What was asked for is done by then. So nothing here makes it fail: what cannot go stays.
pub(super) fn sweep(kernel: &mut Kernel, table: &TableId) {
    if let Err(error) = try_to_sweep(kernel, table) {
        tracing::debug!(%error, %table, "what came with rules stays");
    }
}

fn try_to_sweep(kernel: &mut Kernel, table: &TableId) -> Result<(), nft::Error> {
    if chains(kernel, table)?.is_empty() && sets(kernel, table)?.is_empty() {
        return Ok(());
    }
    let (generation, orphans) = kernel.consistently(|kernel| orphans(kernel, table))?;
    delete(kernel, &orphans, generation)
}

/// All in one batch; if the kernel takes one for needed, each in its own. It never deletes what is
/// needed, so that these hold whatever was committed meanwhile.
fn delete(
    kernel: &mut Kernel,
    orphans: &[Vec<Change>],
    generation: Generation,
) -> Result<(), nft::Error> {
    match kernel.commit(&batch(orphans), Some(generation)) {
        Err(nft::Error::Refused(_)) => {}
        done => return done.map(|_| ()),
    }
    for orphan in orphans {
        match kernel.commit(&batch(std::slice::from_ref(orphan)), None) {
            Err(error @ nft::Error::Refused(_)) => tracing::debug!(%error, "it stays"),
            done => done.map(|_| ())?,
        }
    }
    Ok(())
}

fn batch(orphans: &[Vec<Change>]) -> Transaction {
    let mut transaction = Transaction::new();
    for change in orphans.iter().flatten() {
        transaction.push(change.clone());
    }
    transaction
}

/// What nobody needs: for each, the changes that delete it.
fn orphans(kernel: &mut Kernel, table: &TableId) -> Result<Vec<Vec<Change>>, nft::Error> {
    let mut orphans = Vec::new();
    for usage in chains(kernel, table)? {
        let name = usage.chain.value.name().clone();
        // The kernel counts whoever leads there: elements of maps, and rules of other programs.
        let own = kernel.raw_rules(table, &name)?.len();
        if u32::try_from(own).is_ok_and(|own| own == usage.uses) {
            let flush = Change::FlushChain(table.clone(), name.clone());
            orphans.push(vec![flush, Change::DeleteChain(table.clone(), name)]);
        }
    }
    let sets = sets(kernel, table)?;
    if !sets.is_empty() {
        let rules = kernel.raw_rules_by_chain(table, None)?;
        let named = naming(&rules, &sets.iter().collect::<Vec<_>>())?;
        let named: BTreeSet<Name> = named.into_iter().map(|of| of.set).collect();
        let left = sets.into_iter().filter(|set| !named.contains(&set.name));
        orphans.extend(left.map(|set| vec![Change::DeleteSet(table.clone(), set.name)]));
    }
    Ok(orphans)
}

/// The chains that came with rules: one table alone can have any.
fn chains(kernel: &mut Kernel, table: &TableId) -> Result<Vec<ChainUsage>, nft::Error> {
    if table.name.as_str() != TPROXY_TABLE {
        return Ok(Vec::new());
    }
    let mut all = kernel.all_chain_usage(table)?;
    all.retain(|usage| is_companion_chain(usage.chain.value.name()));
    Ok(all)
}

/// The sets that came with rules.
fn sets(kernel: &mut Kernel, table: &TableId) -> Result<Vec<Set>, nft::Error> {
    let mut all = kernel.sets(table)?;
    all.retain(is_companion);
    Ok(all)
}

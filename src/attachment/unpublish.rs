//! Unpublishing: what one owner has goes, whatever it is; and of a whole network, what is left of
//! containers that are no more.

use std::collections::BTreeSet;

use super::error::Error;
use super::host::Host;
use super::publish::{owned_publishes, read_leftovers, wanted_of};
use super::stale;
use crate::firewall::{Hostports, Publish, names};
use crate::nft::{Kernel, Table};
use crate::ruleset::{Desired, Owner, OwnerKey, Plan, Scope, Snapshot, Wanted, diff};

/// Takes back all ports of one owner, in one batch. `expected` are the ports that it should have:
/// they are looked up one by one; only if its record says that there are others is everything read.
/// Nothing there is success.
///
/// # Errors
/// [`Error`].
pub fn unpublish(
    host: &mut Host,
    owner: &Owner,
    expected: Option<&Hostports>,
) -> Result<Plan, Error> {
    let mut gone = Vec::new();
    let plan = host.change(|kernel| {
        let snapshot = read_owner(kernel, owner, expected)?;
        gone = owned_publishes(&snapshot, &[owner.key()].into());
        plan_removal(&snapshot, &[owner.key()].into())
    })?;
    finish(host, &plan, &gone);
    Ok(plan)
}

/// Takes back all ports whose owners' labels begin with `prefix` and are not in `valid`.
///
/// # Errors
/// [`Error`].
pub fn collect_garbage(
    host: &mut Host,
    prefix: &str,
    valid: &BTreeSet<Owner>,
) -> Result<Plan, Error> {
    let mut gone = Vec::new();
    let plan = host.change(|kernel| {
        let (snapshot, stale) = read_stale(kernel, prefix, valid)?;
        gone = owned_publishes(&snapshot, &stale);
        plan_removal(&snapshot, &stale)
    })?;
    finish(host, &plan, &gone);
    Ok(plan)
}

fn finish(host: &mut Host, plan: &Plan, gone: &[Publish]) {
    if !plan.is_empty() {
        stale::forget_after(host, gone);
    }
}

/// Reads what an owner has.
fn read_owner(
    kernel: &mut Kernel,
    owner: &Owner,
    expected: Option<&Hostports>,
) -> Result<Snapshot, Error> {
    let table = names::table();
    let mut snapshot = Snapshot::of_table(kernel, &table)?;
    let record = Wanted { elements: vec![], ..wanted_of(owner, None) };
    snapshot.read(kernel, &table, &record)?;
    // Without a record only what is expected is looked for: somebody may have deleted the record.
    if snapshot.objects.is_empty() && expected.is_none() {
        return Ok(Snapshot::default());
    }
    let elements = Wanted { elements: wanted_of(owner, expected).elements, ..Wanted::default() };
    snapshot.read(kernel, &table, &elements)?;
    read_leftovers(kernel, &mut snapshot, owner)?;
    Ok(snapshot)
}

/// Reads everything, and says which owners are to go.
fn read_stale(
    kernel: &mut Kernel,
    prefix: &str,
    valid: &BTreeSet<Owner>,
) -> Result<(Snapshot, BTreeSet<OwnerKey>), Error> {
    let table = names::table();
    let mut snapshot = Snapshot::of_table(kernel, &table)?;
    if snapshot.table.is_none() {
        return Ok((snapshot, BTreeSet::new()));
    }
    let objects = kernel.objects(&table)?;
    let stale: Vec<Owner> = objects
        .iter()
        .filter(|object| object.name.as_str().starts_with(prefix))
        .map(|object| Owner::from_label(object.name.as_str()))
        .filter(|owner| !valid.contains(owner))
        .collect();
    if stale.is_empty() {
        return Ok((Snapshot::default(), BTreeSet::new()));
    }
    let chains = stale.iter().flat_map(|owner| wanted_of(owner, None).chains).collect();
    snapshot.read(kernel, &table, &Wanted { chains, ..Wanted::default() })?;
    snapshot.read_all_elements(kernel, &table)?;
    snapshot.objects = objects.into_iter().map(|object| (object.name.clone(), object)).collect();
    Ok((snapshot, stale.iter().map(Owner::key).collect()))
}

/// A plan by which these owners have nothing any more.
fn plan_removal(snapshot: &Snapshot, owners: &BTreeSet<OwnerKey>) -> Result<Plan, Error> {
    if snapshot.table.is_none() {
        return Ok(Plan::default());
    }
    let nothing = Desired::new(Table::new(names::table()));
    let scope = Scope { owners: owners.clone() };
    Ok(diff(&nothing, snapshot, &scope)?)
}

//! Guarding: a container on a bridge is masqueraded, and its frames are checked.
//!
//! Masquerading is in the table `inet portcullis`, the check of source addresses in
//! `bridge portcullis`; both change in one transaction. Each table has a record of its own.

use std::collections::BTreeSet;

use super::error::Error;
use super::holding::{Holding, with_record};
use super::host::Host;
use super::record::Attachment;
use crate::firewall::{BridgeRules, MasqueradePrefix, masquerading, names, spoof_check};
use crate::nft::{self, Kernel, TableId};
use crate::ruleset::{Desired, Owner, Plan, Snapshot};

/// How often to read again what changed while it was read.
const ATTEMPTS: u32 = 100;

/// Puts the rules of a container on a bridge into force, in one batch. What the same owner had
/// before and no longer wants goes in the same batch; without rules nothing is left.
///
/// # Errors
/// [`Error::Claimed`] if an address or a port of the bridge is somebody else's whose network
/// namespace lives.
pub fn guard(host: &mut Host, attachment: &Attachment, rules: &BridgeRules) -> Result<Plan, Error> {
    host.change(|kernel| plan_guard(kernel, attachment, rules))
}

/// Takes back what [`guard`] put into force for an owner, in one batch. `expected` says where to
/// look first; what there is goes all the same. Nothing there is success.
///
/// # Errors
/// [`Error`].
pub fn unguard(
    host: &mut Host,
    owner: &Owner,
    expected: Option<&BridgeRules>,
) -> Result<Plan, Error> {
    host.change(|kernel| plan_unguard(kernel, owner, expected))
}

/// Takes back what owners have whose labels begin with `prefix` and who are not in `valid`.
///
/// # Errors
/// [`Error`].
pub fn collect_unguarded(
    host: &mut Host,
    prefix: &str,
    valid: &BTreeSet<Owner>,
) -> Result<Plan, Error> {
    host.change(|kernel| {
        let mut plan = Plan::default();
        for table in tables() {
            let mut holding = Holding::read(kernel, table)?;
            holding.read_stale(kernel, prefix, valid)?;
            plan = plan.and(holding.plan(None)?);
        }
        Ok(plan)
    })
}

/// Compares the rules that an attachment should have with those that it has.
///
/// # Errors
/// [`Error::RulesDiffer`] with the changes that would set it right.
pub fn check_guard(
    host: &mut Host,
    attachment: &Attachment,
    rules: &BridgeRules,
) -> Result<(), Error> {
    check_plan(host, |kernel| plan_guard(kernel, attachment, rules))
}

/// Whether a plan, made from what was read at one generation, is empty.
pub(super) fn check_plan(
    host: &mut Host,
    mut plan: impl FnMut(&mut Kernel) -> Result<Plan, Error>,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let before = host.kernel.generation()?;
        let made = plan(&mut host.kernel);
        // What others changed while it was read must not look like a difference.
        if host.kernel.generation()? != before {
            continue;
        }
        let made = made?;
        return if made.is_empty() {
            Ok(())
        } else {
            Err(Error::RulesDiffer { plan: made.to_string() })
        };
    }
    Err(nft::Error::Unsteady { attempts: ATTEMPTS }.into())
}

fn tables() -> [TableId; 2] {
    [names::table(), names::bridge_table()]
}

/// What a table should be with an owner's rules, given the sets that it has. Pure.
#[must_use]
pub fn desired_guard(
    table: &TableId,
    snapshot: &Snapshot,
    attachment: &Attachment,
    rules: &BridgeRules,
) -> Option<Desired> {
    let owner = &attachment.owner;
    let desired = if *table == names::bridge_table() {
        spoof_check(owner, rules)
    } else {
        let sets = snapshot.sets.keys();
        let prefixes = sets.filter_map(|name| MasqueradePrefix::of_set(name.as_str())).collect();
        masquerading(&prefixes, owner, rules)
    };
    desired.map(|desired| with_record(desired, attachment))
}

fn plan_guard(
    kernel: &mut Kernel,
    attachment: &Attachment,
    rules: &BridgeRules,
) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    for table in tables() {
        let mut holding = Holding::read(kernel, table)?;
        let desired = desired_guard(&holding.table, &holding.snapshot, attachment, rules);
        match &desired {
            Some(desired) => {
                holding.read_for(kernel, &attachment.owner, desired)?;
                holding.take_over(kernel, desired, attachment.netns.as_ref())?;
            }
            None => holding.read_leaving(kernel, &attachment.owner, None)?,
        }
        plan = plan.and(holding.plan(desired.as_ref())?);
    }
    Ok(plan)
}

fn plan_unguard(
    kernel: &mut Kernel,
    owner: &Owner,
    expected: Option<&BridgeRules>,
) -> Result<Plan, Error> {
    let attachment = Attachment { owner: owner.clone(), netns: None };
    let mut plan = Plan::default();
    for table in tables() {
        let mut holding = Holding::read(kernel, table)?;
        let expected = expected
            .and_then(|rules| desired_guard(&holding.table, &holding.snapshot, &attachment, rules));
        holding.read_leaving(kernel, owner, expected.as_ref())?;
        plan = plan.and(holding.plan(None)?);
    }
    Ok(plan)
}

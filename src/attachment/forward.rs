//! Forwarding: packets from and to a container pass, whoever else filters on this host.
//!
//! What containers have together (a bridge that is apart, the rules in other programs' chains) has
//! a record that counts them: it comes with the first, goes with the last, and costs the same
//! however many there are between.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::guard::check_plan;
use super::holding::Holding;
use super::host::Host;
use super::record::Attachment;
use crate::firewall::{
    FORWARD_PRIORITY, Forwarding, Ingress, Shared, accepted_before, admin_chains, forwarding, names,
};
use crate::nft::{Hook, Kernel, Object, Rule, Table};
use crate::ruleset::{
    Desired, ForeignChain, Owner, Place, Plan, Record, Scope, Snapshot, Wanted, diff_insertions,
};

/// Lets packets of a container pass, in one batch. What the same owner had before and no longer
/// wants goes in the same batch.
///
/// # Errors
/// [`Error::Claimed`] if an address is somebody else's whose network namespace lives.
pub fn forward(
    host: &mut Host,
    attachment: &Attachment,
    wanted: &Forwarding,
) -> Result<Plan, Error> {
    host.change(|kernel| plan_forward(kernel, attachment, wanted, Place::Head))
}

/// Takes back what [`forward`] put into force for an owner. `expected` are the addresses to look
/// for first; what there is goes all the same. Nothing there is success.
///
/// # Errors
/// [`Error`].
pub fn unforward(
    host: &mut Host,
    owner: &Owner,
    expected: Option<&Forwarding>,
) -> Result<Plan, Error> {
    host.change(|kernel| {
        let mut holding = Holding::read(kernel, names::table())?;
        let expected = expected.map(|wanted| forwarding(&[], owner, wanted));
        holding.read_leaving(kernel, owner, expected.as_ref())?;
        plan_leaving(kernel, holding)
    })
}

/// Takes back what owners have whose labels begin with `prefix` and who are not in `valid`.
///
/// # Errors
/// [`Error`].
pub fn collect_unforwarded(
    host: &mut Host,
    prefix: &str,
    valid: &BTreeSet<Owner>,
) -> Result<Plan, Error> {
    host.change(|kernel| {
        let mut holding = Holding::read(kernel, names::table())?;
        holding.read_stale(kernel, prefix, valid)?;
        plan_leaving(kernel, holding)
    })
}

/// Compares what an attachment should have of forwarding with what it has. In other programs'
/// chains a rule of theirs may have come before ours since.
///
/// # Errors
/// [`Error::RulesDiffer`] with the changes that would set it right.
pub fn check_forward(
    host: &mut Host,
    attachment: &Attachment,
    wanted: &Forwarding,
) -> Result<(), Error> {
    check_plan(host, |kernel| plan_forward(kernel, attachment, wanted, Place::Anywhere))
}

/// What the table should be with an attachment's addresses and nobody else's bridge, given the
/// chains that it has. Pure.
fn desired_forward(snapshot: &Snapshot, attachment: &Attachment, wanted: &Forwarding) -> Desired {
    let rules = snapshot.chains.get(&names::network_forward()).map(|(_, rules)| rules.as_slice());
    let admins = admin_chains(rules.unwrap_or_default());
    let mut desired = forwarding(&admins, &attachment.owner, wanted);
    let note = wanted.note();
    desired.objects.extend(attachment.record_with(desired.elements.len(), note));
    desired
}

/// What the table should be, and whose part of it is concerned, with an attachment's addresses and
/// what it shares, given all that the table holds. Pure.
#[must_use]
pub fn forward_on(
    snapshot: &Snapshot,
    attachment: &Attachment,
    wanted: &Forwarding,
) -> (Desired, Scope) {
    let mut desired = desired_forward(snapshot, attachment, wanted);
    let mut holding = Holding {
        table: names::table(),
        snapshot: snapshot.clone(),
        scope: Scope::of(&[&Owner::structure(), &attachment.owner]),
    };
    let staying = wanted.ingress.shared();
    let uses = uses(&holding, &staying);
    add_shared(&mut desired, &mut holding, &uses, &staying);
    (desired, holding.scope)
}

/// The same when an owner goes.
#[must_use]
pub fn unforward_on(snapshot: &Snapshot, owner: &Owner) -> (Desired, Scope) {
    let mut desired = Desired::new(Table::new(names::table()));
    let mut holding =
        Holding { table: names::table(), snapshot: snapshot.clone(), scope: Scope::of(&[owner]) };
    let uses = uses(&holding, &[]);
    add_shared(&mut desired, &mut holding, &uses, &[]);
    (desired, holding.scope)
}

/// Of what is shared, how many more (or fewer) have it.
type Uses = BTreeMap<Shared, i64>;

fn plan_forward(
    kernel: &mut Kernel,
    attachment: &Attachment,
    wanted: &Forwarding,
    place: Place,
) -> Result<Plan, Error> {
    let owner = &attachment.owner;
    let mut holding = Holding::read(kernel, names::table())?;
    let chains = vec![names::network_forward()];
    holding.snapshot.read(kernel, &names::table(), &Wanted { chains, ..Wanted::default() })?;
    let mut desired = desired_forward(&holding.snapshot, attachment, wanted);
    holding.read_for(kernel, owner, &desired)?;
    holding.take_over(kernel, &desired, attachment.netns.as_ref())?;
    let staying = wanted.ingress.shared();
    let uses = uses(&holding, &staying);
    read_shared(kernel, &mut holding, &uses)?;
    let has_changed = add_shared(&mut desired, &mut holding, &uses, &staying);
    let plan = holding.plan(Some(&desired))?;
    let plan = if has_changed { plan.depending() } else { plan };
    Ok(plan.and(plan_insertions(kernel, place, Some(&accepted_before()))?))
}

/// A plan by which the owners in the holding's scope have nothing any more. Without the table
/// nobody has, and rules of ours in other programs' chains would let anybody's mark pass.
fn plan_leaving(kernel: &mut Kernel, mut holding: Holding) -> Result<Plan, Error> {
    if holding.snapshot.table.is_none() {
        return plan_insertions(kernel, Place::Head, None);
    }
    let uses = uses(&holding, &[]);
    read_shared(kernel, &mut holding, &uses)?;
    let mut desired = Desired::new(Table::new(names::table()));
    add_shared(&mut desired, &mut holding, &uses, &[]);
    let plan = holding.plan(Some(&desired))?;
    let insertions = Record::name(&Shared::Insertions.owner());
    let is_last = uses.contains_key(&Shared::Insertions)
        && !desired.objects.iter().any(|object| Some(&object.name) == insertions.as_ref());
    if is_last { Ok(plan.and(plan_insertions(kernel, Place::Head, None)?)) } else { Ok(plan) }
}

/// Whose use of what changes: all end by the records of those in the holding's scope, and those of
/// who stays begin.
fn uses(holding: &Holding, staying: &[Shared]) -> Uses {
    let mut uses = Uses::new();
    for (name, record) in &holding.snapshot.objects {
        if holding.scope.owners.contains(&Record::owner(name).key()) {
            let note = Record::parse(&record.userdata).note;
            for shared in Ingress::shared_of_note(note.as_deref()) {
                *uses.entry(shared).or_insert(0) -= 1;
            }
        }
    }
    for shared in staying {
        *uses.entry(shared.clone()).or_insert(0) += 1;
    }
    uses
}

fn read_shared(kernel: &mut Kernel, holding: &mut Holding, uses: &Uses) -> Result<(), Error> {
    let mut wanted = Wanted::default();
    for shared in uses.keys() {
        wanted.objects.extend(Record::name(&shared.owner()));
        let elements = shared.elements().into_iter();
        wanted.elements.extend(elements.map(|(set, element)| (set.name, element)));
    }
    Ok(holding.snapshot.read(kernel, &names::table(), &wanted)?)
}

/// Adds to what is desired what is shared and still has users, and puts the rest up for deletion.
/// Says whether a count differs from the one that was read.
fn add_shared(
    desired: &mut Desired,
    holding: &mut Holding,
    uses: &Uses,
    staying: &[Shared],
) -> bool {
    let mut has_changed = false;
    for (shared, change) in uses {
        let owner = shared.owner();
        let before = holding.record(&owner).map_or(0, users);
        // One who stays is one, whatever became of the record.
        let least = i64::from(staying.contains(shared));
        let now = (before + change).max(least);
        has_changed |= now != before;
        holding.scope.owners.insert(owner.key());
        if now > 0 {
            let elements = shared.elements();
            desired.objects.extend(count(&owner, elements.len(), now));
            desired.elements.extend(elements);
        }
    }
    has_changed
}

/// The users that a record of something shared counts.
fn users(record: &Object) -> i64 {
    let note = Record::parse(&record.userdata).note.unwrap_or_default();
    let number = note.split_once(" container").and_then(|(number, _)| number.parse().ok());
    number.unwrap_or(0)
}

/// The record of something shared.
fn count(owner: &Owner, elements: usize, users: i64) -> Option<Object> {
    let note =
        Some(if users == 1 { "1 container".to_owned() } else { format!("{users} containers") });
    let record = Record { elements: u32::try_from(elements).ok(), note, netns: None };
    Some(Object::counter(Record::name(owner)?, record.userdata()))
}

/// Puts our rules back into other programs' chains that may drop packets and have lost them, if
/// there is a container that needs them. An empty plan otherwise.
///
/// # Errors
/// [`Error`].
pub(super) fn reinsert(host: &mut Host) -> Result<Plan, Error> {
    host.change(|kernel| {
        let mut holding = Holding::read(kernel, names::table())?;
        let objects = Record::name(&Shared::Insertions.owner()).into_iter().collect();
        let wanted = Wanted { objects, ..Wanted::default() };
        holding.snapshot.read(kernel, &names::table(), &wanted)?;
        if holding.record(&Shared::Insertions.owner()).is_none() {
            return Ok(Plan::default());
        }
        plan_insertions(kernel, Place::Head, Some(&accepted_before()))
    })
}

/// Has other programs' chains that may drop packets begin with this rule, or have none of ours.
fn plan_insertions(kernel: &mut Kernel, place: Place, rule: Option<&Rule>) -> Result<Plan, Error> {
    let chains = ForeignChain::read_all(kernel, &names::table(), Hook::Forward, FORWARD_PRIORITY)?;
    let owner = Shared::Insertions.owner();
    let wanted = |chain: &ForeignChain| rule.filter(|_| chain.may_refuse()).cloned();
    Ok(diff_insertions(&chains, &owner, place, wanted))
}

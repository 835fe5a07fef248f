//! Publishing: the ports of one container come into force, all of them or none.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::error::Error;
use super::host::Host;
use super::record::{Attachment, Netns, is_gone};
use super::stale;
use crate::firewall::{
    Class, Hostports, Masquerading, Place, Publish, Rank, claims, desired, elements_of, names,
    published,
};
use crate::link;
use crate::nft::{Element, Kernel, Name, Object};
use crate::ruleset::{
    self, Conflict, Desired, Owner, OwnerKey, Plan, Record, Scope, Snapshot, Wanted, diff,
};

/// Publishes ports in one batch. Ports that are published already, for the same owner, stay as
/// they are; those that the owner no longer wants go in the same batch.
///
/// # Errors
/// [`Error::PortTaken`] if a port is somebody else's whose network namespace lives.
pub fn publish(
    host: &mut Host,
    attachment: &Attachment,
    hostports: &Hostports,
) -> Result<Plan, Error> {
    if hostports.publishes.is_empty() {
        return super::unpublish(host, &attachment.owner, None);
    }
    // Whether anything can be published here at all.
    host.kernel.generation()?;
    // Before the batch, since it cannot be part of it: alone it lets nobody in.
    if let Some(interface) = localnet_interface(hostports)? {
        link::allow_route_localnet(&interface).map_err(Error::RouteLocalnet)?;
    }
    let mut rank = Rank::FIRST;
    let plan = host.change(|kernel| {
        let (plan, free) = plan_publish(kernel, attachment, hostports, Ranking::Free)?;
        rank = free;
        Ok(plan)
    })?;
    let removed: Vec<Publish> = plan
        .deleted_elements()
        .filter_map(|(set, element)| published(&set.name, element))
        .collect();
    stale::forget_after(host, &removed);
    // Ports that stand by change nothing for anybody's flows.
    if rank == Rank::FIRST {
        stale::forget_before(host, &hostports.publishes);
    }
    Ok(plan)
}

/// The interface that packets from 127.0.0.1 must be allowed to leave through, if any must. Without
/// a route to the container there is none, and nobody reaches it from 127.0.0.1.
fn localnet_interface(hostports: &Hostports) -> Result<Option<String>, Error> {
    if hostports.masquerading == Masquerading::Never {
        return Ok(None);
    }
    let container = hostports.publishes.iter().find_map(|publish| match publish.container {
        std::net::IpAddr::V4(address) => Some(address),
        std::net::IpAddr::V6(_) => None,
    });
    let Some(container) = container else { return Ok(None) };
    match link::interface_towards(container) {
        Ok(interface) => Ok(Some(interface)),
        Err(error @ (link::Error::NoRoute { .. } | link::Error::NoInterface { .. })) => {
            tracing::warn!(%error, "127.0.0.1 will not reach the container");
            Ok(None)
        }
        Err(error) => Err(Error::RouteLocalnet(error)),
    }
}

/// At which rank ports are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranking {
    /// At the first that is free: ports that stand by come into use with the next ADD.
    Free,
    /// At the one that the owner has, if it has one: to stand by is no fault.
    Own,
}

/// Reads what matters of the table and compares it with what it should be.
pub(super) fn plan_publish(
    kernel: &mut Kernel,
    attachment: &Attachment,
    hostports: &Hostports,
    ranking: Ranking,
) -> Result<(Plan, Rank), Error> {
    let table = names::table();
    let mut snapshot = Snapshot::of_table(kernel, &table)?;
    let elements = claims(hostports, snapshot.sets.keys());
    snapshot.read(kernel, &table, &Wanted { elements, ..Wanted::default() })?;
    let mut scope = Scope::of(&[&Owner::structure(), &attachment.owner]);
    let own = Some(attachment.owner.key());
    let newcomer = |conflict: &Conflict| {
        let netns = attachment.netns.as_ref();
        netns.filter(|_| !is_of_same_container(conflict, &attachment.owner))
    };
    let (mut held, mut own_ranks) = (BTreeSet::new(), BTreeSet::new());
    for (rank, claim) in rivals(&snapshot, hostports) {
        if claim.owner == own {
            own_ranks.insert(rank);
        }
        if claim.owner.is_some_and(|owner| scope.owners.contains(&owner)) {
            continue;
        }
        match take_over(kernel, &mut snapshot, &mut scope, &claim, newcomer(&claim)) {
            // The container has the port on another network: here it stands by.
            Err(Error::PortTaken { .. }) if is_of_same_container(&claim, &attachment.owner) => {
                held.insert(rank);
            }
            taken => taken?,
        }
    }
    let rank = match (ranking, own_ranks.first()) {
        (Ranking::Own, Some(rank)) => Some(*rank),
        (Ranking::Own, None) | (Ranking::Free, _) => Rank::all().find(|rank| !held.contains(rank)),
    };
    let hostports = &of_rank(hostports, rank);
    let desired = desired_with(&snapshot, attachment, hostports);
    snapshot.read(kernel, &table, &wanted(&desired, &attachment.owner))?;
    read_leftovers(kernel, &mut snapshot, &attachment.owner)?;
    for closer in closer(kernel, &snapshot, hostports)? {
        let owner = closer.owner.filter(|owner| !scope.owners.contains(owner));
        if owner.is_none() {
            continue;
        }
        match yielding(kernel, &closer, newcomer(&closer)) {
            Ok((key, record)) => {
                put_away(kernel, &mut snapshot, &mut scope, key, record.as_ref())?;
            }
            // One that lives has the better right to its address.
            Err(Error::PortTaken { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    loop {
        match diff(&desired, &snapshot, &scope) {
            Ok(plan) => return Ok((plan, hostports.rank)),
            Err(ruleset::Error::Conflict(conflict)) => {
                take_over(kernel, &mut snapshot, &mut scope, &conflict, newcomer(&conflict))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The ports with that rank; without one at the last, where the conflict is an error.
fn of_rank(hostports: &Hostports, rank: Option<Rank>) -> Cow<'_, Hostports> {
    match rank {
        Some(rank) if rank != hostports.rank => Cow::Owned(Hostports { rank, ..hostports.clone() }),
        Some(_) | None => Cow::Borrowed(hostports),
    }
}

/// Whether a claim is the same container's, on another network or interface.
fn is_of_same_container(claim: &Conflict, owner: &Owner) -> bool {
    let other = claim.owner_label.as_deref().map(Owner::from_label);
    other.is_some_and(|other| match (other.parts().as_slice(), owner.parts().as_slice()) {
        ([front, _, container, _], [own_front, _, own_container, _]) => {
            (front, container) == (own_front, own_container)
        }
        _ => false,
    })
}

/// Claims to the same ports in all maps, with their ranks: a port that is published under
/// conditions and one that is not do not meet in one map, nor do those that stand by.
fn rivals(snapshot: &Snapshot, hostports: &Hostports) -> Vec<(Rank, Conflict)> {
    let found = claims(hostports, snapshot.sets.keys()).into_iter().filter_map(|(set, element)| {
        let there = snapshot.elements.get(&(set.clone(), element.key))?;
        let (_, place, _) = Place::of_map(set.as_str())?;
        Some((place.rank, conflict_over(set, there)))
    });
    found.collect()
}

/// Claims to the same ports on one address each, which packets to that address meet before those
/// to all addresses. Which addresses that are is not known, so the maps are listed: about 1 µs for
/// each port that anybody has published with a hostIP.
fn closer(
    kernel: &mut Kernel,
    snapshot: &Snapshot,
    hostports: &Hostports,
) -> Result<Vec<Conflict>, Error> {
    let anywhere = hostports.publishes.iter().filter(|publish| publish.host_address.is_none());
    let wanted: BTreeSet<_> =
        anywhere.map(|publish| (publish.version(), publish.proto, publish.host_port)).collect();
    let versions: BTreeSet<_> = wanted.iter().map(|(version, _, _)| *version).collect();
    let mut found = Vec::new();
    for set in versions.into_iter().flat_map(names::host_address_maps) {
        if !snapshot.sets.contains_key(&set) {
            continue;
        }
        for element in kernel.elements(&names::table(), &set)? {
            let publish = published(&set, &element);
            let key = publish.map(|publish| (publish.version(), publish.proto, publish.host_port));
            if key.is_some_and(|key| wanted.contains(&key)) {
                found.push(conflict_over(set.clone(), &element));
            }
        }
    }
    Ok(found)
}

fn conflict_over(set: Name, there: &Element) -> Conflict {
    let text = published(&set, there).map(|publish| publish.to_string());
    Conflict {
        text: text.unwrap_or_else(|| set.to_string()),
        set,
        owner: Owner::key_of(&there.userdata),
        owner_label: there.userdata.comment().map(str::to_owned),
        element: there.clone(),
    }
}

/// Puts the owner of a conflicting element out of the way, if it is gone.
fn take_over(
    kernel: &mut Kernel,
    snapshot: &mut Snapshot,
    scope: &mut Scope,
    conflict: &Conflict,
    newcomer: Option<&Netns>,
) -> Result<(), Error> {
    let (key, record) = yielding(kernel, conflict, newcomer)?;
    if scope.owners.contains(&key) {
        return Err(ruleset::Error::Conflict(Box::new(conflict.clone())).into());
    }
    put_away(kernel, snapshot, scope, key, record.as_ref())
}

/// Has all that an owner has deleted in the same batch, for what is left of it would still catch or
/// mark packets.
fn put_away(
    kernel: &mut Kernel,
    snapshot: &mut Snapshot,
    scope: &mut Scope,
    owner: OwnerKey,
    record: Option<&Object>,
) -> Result<(), Error> {
    scope.owners.insert(owner);
    let table = names::table();
    if let Some(record) = record {
        let owner = Record::owner(&record.name);
        let wanted = Wanted { elements: vec![], ..wanted_of(&owner, None) };
        snapshot.read(kernel, &table, &wanted)?;
    }
    snapshot.read_all_elements(kernel, &table)?;
    Ok(())
}

/// What the table should be with an attachment's ports, given the sets that it has. Pure.
#[must_use]
pub fn desired_with(
    snapshot: &Snapshot,
    attachment: &Attachment,
    hostports: &Hostports,
) -> Desired {
    let existing: BTreeSet<Class> =
        snapshot.sets.keys().filter_map(|name| Class::of_set(name.as_str())).collect();
    let mut desired = desired(&existing, Some(hostports));
    desired.objects.extend(attachment.record(desired.elements.len()));
    desired
}

/// What to look up for a desired state: its parts, and the chains that the owner may have of old.
fn wanted(desired: &Desired, owner: &Owner) -> Wanted {
    let mut chains: Vec<Name> =
        desired.chains.iter().map(|chain| chain.chain.name().clone()).collect();
    chains.extend([names::conditional(owner), names::conditions(owner)]);
    chains.sort();
    chains.dedup();
    let elements = desired.elements.iter();
    Wanted {
        objects: desired.objects.iter().map(|object| object.name.clone()).collect(),
        chains,
        elements: elements.map(|(set, element)| (set.name.clone(), element.clone())).collect(),
    }
}

/// Reads everything if the owner's record says that it has more than was found: then it had other
/// ports before, and they must go.
pub(super) fn read_leftovers(
    kernel: &mut Kernel,
    snapshot: &mut Snapshot,
    owner: &Owner,
) -> Result<(), Error> {
    let record = Record::name(owner).and_then(|name| snapshot.objects.get(&name));
    let Some(record) = record else { return Ok(()) };
    let key = Some(owner.key());
    let owned = snapshot.elements.values().filter(|e| Owner::key_of(&e.userdata) == key).count();
    if Record::parse(&record.userdata).elements.map(|count| count as usize) != Some(owned) {
        snapshot.read_all_elements(kernel, &names::table())?;
    }
    Ok(())
}

/// Whether the owner of a conflicting element gives way: it does if its network namespace is gone,
/// for a stale rule must never take a port away from a living container.
fn yielding(
    kernel: &mut Kernel,
    conflict: &Conflict,
    newcomer: Option<&Netns>,
) -> Result<(OwnerKey, Option<Object>), Error> {
    let taken = |owner: &str| {
        let publish = published(&conflict.set, &conflict.element);
        let port = publish.map_or_else(|| conflict.text.clone(), |publish| publish.to_string());
        Error::PortTaken { port, owner: owner.to_owned() }
    };
    let Some(key) = conflict.owner else { return Err(taken("another program")) };
    let record = match record_of(kernel, conflict)? {
        Some(record) => record,
        // An element without a record: its owner's ADD never was, or its record was deleted.
        None => return Ok((key, None)),
    };
    let owner = describe(record.name.as_str());
    if !is_gone(&record, newcomer) {
        return Err(taken(&owner));
    }
    tracing::warn!(%owner, element = conflict.text, "taking over a port of a container that is gone");
    Ok((key, Some(record)))
}

/// The record of a conflicting element's owner.
fn record_of(kernel: &mut Kernel, conflict: &Conflict) -> Result<Option<Object>, Error> {
    let table = names::table();
    let label = conflict.owner_label.as_deref().map(Owner::from_label);
    let named = label.filter(|owner| Some(owner.key()) == conflict.owner);
    if let Some(name) = named.as_ref().and_then(Record::name) {
        return Ok(kernel.counters_named(&table, &[name])?.into_iter().flatten().next());
    }
    // The comment was cut: look for the key.
    let objects = kernel.objects(&table)?;
    Ok(objects.into_iter().find(|object| Some(Record::owner(&object.name).key()) == conflict.owner))
}

/// An owner's label in words.
pub(super) fn describe(label: &str) -> String {
    match label.split('/').collect::<Vec<_>>().as_slice() {
        [_, network, container, interface] => {
            format!("container {container} (network {network}, interface {interface})")
        }
        _ => label.to_owned(),
    }
}

/// Looks for leftovers of an owner whose ports are not known, or may be others than are there.
pub(super) fn owned_publishes(snapshot: &Snapshot, owners: &BTreeSet<OwnerKey>) -> Vec<Publish> {
    snapshot
        .elements
        .iter()
        .filter(|(_, element)| {
            Owner::key_of(&element.userdata).is_some_and(|key| owners.contains(&key))
        })
        .filter_map(|((set, _), element)| published(set, element))
        .collect()
}

/// What to look up of an owner that goes: the elements it should have, its chains, its record.
pub(super) fn wanted_of(owner: &Owner, hostports: Option<&Hostports>) -> Wanted {
    let elements = hostports.map(elements_of).unwrap_or_default();
    Wanted {
        objects: Record::name(owner).into_iter().collect(),
        chains: vec![names::conditional(owner), names::conditions(owner)],
        elements: elements.into_iter().map(|(set, element)| (set.name, element)).collect(),
    }
}

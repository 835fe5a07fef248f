//! Zones: where firewalld runs, the addresses of containers are sources of one of its zones.
//!
//! The rules of [`forward`] stand beside that. They let packets through the host; the zone is what
//! firewalld goes by for those to the host itself. The record of an attachment names its zone, so
//! that whoever takes it back needs no configuration. Rules come first and the zone second: a call
//! that dies between leaves a record of what may be there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::error::Error;
use super::forward::{check_forward, collect_unforwarded, forward, reinsert, unforward};
use super::host::Host;
use super::record::{Attachment, is_gone};
use crate::firewall::{Forwarding, forwarded_address, names};
use crate::firewalld::{self, Firewalld};
use crate::net::{IpVersion, ZoneName};
use crate::nft::{self, Change, Element, Kernel, Name, Object};
use crate::ruleset::{Owner, OwnerKey, Plan, Record};

/// What a caller wants of firewalld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zoning {
    /// Nothing, even where it runs.
    Without,
    /// This zone, where it runs.
    WhereRunning(ZoneName),
    /// This zone; it must run.
    Required(ZoneName),
}

impl Zoning {
    fn zone(&self) -> Option<&ZoneName> {
        match self {
            Zoning::Without => None,
            Zoning::WhereRunning(zone) | Zoning::Required(zone) => Some(zone),
        }
    }

    /// firewalld, where it is wanted and runs, with the zone.
    fn find(&self) -> Result<Option<(Firewalld, ZoneName)>, Error> {
        let Some(zone) = self.zone() else { return Ok(None) };
        match (Firewalld::find(), self) {
            (Ok(Some(firewalld)), _) => Ok(Some((firewalld, zone.clone()))),
            (Ok(None), Zoning::Required(_)) => Err(Error::NoFirewalld),
            (Ok(None), Zoning::Without | Zoning::WhereRunning(_)) => Ok(None),
            // Whose bus it is, his is the firewall: another host's, as seen from a user namespace.
            (Err(error @ firewalld::Error::NotAllowed { .. }), Zoning::WhereRunning(_)) => {
                tracing::warn!(%error, "going on without firewalld");
                Ok(None)
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// An address in a zone.
pub(super) type Source = (ZoneName, IpAddr);

/// As [`forward`], and has the container's addresses in the zone. After a failure nothing of the
/// attachment is left.
///
/// # Errors
/// [`Error`]; [`Error::Firewalld`] names zone and address.
pub fn admit(
    host: &mut Host,
    attachment: &Attachment,
    wanted: &Forwarding,
    zoning: &Zoning,
) -> Result<Plan, Error> {
    let found = zoning.find()?;
    let zone = found.as_ref().map(|(_, zone)| zone.clone());
    let wanted = Forwarding { zone, ..wanted.clone() };
    let plan = forward(host, attachment, &wanted)?;
    leave(sources_left(&plan, Some((&attachment.owner, &wanted))));
    let Some((firewalld, zone)) = found else { return Ok(plan) };
    let mut addresses = wanted.addresses.iter();
    let refused = addresses.find_map(|address| firewalld.add_source(&zone, *address).err());
    let Some(error) = refused else { return Ok(plan) };
    let undone = if matches!(error, firewalld::Error::Hangs { .. }) {
        // Asked again it would only be waited for again.
        tracing::warn!(%zone, "addresses of this ADD may be left in a zone of firewalld");
        unforward(host, &attachment.owner, Some(&wanted))
    } else {
        dismiss(host, &attachment.owner, Some(&wanted))
    };
    if let Err(error) = undone {
        tracing::warn!(%error, "the rules of this ADD are not taken back");
    }
    Err(error.into())
}

/// As [`unforward`], and takes the addresses out of the zone in which they are. What firewalld
/// says to that is a warning at most.
///
/// # Errors
/// [`Error`].
pub fn dismiss(
    host: &mut Host,
    owner: &Owner,
    expected: Option<&Forwarding>,
) -> Result<Plan, Error> {
    let plan = unforward(host, owner, expected)?;
    leave(sources_left(&plan, None));
    Ok(plan)
}

/// As [`collect_unforwarded`], and takes the addresses out of their zones.
///
/// # Errors
/// [`Error`].
pub fn dismiss_stale(
    host: &mut Host,
    prefix: &str,
    valid: &BTreeSet<Owner>,
) -> Result<Plan, Error> {
    let plan = collect_unforwarded(host, prefix, valid)?;
    leave(sources_left(&plan, None));
    Ok(plan)
}

/// As [`check_forward`], and asks firewalld, where it runs, for the addresses.
///
/// # Errors
/// [`Error::RulesDiffer`]; [`Error::NotInZone`].
pub fn check_admitted(
    host: &mut Host,
    attachment: &Attachment,
    wanted: &Forwarding,
    zoning: &Zoning,
) -> Result<(), Error> {
    let found = zoning.find()?;
    let zone = match (&found, zoning.zone()) {
        (Some((_, zone)), _) => Some(zone.clone()),
        // One that was running at the time of the ADD may have ended since.
        (None, Some(_)) => recorded_zone(&mut host.kernel, &attachment.owner)?,
        (None, None) => None,
    };
    check_forward(host, attachment, &Forwarding { zone, ..wanted.clone() })?;
    let Some((firewalld, zone)) = found else { return Ok(()) };
    for address in &wanted.addresses {
        if !firewalld.has_source(&zone, *address)? {
            return Err(Error::NotInZone { zone, address: *address });
        }
    }
    Ok(())
}

/// What [`reapply`] has put back.
#[derive(Debug, Default)]
pub struct Reapplied {
    /// Rules in other programs' chains.
    pub rules: usize,
    /// Addresses in zones.
    pub sources: usize,
    /// What firewalld refused.
    pub refused: Vec<firewalld::Error>,
}

/// Puts back what firewalld forgets when it reloads: the addresses of all containers that are
/// recorded with a zone, and our rule in its chain. Without firewalld: the rules in other
/// programs' chains only. What is there stays.
///
/// # Errors
/// [`Error`]. A refusal of firewalld's is none: the next address is tried.
pub fn reapply(host: &mut Host, firewalld: Option<&Firewalld>) -> Result<Reapplied, Error> {
    let mut done = Reapplied { rules: inserted(&reinsert(host)?), ..Reapplied::default() };
    let Some(firewalld) = firewalld else { return Ok(done) };
    let mut added = Vec::new();
    for (zone, address) in recorded_sources(&mut host.kernel)? {
        match put_back(firewalld, &zone, address) {
            Ok(true) => added.push((zone, address)),
            Ok(false) => {}
            Err(error) if error.refusal().is_some() => done.refused.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    done.sources = added.len();
    // A container that went meanwhile was taken out of its zone before it was put back.
    let there = recorded_sources(&mut host.kernel)?;
    leave(added.into_iter().filter(|source| !there.contains(source)).collect());
    Ok(done)
}

fn put_back(
    firewalld: &Firewalld,
    zone: &ZoneName,
    address: IpAddr,
) -> Result<bool, firewalld::Error> {
    if firewalld.has_source(zone, address)? {
        return Ok(false);
    }
    firewalld.add_source(zone, address).map(|()| true)
}

fn inserted(plan: &Plan) -> usize {
    let changes = plan.transaction().changes().iter();
    changes.filter(|change| matches!(change, Change::InsertRule { .. })).count()
}

/// Takes addresses out of zones. Nobody waits for it: if firewalld refuses, the address is not
/// where we put it, and if it does not run, it has forgotten all.
fn leave(sources: BTreeSet<Source>) {
    if sources.is_empty() {
        return;
    }
    let firewalld = match Firewalld::find() {
        Ok(Some(firewalld)) => firewalld,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "addresses may be left in zones of firewalld");
            return;
        }
    };
    for (zone, address) in sources {
        match firewalld.remove_source(&zone, address) {
            Ok(()) => {}
            Err(error) if error.refusal().is_some() => tracing::debug!(%error),
            Err(error) => {
                tracing::warn!(%error, %zone, %address, "an address may be left in a zone");
                // Each further one would wait as long.
                return;
            }
        }
    }
}

/// The addresses that a plan takes from their owners, with the zones that the records name which
/// it deletes or replaces; but for what one who stays wants.
pub(super) fn sources_left(
    plan: &Plan,
    staying: Option<(&Owner, &Forwarding)>,
) -> BTreeSet<Source> {
    let changes = plan.transaction().changes().iter();
    let mut zones: BTreeMap<OwnerKey, ZoneName> = changes
        .filter_map(|change| match change {
            Change::DeleteObject(_, record) => zone_of(record),
            _ => None,
        })
        .collect();
    let mut left = BTreeSet::new();
    if let Some((owner, wanted)) = staying {
        // A record that stays names the zone that is wanted.
        let zone = zones.get(&owner.key()).or(wanted.zone.as_ref()).cloned();
        let addresses = wanted.addresses.iter();
        left.extend(zone.iter().flat_map(|zone| addresses.clone().map(|ip| (zone.clone(), *ip))));
        zones.extend(zone.map(|zone| (owner.key(), zone)));
    }
    let deleted = plan.deleted_elements().map(|(set, element)| (&set.name, element));
    left.extend(sources_of(deleted, &zones));
    if let Some((_, Forwarding { zone: Some(zone), addresses, .. })) = staying {
        for address in addresses {
            left.remove(&(zone.clone(), *address));
        }
    }
    left
}

/// Which of these elements are addresses of owners that have a zone.
fn sources_of<'a>(
    elements: impl Iterator<Item = (&'a Name, &'a Element)>,
    zones: &BTreeMap<OwnerKey, ZoneName>,
) -> BTreeSet<Source> {
    let source = |(set, element): (&Name, &Element)| {
        let zone = zones.get(&Owner::key_of(&element.userdata)?)?;
        Some((zone.clone(), forwarded_address(set, element)?))
    };
    elements.filter_map(source).collect()
}

/// Whose record a counter is, and the zone that it names.
fn zone_of(record: &Object) -> Option<(OwnerKey, ZoneName)> {
    let note = Record::parse(&record.userdata).note;
    Some((Record::owner(&record.name).key(), Forwarding::zone_of_note(note.as_deref())?))
}

fn recorded_zone(kernel: &mut Kernel, owner: &Owner) -> Result<Option<ZoneName>, Error> {
    let Some(name) = Record::name(owner) else { return Ok(None) };
    if kernel.table(&names::table())?.is_none() {
        return Ok(None);
    }
    let records = kernel.counters_named(&names::table(), &[name])?;
    Ok(records.iter().flatten().find_map(zone_of).map(|(_, zone)| zone))
}

/// The addresses of all containers that live and are recorded with a zone.
fn recorded_sources(kernel: &mut Kernel) -> Result<BTreeSet<Source>, Error> {
    let table = names::table();
    let read = |kernel: &mut Kernel| -> Result<BTreeSet<Source>, nft::Error> {
        if kernel.table(&table)?.is_none() {
            return Ok(BTreeSet::new());
        }
        let records = kernel.objects(&table)?;
        let living = records.iter().filter(|record| !is_gone(record, None));
        let zones: BTreeMap<OwnerKey, ZoneName> = living.filter_map(zone_of).collect();
        let mut sources = BTreeSet::new();
        let sets = IpVersion::BOTH.map(names::forwarded);
        for set in sets.iter().filter(|_| !zones.is_empty()) {
            let elements = kernel.elements(&table, set)?;
            sources.extend(sources_of(elements.iter().map(|element| (set, element)), &zones));
        }
        Ok(sources)
    };
    let (_, sources) = kernel.consistently(read)?;
    Ok(sources)
}

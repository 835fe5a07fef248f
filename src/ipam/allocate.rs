//! The operations: give an attachment addresses, take them back, look after them.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use super::error::Error;
use super::holder::{Attachment, Holder};
use super::plan::{Lease, Occupied, Wishes, plan};
use super::range_set::RangeSets;
use super::store::{Entry, Reserved, Store, failed};

/// What a network's addresses are given from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory of the network: `DATADIR/NETWORK`.
    pub directory: PathBuf,
    /// What may be given.
    pub sets: RangeSets,
    /// The addresses that are asked for, if any; each set gives the first that is in it.
    pub requested: Vec<IpAddr>,
}

/// How often to begin anew when files appear although the lock is held.
const ATTEMPTS: usize = 3;

/// Gives an attachment one address of each range set, all or none.
///
/// # Errors
/// [`Error`].
pub fn allocate(config: &Config, to: &Attachment) -> Result<Vec<Lease>, Error> {
    let store = Store::create(&config.directory)?;
    let wishes = Wishes::new(&config.sets, &config.requested);
    for _ in 0..ATTEMPTS {
        let occupied = survey(&store, &config.sets, &wishes, to)?;
        let leases = plan(&config.sets, &wishes, &occupied, &to.container)?;
        if reserve(&store, to, &leases)? == Reserved::Now {
            return Ok(leases);
        }
    }
    Err(Error::Contended { path: store.path().to_owned() })
}

/// Reads what matters of the directory: who has what only for the sets that must not give the
/// attachment a second address, and for an address that is asked for. Files of nobody go.
fn survey(
    store: &Store,
    sets: &RangeSets,
    wishes: &Wishes,
    to: &Attachment,
) -> Result<Occupied, Error> {
    let mut occupied = Occupied::default();
    let searched = || wishes.of_sets.iter().zip(sets.sets()).filter(|(wish, _)| wish.is_none());
    for entry in store.entries()? {
        let address = entry.address;
        let is_asked_for = wishes.of_sets.contains(&Some(address));
        let is_searched = || searched().any(|(_, set)| set.range_of(address).is_some());
        if is_asked_for || is_searched() {
            let holder = store.holder(&entry)?;
            if holder == Holder::Nobody {
                reclaim(store, &entry)?;
                continue;
            }
            if holder.is(to) || holder.is_container_of(to) {
                occupied.own.push(address);
            }
        }
        occupied.taken.insert(address);
    }
    let last = |(set, wish): (usize, &Option<IpAddr>)| {
        if wish.is_none() { store.last(set) } else { None }
    };
    occupied.last = wishes.of_sets.iter().enumerate().map(last).collect();
    Ok(occupied)
}

fn reclaim(store: &Store, entry: &Entry) -> Result<(), Error> {
    let address = entry.address;
    tracing::warn!(%address, "the address file is empty, as a crash leaves it; the address is free");
    store.release(entry)
}

/// Writes down what was planned; takes it back if that fails.
fn reserve(store: &Store, to: &Attachment, leases: &[Lease]) -> Result<Reserved, Error> {
    let mut made = Vec::new();
    let mut outcome = Ok(Reserved::Now);
    for (set, lease) in leases.iter().enumerate() {
        let address = lease.address.address();
        outcome = store.reserve(to, address);
        if !matches!(outcome, Ok(Reserved::Now)) {
            break;
        }
        made.push(address);
        if let Err(error) = store.note_last(set, address) {
            outcome = Err(error);
            break;
        }
    }
    if !matches!(outcome, Ok(Reserved::Now)) {
        for address in made {
            store.release_address(address)?;
        }
    }
    outcome
}

/// Takes all addresses of an attachment back. Those of its container in the old format, which
/// knows no interface, only where there is none of its own. That there is nothing is success.
///
/// # Errors
/// [`Error::Store`], after all that can be taken back was; [`Error::Locked`].
pub fn release(directory: &Path, of: &Attachment) -> Result<Vec<IpAddr>, Error> {
    let Some(store) = Store::open(directory)? else { return Ok(Vec::new()) };
    store.clear_draft()?;
    let (mut own, mut old) = (Vec::new(), Vec::new());
    for entry in store.entries()? {
        let holder = store.holder(&entry)?;
        if holder.is(of) {
            own.push(entry);
        } else if holder.is_container_of(of) {
            old.push(entry);
        }
    }
    remove_all(&store, if own.is_empty() { &old } else { &own })
}

/// Takes the addresses back of all that are not in `valid`, and of nobody.
///
/// # Errors
/// As [`release`].
pub fn collect_garbage(
    directory: &Path,
    valid: &BTreeSet<Attachment>,
) -> Result<Vec<IpAddr>, Error> {
    let Some(store) = Store::open(directory)? else { return Ok(Vec::new()) };
    store.clear_draft()?;
    let mut garbage = Vec::new();
    for entry in store.entries()? {
        let is_valid = match store.holder(&entry)? {
            Holder::Attachment(attachment) => valid.contains(&attachment),
            Holder::Container(container) => valid.iter().any(|v| v.container == container),
            Holder::Other => true,
            Holder::Nobody => false,
        };
        garbage.extend((!is_valid).then_some(entry));
    }
    remove_all(&store, &garbage)
}

fn remove_all(store: &Store, entries: &[Entry]) -> Result<Vec<IpAddr>, Error> {
    // One that cannot be removed must not keep the others.
    let results: Vec<_> = entries.iter().map(|entry| store.release(entry)).collect();
    results.into_iter().collect::<Result<(), Error>>()?;
    Ok(entries.iter().map(|entry| entry.address).collect())
}

/// Whether an attachment has an address.
///
/// # Errors
/// [`Error::NotAllocated`] where it has none.
pub fn check(directory: &Path, of: &Attachment) -> Result<(), Error> {
    let missing = || Error::NotAllocated { container: of.container.clone() };
    let store = Store::open(directory)?.ok_or_else(missing)?;
    for entry in store.entries()? {
        let holder = store.holder(&entry)?;
        if holder.is(of) || holder.is_container_of(of) {
            return Ok(());
        }
    }
    Err(missing())
}

/// Whether addresses could be remembered: the directory, or the nearest one above that is there,
/// can be written to.
///
/// # Errors
/// [`Error::Store`].
pub fn status(directory: &Path) -> Result<(), Error> {
    let mut path = directory;
    loop {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => return Err(failed("use", path)(ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read", path)(error)),
        }
        path = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) => Path::new("."),
            None => break,
        };
    }
    let allowed = access(path, AccessFlags::W_OK | AccessFlags::X_OK);
    allowed.map_err(|errno| failed("write to", path)(errno.into()))
}

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
    let mut holders = reclaimed(&store, store.holders()?)?;
    for attempt in 0..ATTEMPTS {
        let occupied = occupied(&store, &holders, &wishes, to);
        let leases = match plan(&config.sets, &wishes, &occupied, &to.container) {
            Ok(leases) => leases,
            // Perhaps only the index says so: the files are asked before anybody is refused.
            Err(_) if attempt == 0 => {
                holders = reclaimed(&store, store.scan()?)?;
                continue;
            }
            Err(refused) => return Err(refused),
        };
        if reserve(&store, to, &leases)? == Reserved::Now {
            let holder = || Holder::Attachment(to.clone());
            let new = leases.iter().map(|lease| (Entry::of(lease.address.address()), holder()));
            holders.extend(new);
            store.remember(&mut holders);
            return Ok(leases);
        }
        holders = reclaimed(&store, store.scan()?)?;
    }
    Err(Error::Contended { path: store.path().to_owned() })
}

/// The files without those of nobody, which go.
fn reclaimed(
    store: &Store,
    mut holders: Vec<(Entry, Holder)>,
) -> Result<Vec<(Entry, Holder)>, Error> {
    for (entry, _) in holders.iter().filter(|(_, holder)| *holder == Holder::Nobody) {
        let address = entry.address;
        tracing::warn!(%address, "its file is empty, as a crash leaves it; the address is free");
        store.release(entry)?;
    }
    holders.retain(|(_, holder)| *holder != Holder::Nobody);
    Ok(holders)
}

/// What matters for a plan.
fn occupied(
    store: &Store,
    holders: &[(Entry, Holder)],
    wishes: &Wishes,
    to: &Attachment,
) -> Occupied {
    let own = holders.iter().filter(|(_, holder)| is_own(holder, to));
    let last = |(set, wish): (usize, &Option<IpAddr>)| {
        if wish.is_none() { store.last(set) } else { None }
    };
    Occupied {
        taken: holders.iter().map(|(entry, _)| entry.address).collect(),
        own: own.map(|(entry, _)| entry.address).collect(),
        last: wishes.of_sets.iter().enumerate().map(last).collect(),
    }
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
        made.push(Entry::of(address));
        if let Err(error) = store.note_last(set, address) {
            outcome = Err(error);
            break;
        }
    }
    if !matches!(outcome, Ok(Reserved::Now)) {
        for entry in made {
            store.release(&entry)?;
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
    let holders = holders_with(&store, of)?;
    let has_own = holders.iter().any(|(_, holder)| holder.is(of));
    let goes = |holder: &Holder| match has_own {
        true => holder.is(of),
        false => holder.is_container_of(of),
    };
    remove_all(&store, holders, goes)
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
    let holders = store.holders()?;
    let goes = |holder: &Holder| match holder {
        Holder::Attachment(attachment) => !valid.contains(attachment),
        Holder::Container(container) => !valid.iter().any(|it| it.container == *container),
        Holder::Other => false,
        Holder::Nobody => true,
    };
    remove_all(&store, holders, goes)
}

/// Removes the files whose holders go.
fn remove_all(
    store: &Store,
    holders: Vec<(Entry, Holder)>,
    goes: impl Fn(&Holder) -> bool,
) -> Result<Vec<IpAddr>, Error> {
    store.clear_draft()?;
    let (gone, mut left): (Vec<_>, Vec<_>) =
        holders.into_iter().partition(|(_, holder)| goes(holder));
    // One that cannot be removed must not keep the others.
    let results: Vec<_> = gone.iter().map(|(entry, _)| store.release(entry)).collect();
    results.into_iter().collect::<Result<(), Error>>()?;
    if !gone.is_empty() {
        store.remember(&mut left);
    }
    Ok(gone.into_iter().map(|(entry, _)| entry.address).collect())
}

/// Whether an attachment has an address.
///
/// # Errors
/// [`Error::NotAllocated`] where it has none.
pub fn check(directory: &Path, of: &Attachment) -> Result<(), Error> {
    let missing = || Error::NotAllocated { container: of.container.clone() };
    let store = Store::open(directory)?.ok_or_else(missing)?;
    if holders_with(&store, of)?.iter().any(|(_, holder)| is_own(holder, of)) {
        return Ok(());
    }
    Err(missing())
}

/// All address files and who has them; where an attachment has none by the index, what the files
/// themselves say.
fn holders_with(store: &Store, of: &Attachment) -> Result<Vec<(Entry, Holder)>, Error> {
    let holders = store.holders()?;
    if holders.iter().any(|(_, holder)| is_own(holder, of)) {
        return Ok(holders);
    }
    store.scan()
}

fn is_own(holder: &Holder, of: &Attachment) -> bool {
    holder.is(of) || holder.is_container_of(of)
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

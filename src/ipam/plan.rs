//! Which addresses an attachment gets. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::error::{Error, Refusal};
use super::range::Range;
use super::range_set::{RangeSet, RangeSets};
use crate::net::Cidr;

/// An address that is given to an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address with its subnet's prefix.
    pub address: Cidr,
    /// The gateway of its range.
    pub gateway: IpAddr,
}

/// What is known of the directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Occupied {
    /// The addresses that somebody has.
    pub taken: BTreeSet<IpAddr>,
    /// Those of them that the attachment has already.
    pub own: Vec<IpAddr>,
    /// What each set gave last; absent where it never did.
    pub last: Vec<Option<IpAddr>>,
}

/// The addresses that were asked for, each once, shared out: to each set the first that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wishes {
    /// For each set what it is asked for.
    pub of_sets: Vec<Option<IpAddr>>,
    /// What no set can be asked for.
    pub left: Vec<IpAddr>,
}

impl Wishes {
    pub(super) fn new(sets: &RangeSets, requested: &[IpAddr]) -> Self {
        let mut left: Vec<IpAddr> = Vec::new();
        for address in requested.iter().map(IpAddr::to_canonical) {
            if !left.contains(&address) {
                left.push(address);
            }
        }
        let share = |set: &RangeSet| {
            let at = left.iter().position(|address| set.range_of(*address).is_some());
            at.map(|at| left.remove(at))
        };
        let of_sets = sets.sets().iter().map(share).collect();
        Wishes { of_sets, left }
    }
}

/// Chooses one address of each set: the one that is asked for, or the next that is free.
pub(super) fn plan(
    sets: &RangeSets,
    wishes: &Wishes,
    occupied: &Occupied,
    container: &str,
) -> Result<Vec<Lease>, Error> {
    let mut leases = Vec::new();
    for (index, set) in sets.sets().iter().enumerate() {
        let chosen = match wishes.of_sets.get(index).copied().flatten() {
            Some(address) => requested(set, address, occupied),
            None => next(set, index, occupied, container),
        };
        let (address, range) = chosen.map_err(|cause| Error::Refused { index, cause })?;
        let lease = range.cidr(address).map(|address| Lease { address, gateway: range.gateway() });
        leases.extend(lease);
    }
    if wishes.left.is_empty() {
        Ok(leases)
    } else {
        Err(Error::Unfulfilled { addresses: wishes.left.clone() })
    }
}

fn requested<'a>(
    set: &'a RangeSet,
    address: IpAddr,
    occupied: &Occupied,
) -> Result<(IpAddr, &'a Range), Refusal> {
    let range = set.range_of(address);
    let free = range.filter(|_| !occupied.taken.contains(&address));
    match (range, free) {
        (Some(range), _) if range.gateway() == address => Err(Refusal::Gateway { address }),
        (_, Some(range)) => Ok((address, range)),
        (_, None) => Err(Refusal::Taken { address, set: set.to_string() }),
    }
}

fn next<'a>(
    set: &'a RangeSet,
    index: usize,
    occupied: &Occupied,
    container: &str,
) -> Result<(IpAddr, &'a Range), Refusal> {
    let own = occupied.own.iter().find(|own| set.range_of(**own).is_some());
    if let Some(address) = own {
        return Err(Refusal::Duplicate { address: *address, container: container.to_owned() });
    }
    let last = occupied.last.get(index).copied().flatten();
    let mut free = set.after(last).filter(|(address, _)| !occupied.taken.contains(address));
    free.next().ok_or_else(|| Refusal::Exhausted { set: set.to_string() })
}

//! Range sets: each gives a container one address. Pure.

use std::fmt;
use std::net::IpAddr;

use super::error::{InvalidRange, InvalidRanges};
use super::range::{Range, RangeSpec};
use crate::net::IpVersion;

/// Ranges of one IP version that do not overlap, of which one address is given; not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSet(Vec<Range>);

/// The range sets of a network, which do not overlap; not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSets(Vec<RangeSet>);

impl RangeSet {
    /// Checks the ranges of a set, each by itself and then together.
    ///
    /// # Errors
    /// [`InvalidRange`].
    pub fn new(specs: &[RangeSpec]) -> Result<Self, InvalidRange> {
        let mut ranges: Vec<Range> = Vec::new();
        for spec in specs {
            let range = Range::new(spec)?;
            if ranges.first().is_some_and(|first| first.version() != range.version()) {
                return Err(InvalidRange::MixedVersions);
            }
            ranges.push(range);
        }
        if ranges.is_empty() {
            return Err(InvalidRange::EmptySet);
        }
        if let Some((first, second)) = pairs(&ranges).find(|(_, a, _, b)| a.overlaps(b)).map(texts)
        {
            return Err(InvalidRange::Overlap { first, second });
        }
        Ok(RangeSet(ranges))
    }

    /// The range that has an address.
    #[must_use]
    pub fn range_of(&self, address: IpAddr) -> Option<&Range> {
        self.0.iter().find(|range| range.contains(address))
    }

    fn version(&self) -> Option<IpVersion> {
        self.0.first().map(Range::version)
    }

    fn overlaps(&self, other: &RangeSet) -> bool {
        self.0.iter().any(|range| other.0.iter().any(|its| range.overlaps(its)))
    }

    /// All addresses once, but for the gateways: those after `last` first, and it at the end. So
    /// an address that was given back is given again as late as can be. A `last` that is in no
    /// range counts for none.
    pub(super) fn after(&self, last: Option<IpAddr>) -> impl Iterator<Item = (IpAddr, &Range)> {
        let at = last.and_then(|last| self.0.iter().position(|range| range.contains(last)));
        let begun = at.and_then(|at| self.0.get(at)).zip(last);
        let (before, behind) = match at {
            Some(at) => (self.0.get(..at), self.0.get(at + 1..)),
            None => (None, Some(&self.0[..])),
        };
        let rest = begun.map(|(range, last)| range.after(last).map(move |it| (it, range)));
        let first = begun.map(|(range, last)| range.until(last).map(move |it| (it, range)));
        rest.into_iter()
            .flatten()
            .chain(whole(behind))
            .chain(whole(before))
            .chain(first.into_iter().flatten())
    }
}

impl RangeSets {
    /// Checks all range sets, each by itself and then together.
    ///
    /// # Errors
    /// [`InvalidRanges`].
    pub fn new(specs: &[Vec<RangeSpec>]) -> Result<Self, InvalidRanges> {
        let checked = specs.iter().enumerate().map(|(index, specs)| {
            RangeSet::new(specs).map_err(|cause| InvalidRanges::Set { index, cause })
        });
        let sets: Vec<RangeSet> = checked.collect::<Result<_, _>>()?;
        if sets.is_empty() {
            return Err(InvalidRanges::None);
        }
        if let Some((first, _, second, _)) = pairs(&sets).find(|(_, a, _, b)| a.overlaps(b)) {
            return Err(InvalidRanges::Overlap { first, second });
        }
        Ok(RangeSets(sets))
    }

    /// The sets, in the order in which they give addresses.
    #[must_use]
    pub fn sets(&self) -> &[RangeSet] {
        &self.0
    }

    /// How many addresses of a version a container gets.
    #[must_use]
    pub fn count(&self, version: IpVersion) -> usize {
        self.0.iter().filter(|set| set.version() == Some(version)).count()
    }

    /// Whether some range has this address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|set| set.range_of(address).is_some())
    }
}

fn whole(ranges: Option<&[Range]>) -> impl Iterator<Item = (IpAddr, &Range)> {
    let ranges = ranges.unwrap_or_default().iter();
    ranges.flat_map(|range| range.addresses().map(move |address| (address, range)))
}

/// Each two of a list, with their places, in order.
fn pairs<T>(list: &[T]) -> impl Iterator<Item = (usize, &T, usize, &T)> {
    let placed = || list.iter().enumerate();
    placed().flat_map(move |(i, a)| placed().skip(i + 1).map(move |(j, b)| (i, a, j, b)))
}

fn texts((_, first, _, second): (usize, &Range, usize, &Range)) -> (String, String) {
    (first.to_string(), second.to_string())
}

impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&ranges.join(","))
    }
}

//! Sets that belong to one rule: `{ 80, 443 }`, and with ranges `{ 80, 90-100 }`.

use super::field::{REGISTER, between};
use crate::nft::expr::{Lookup, SetRef};
use crate::nft::{DataType, Element, Expr, Name, Set, SetFlags};

/// The values from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    pub(super) first: u128,
    pub(super) last: u128,
}

/// `FIELD { … }` or `FIELD != { … }`. Values of one kind in a hash set; with ranges an interval
/// set, in which what overlaps or touches is one range, as the kernel refuses overlaps.
pub(super) fn in_set(
    field: Expr,
    negated: bool,
    data_type: DataType,
    intervals: Vec<Interval>,
) -> Vec<Expr> {
    let bytes = |value: u128| value.to_be_bytes()[16 - data_type.len()..].to_vec();
    let merged = normalise(intervals);
    if let [only] = merged.as_slice() {
        return between(field, negated, bytes(only.first), bytes(only.last));
    }
    let single = merged.iter().all(|interval| interval.first == interval.last);
    let mut flags = SetFlags::ANONYMOUS.and(SetFlags::CONSTANT);
    let elements: Vec<Element> = if single {
        merged.iter().map(|interval| Element::new(bytes(interval.first))).collect()
    } else {
        flags = flags.and(SetFlags::INTERVAL);
        interval_elements(&merged, data_type.len())
            .map(|(value, end)| Element { interval_end: end, ..Element::new(bytes(value)) })
            .collect()
    };
    vec![field, lookup(data_type, flags, elements, negated)]
}

/// `FIELD { A, B }` of values that are not ordered, such as address types.
pub(super) fn one_of(
    field: Expr,
    negated: bool,
    data_type: DataType,
    values: Vec<Vec<u8>>,
) -> Vec<Expr> {
    let elements = values.into_iter().map(Element::new).collect();
    let flags = SetFlags::ANONYMOUS.and(SetFlags::CONSTANT);
    vec![field, lookup(data_type, flags, elements, negated)]
}

fn lookup(data_type: DataType, flags: SetFlags, elements: Vec<Element>, inverted: bool) -> Expr {
    let mut set = Set::new(Name::literal("__set%d"), vec![data_type]);
    set.flags = flags;
    set.size = u32::try_from(elements.len()).ok();
    Lookup { set: SetRef::anonymous(set, elements), sreg: REGISTER, dreg: None, inverted }.into()
}

/// What is between the intervals, which are normalised, up to the highest value.
pub(super) fn gaps(intervals: &[Interval], highest: u128) -> Vec<Interval> {
    let mut gaps = Vec::new();
    let mut next = 0;
    for interval in intervals {
        if interval.first > next {
            gaps.push(Interval { first: next, last: interval.first - 1 });
        }
        next = interval.last + 1;
    }
    if next <= highest {
        gaps.push(Interval { first: next, last: highest });
    }
    gaps
}

/// Sorted; ranges that overlap or touch are one. Lone values that touch stay apart.
pub(super) fn normalise(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    intervals.dedup();
    if intervals.iter().all(|interval| interval.first == interval.last) {
        return intervals;
    }
    let mut merged: Vec<Interval> = Vec::new();
    for next in intervals {
        match merged.last_mut() {
            Some(before) if next.first <= before.last.saturating_add(1) => {
                before.last = before.last.max(next.last);
            }
            Some(_) | None => merged.push(next),
        }
    }
    merged
}

/// Keys of an interval set, with whether each ends a range: one past the last value. As nft does,
/// the values below the first range are an end too, and a range up to the highest value has none.
fn interval_elements(
    intervals: &[Interval],
    len: usize,
) -> impl Iterator<Item = (u128, bool)> + '_ {
    let highest = u128::MAX >> (128 - len * 8);
    let below = intervals.first().filter(|interval| interval.first > 0).map(|_| (0, true));
    let ranges = intervals.iter().flat_map(move |interval| {
        let end = (interval.last < highest).then(|| (interval.last + 1, true));
        std::iter::once((interval.first, false)).chain(end)
    });
    below.into_iter().chain(ranges)
}

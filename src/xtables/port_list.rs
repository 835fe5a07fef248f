//! Lists of ports and ranges: of one side, or of either.

use super::Error;
use super::field::REGISTER;
use super::interval::{Interval, gaps, in_set, normalise};
use super::module::Context;
use super::ports::{Side, range};
use super::words::Given;
use crate::nft::expr::{Lookup, Payload, Register, SetRef};
use crate::nft::{DataType, Element, Expr, Name, Set, SetFlags, concat};

/// The first and the last port of one part of a list.
pub(super) type Ports = (u16, u16);

/// Reads `80,90:100`.
pub(super) fn port_list(given: &Given<'_>, context: Context) -> Result<Vec<Ports>, Error> {
    given.value().split(',').map(|text| range(given, text, context)).collect()
}

/// `--dports 80,90:100`: `th dport { 80, 90-100 }`.
pub(super) fn port_list_match(
    given: &Given<'_>,
    side: Side,
    context: Context,
) -> Result<Vec<Expr>, Error> {
    let intervals = intervals(&port_list(given, context)?);
    Ok(in_set(side.field(), given.negated, DataType::InetService, intervals))
}

/// `--ports 80`, one port or the other: `th sport . th dport { 80 . 0-65535, 0-65535 . 80 }`.
pub(super) fn either_port_match(given: &Given<'_>, context: Context) -> Result<Vec<Expr>, Error> {
    const ALL: Interval = Interval { first: 0, last: u16::MAX as u128 };
    let ports = normalise(intervals(&port_list(given, context)?));
    // The kernel takes no element whose first or last key is inside another. Where ports at an end
    // are in the list, the second half is about sources that are not.
    let touches = |ports: &Interval| ports.first == 0 || ports.last == ALL.last;
    let sources = if ports.iter().any(touches) { gaps(&ports, ALL.last) } else { vec![ALL] };
    let first_half = ports.iter().map(|ports| element(*ports, ALL));
    let pairs = sources.iter().flat_map(|source| ports.iter().map(move |ports| (source, ports)));
    let second_half = pairs.map(|(source, ports)| element(*source, *ports));
    let elements: Vec<Element> = first_half.chain(second_half).collect();
    let mut set =
        Set::new(Name::literal("__set%d"), vec![DataType::InetService, DataType::InetService]);
    set.flags = [SetFlags::CONSTANT, SetFlags::INTERVAL, SetFlags::CONCAT]
        .into_iter()
        .fold(SetFlags::ANONYMOUS, SetFlags::and);
    set.size = u32::try_from(elements.len()).ok();
    let set = SetRef::anonymous(set, elements);
    Ok(vec![
        Side::Source.field(),
        Payload::transport(Payload::TH_DPORT, Register::word(1)).into(),
        Lookup { set, sreg: REGISTER, dreg: None, inverted: given.negated }.into(),
    ])
}

fn element(source: Interval, destination: Interval) -> Element {
    let key = |source: u128, destination: u128| {
        let bytes = |port: u128| (port as u16).to_be_bytes();
        concat(&[&bytes(source), &bytes(destination)])
    };
    let end = key(source.last, destination.last);
    Element { key_end: Some(end), ..Element::new(key(source.first, destination.first)) }
}

fn intervals(ports: &[Ports]) -> Vec<Interval> {
    let interval =
        |(first, last): &Ports| Interval { first: (*first).into(), last: (*last).into() };
    ports.iter().map(interval).collect()
}

/// The ports of a set whose elements came with the rule.
pub(super) fn ports_in(lookup: &Lookup) -> Option<Vec<Ports>> {
    let SetRef::Anonymous { set, elements, .. } = &lookup.set else { return None };
    let [part] = set.key.as_slice() else { return None };
    let key = |element: &Element| element.key.as_slice().try_into().ok().map(u16::from_be_bytes);
    if part.len() != 2 {
        return None;
    }
    let mut sorted = elements.iter().collect::<Vec<_>>();
    sorted.sort_by(|a, b| a.key.cmp(&b.key).then(b.interval_end.cmp(&a.interval_end)));
    let mut ports = Vec::new();
    let mut rest = sorted.into_iter().peekable();
    while let Some(element) = rest.next() {
        let first = key(element)?;
        if element.interval_end {
            continue;
        }
        let last = match rest.peek() {
            _ if !set.flags.has(SetFlags::INTERVAL) => first,
            Some(end) => key(end)?.checked_sub(1)?,
            None => u16::MAX,
        };
        ports.push((first, last));
    }
    Some(ports)
}

/// `80,443:500`.
pub(super) fn printed(list: &[Ports]) -> String {
    let part = |(first, last): &Ports| {
        if first == last { first.to_string() } else { format!("{first}:{last}") }
    };
    list.iter().map(part).collect::<Vec<_>>().join(",")
}

//! Elements as text, in nft's order: ranges put together again, prefixes, wildcards.

use super::compare::{prefix_of, shift_right};
use super::rule::{RuleListing, Sets};
use crate::nft::concat::list_concat;
use crate::nft::{DataType, Element, ElementData, Family, Set, SetData, SetFlags};

/// Type 0 and 1 of a set's userdata: the byte order of keys and of data, 1 host, 2 network.
const KEY_ORDER: u8 = 0;
const DATA_ORDER: u8 = 1;
const HOST: u32 = 1;
const NETWORK: u32 = 2;

/// How the keys of a rule's own set read, where what is looked up tells more than the set.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// Their type.
    pub data_type: Option<DataType>,
    /// How far the value is from the right: keys of a field of a few bits are not shifted.
    pub shift: u32,
}

/// An element as nft lists it in a set: `tcp . 8080 comment "…" : 10.88.0.2 . 80`.
#[must_use]
pub fn list_element(family: Family, set: &Set, element: &Element) -> String {
    let key = key_text(set, element, Reading::default());
    with_rest(family, set, element, &key)
}

/// All elements in nft's order. An interval's end closes the range that the element before it
/// opened.
pub(super) fn element_words(
    family: Family,
    set: &Set,
    elements: &[Element],
    reading: Reading,
) -> Vec<String> {
    let mut sorted: Vec<&Element> = elements.iter().collect();
    match (set.flags.has(SetFlags::INTERVAL), set.key.as_slice()) {
        (true, [_]) => intervals(family, set, elements, reading),
        // Ranges in concatenations stay as the kernel lists them.
        (true, _) => words(family, set, &sorted, reading),
        (false, _) => {
            sorted.sort_by_cached_key(|element| sort_key(set, &element.key));
            words(family, set, &sorted, reading)
        }
    }
}

fn words(family: Family, set: &Set, elements: &[&Element], reading: Reading) -> Vec<String> {
    let word =
        |element: &&Element| with_rest(family, set, element, &key_text(set, element, reading));
    elements.iter().map(word).collect()
}

/// What nft sorts by: the value as a number. It takes strings and concatenations (without their
/// padding) for numbers in host order, so that their last byte counts most.
fn sort_key(set: &Set, key: &[u8]) -> Vec<u8> {
    let mut bytes = match set.key.as_slice() {
        [single] if !is_host_order(set, KEY_ORDER, *single) => return key.to_vec(),
        [_] => key.to_vec(),
        parts => {
            let mut bytes = Vec::new();
            let mut rest = key;
            for part in parts {
                let len = part.len().min(rest.len());
                bytes.extend_from_slice(&rest[..len]);
                rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            }
            bytes
        }
    };
    bytes.reverse();
    bytes
}

/// Whether single values of a set are in host order: as its userdata says, or by their type.
fn is_host_order(set: &Set, which: u8, data_type: DataType) -> bool {
    match set.userdata.find_u32(which) {
        Some(HOST) => true,
        Some(NETWORK) => data_type == DataType::Ifname,
        _ => data_type.is_host_order(),
    }
}

/// A value in the byte order of its type.
fn ordered(set: &Set, which: u8, data_type: DataType, value: &[u8]) -> Vec<u8> {
    let mut bytes = value.to_vec();
    if is_host_order(set, which, data_type) != data_type.is_host_order() {
        bytes.reverse();
    }
    bytes
}

fn intervals(family: Family, set: &Set, elements: &[Element], reading: Reading) -> Vec<String> {
    let mut sorted: Vec<&Element> = elements.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key).then(b.interval_end.cmp(&a.interval_end)));
    let mut words = Vec::new();
    let mut open: Option<&Element> = None;
    let mut close = |open: &mut Option<&Element>, last: Vec<u8>| {
        if let Some(from) = open.take() {
            let key = range_text(set, &from.key, &last, reading);
            words.push(with_rest(family, set, from, &key));
        }
    };
    for element in sorted {
        close(&mut open, one_less(&element.key));
        open = (!element.interval_end).then_some(element);
    }
    if let Some(from) = open {
        close(&mut open, vec![0xff; from.key.len()]);
    }
    words
}

fn one_less(key: &[u8]) -> Vec<u8> {
    let mut last = key.to_vec();
    for byte in last.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    last
}

/// From the first to the last key of an interval set, which are in network order.
fn range_text(set: &Set, first: &[u8], last: &[u8], reading: Reading) -> String {
    let [part] = set.key.as_slice() else { return String::new() };
    let data_type = reading.data_type.unwrap_or(*part);
    // The kernel compares bytes, so all numbers are in network order here; names are text.
    let is_swapped = data_type.is_host_order() && data_type != DataType::Ifname;
    let read = |bytes: &[u8]| {
        let mut bytes = shift_if(bytes, reading.shift);
        if is_swapped {
            bytes.reverse();
        }
        bytes
    };
    part_text(data_type, &read(first), &read(last), first, last)
}

/// One part of a key: a value, a prefix, a wildcard or a range. `first` and `last` are the bounds
/// in network order.
fn part_text(data_type: DataType, from: &[u8], to: &[u8], first: &[u8], last: &[u8]) -> String {
    if from == to {
        return data_type.list(from);
    }
    if data_type.has_prefixes()
        && let Some(prefix) = aligned_prefix(first, last)
    {
        return match data_type {
            DataType::Ifname => data_type.list(&from[..prefix as usize / 8]),
            _ => format!("{}/{prefix}", data_type.list(from)),
        };
    }
    format!("{}-{}", data_type.list_bound(from), data_type.list_bound(to))
}

/// The prefix of addresses that begins and ends with these, if there is one.
pub(super) fn prefix_text(data_type: DataType, first: &[u8], last: &[u8]) -> Option<String> {
    aligned_prefix(first, last).map(|prefix| format!("{}/{prefix}", data_type.list(first)))
}

/// The length of the prefix that begins and ends with these keys.
fn aligned_prefix(first: &[u8], last: &[u8]) -> Option<u32> {
    let mask: Vec<u8> = first.iter().zip(last).map(|(low, high)| !(low ^ high)).collect();
    let is_aligned = first.iter().zip(&mask).all(|(low, mask)| low & !mask == 0)
        && last.iter().zip(&mask).all(|(high, mask)| high | mask == 0xff);
    if is_aligned { prefix_of(&mask) } else { None }
}

fn shift_if(bytes: &[u8], by: u32) -> Vec<u8> {
    if by == 0 { bytes.to_vec() } else { shift_right(bytes, by) }
}

fn key_text(set: &Set, element: &Element, reading: Reading) -> String {
    if let [part] = set.key.as_slice() {
        let data_type = reading.data_type.unwrap_or(*part);
        let key = shift_if(&element.key, reading.shift);
        return data_type.list(&ordered(set, KEY_ORDER, data_type, &key));
    }
    let Some(end) = &element.key_end else { return list_concat(&set.key, &element.key) };
    let mut words = Vec::new();
    let (mut from, mut to) = (element.key.as_slice(), end.as_slice());
    for part in &set.key {
        let len = part.len().min(from.len()).min(to.len());
        let (low, high) = (&from[..len], &to[..len]);
        words.push(part_text(*part, low, high, low, high));
        from = from.get(len.next_multiple_of(4)..).unwrap_or_default();
        to = to.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    words.join(" . ")
}

/// What follows the key: statements, times, comment, and where a map leads.
fn with_rest(family: Family, set: &Set, element: &Element, key: &str) -> String {
    let none: &Sets<'_> = &|_| None;
    let mut text = key.to_owned();
    for expr in &element.exprs {
        let mut listing = RuleListing::new(family, none);
        expr.list(&mut listing);
        text.push_str(&format!(" {}", listing.finish()));
    }
    // A timeout that is the set's own is not listed.
    if let Some(timeout) = element.timeout.filter(|own| Some(*own) != set.timeout) {
        text.push_str(&format!(" timeout {}", crate::nft::expr::listing_time(timeout)));
    }
    if let Some(comment) = element.userdata.comment() {
        text.push_str(&format!(" comment \"{comment}\""));
    }
    match &element.data {
        None => {}
        Some(data) => text.push_str(&format!(" : {}", data_text(set, data))),
    }
    text
}

fn data_text(set: &Set, data: &ElementData) -> String {
    match (data, &set.data) {
        (ElementData::Value(value), Some(SetData::Value(parts))) => match parts.as_slice() {
            [part] => part.list(&ordered(set, DATA_ORDER, *part, value)),
            parts => list_concat(parts, value),
        },
        (ElementData::Value(value), _) => format!("{value:02x?}"),
        (ElementData::Verdict(verdict), _) => verdict.to_string(),
        (ElementData::Object(name), _) => format!("\"{name}\""),
    }
}

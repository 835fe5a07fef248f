//! A number or a range of numbers, `3` or `3:5`, as a value of an option and as comparisons.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::between;
use crate::xtables::number::number;
use crate::xtables::test::Test;
use crate::xtables::words::Given;

/// The first and the last.
pub(super) type Ends = (u64, u64);

/// Reads `3`, `3:5`, `:5` or `3:`, none above `most`.
pub(super) fn ends(given: &Given<'_>, most: u64) -> Result<Ends, Error> {
    let text = given.value();
    let bad = || given.bad(text, "a number or a range of numbers, FIRST:LAST");
    let read = |text: &str, default| match text {
        "" => Some(default),
        text => number(text).filter(|number| *number <= most),
    };
    let (first, last) = match text.split_once(':') {
        Some((first, last)) => (read(first, 0), read(last, most)),
        None if text.is_empty() => (None, None),
        None => (read(text, 0), read(text, 0)),
    };
    match (first, last) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(bad()),
    }
}

/// `FIELD 3-5` of a field of so many bytes in network order.
pub(super) fn in_range(given: &Given<'_>, field: Expr, bytes: usize) -> Result<Vec<Expr>, Error> {
    let (first, last) = ends(given, u64::MAX >> (64 - bytes * 8))?;
    let value = |number: u64| number.to_be_bytes()[8 - bytes..].to_vec();
    Ok(between(field, given.negated, value(first), value(last)))
}

/// Both ends of a comparison of numbers in network order, and whether it is negated.
pub(super) fn read_ends(test: &Test<'_>) -> Option<(bool, Ends)> {
    match test {
        Test::Equal { negated, value } => Some((*negated, (big(value)?, big(value)?))),
        Test::Between { negated, first, last } => Some((*negated, (big(first)?, big(last)?))),
        Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => None,
    }
}

/// Up to 8 bytes in network order.
pub(super) fn big(bytes: &[u8]) -> Option<u64> {
    let fits = !bytes.is_empty() && bytes.len() <= 8;
    fits.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// `3` or `3:5`.
pub(super) fn text((first, last): Ends) -> String {
    if first == last { first.to_string() } else { format!("{first}:{last}") }
}

/// `NAME:!3`, `NAMEs:3:5`, as `iptables -L` prints ranges.
pub(super) fn listed(name: &str, value: &str, negated: bool) -> String {
    let several = if value.contains(':') { "s" } else { "" };
    let not = if negated { "!" } else { "" };
    format!("{name}{several}:{not}{value}")
}

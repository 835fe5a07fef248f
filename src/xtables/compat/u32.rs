//! The match `u32`: four bytes found by offsets, compared with ranges.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, one_of};

/// Places in each of its lists.
const PLACES: usize = 11;

const OPERATORS: &[(u8, &str)] = &[(0, "&"), (1, "<<"), (2, ">>"), (3, "@")];

/// `struct xt_u32`
pub(super) fn u32(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut tests = Vec::with_capacity(PLACES);
    for _ in 0..PLACES {
        tests.push(test(info)?);
    }
    let count = usize::from(info.u8()?);
    let inverted = info.truth()?;
    let tests: Result<Vec<String>, Flaw> =
        tests.get(..count).ok_or(Flaw::Value)?.iter().cloned().collect();
    let mut words = Words::new();
    words.put(inverted, "--u32", tests?.join("&&"));
    Ok(words)
}

/// One `struct xt_u32_test`. A bad value matters only if the test counts, so it is a result in a
/// result: the outer one is about the length.
fn test(info: &mut Info<'_>) -> Result<Result<String, Flaw>, Flaw> {
    let mut locations = [(0, 0); PLACES];
    for location in &mut locations {
        *location = (info.u32()?, info.u8()?);
        info.align(4);
    }
    let mut values = [(0, 0); PLACES];
    for value in &mut values {
        *value = info.u32_range()?;
    }
    let (numbers, ranges) = (usize::from(info.u8()?), usize::from(info.u8()?));
    info.align(4);
    Ok(test_text(locations.get(..numbers), values.get(..ranges)))
}

fn test_text(
    locations: Option<&[(u32, u8)]>,
    values: Option<&[(u32, u32)]>,
) -> Result<String, Flaw> {
    let mut text = String::new();
    for (at, (number, operator)) in locations.ok_or(Flaw::Value)?.iter().enumerate() {
        if at > 0 {
            text.push_str(one_of(*operator, OPERATORS)?);
        }
        text.push_str(&format!("{number:#x}"));
    }
    let values = values.ok_or(Flaw::Value)?.iter().map(|(low, high)| match low == high {
        true => format!("{low:#x}"),
        false => format!("{low:#x}:{high:#x}"),
    });
    text.push('=');
    text.push_str(&values.collect::<Vec<_>>().join(","));
    Ok(text)
}

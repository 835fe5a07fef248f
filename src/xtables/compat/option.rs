//! The options of one module as words, and how `iptables-save` writes numbers, lists and ranges.

use std::fmt::Display;

use super::error::Flaw;

/// The words behind `-m NAME` or `-j NAME`.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// The name that stands in the rule, where it is not the module's own.
    pub(super) alias: Option<&'static str>,
    /// The options.
    pub(super) words: Vec<String>,
}

impl Words {
    /// No options.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// `[!] --option`
    pub(super) fn flag(&mut self, inverted: bool, option: &str) {
        if inverted {
            self.words.push("!".to_owned());
        }
        self.words.push(option.to_owned());
    }

    /// `[!] --option VALUE`
    pub(super) fn put(&mut self, inverted: bool, option: &str, value: impl Display) {
        self.flag(inverted, option);
        self.words.push(value.to_string());
    }

    /// The flags of a table whose bits are set; any other bit is a [`Flaw::Value`].
    pub(super) fn flags(&mut self, bits: u32, table: &[(u32, &str)]) -> Result<(), Flaw> {
        known(bits, table.iter().fold(0, |all, (bit, _)| all | bit))?;
        for (bit, option) in table {
            if bits & bit != 0 {
                self.flag(false, option);
            }
        }
        Ok(())
    }
}

/// Refuses bits that no known option has.
pub(super) fn known(bits: u32, mask: u32) -> Result<(), Flaw> {
    if bits & !mask == 0 { Ok(()) } else { Err(Flaw::Value) }
}

/// The names of the bits, joined by commas, in the table's order.
pub(super) fn list(bits: u32, table: &[(u32, &str)]) -> Result<String, Flaw> {
    known(bits, table.iter().fold(0, |all, (bit, _)| all | bit))?;
    let names = table.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name);
    Ok(names.collect::<Vec<_>>().join(","))
}

/// One of several names by number.
pub(super) fn one_of<T: Copy + PartialEq>(
    number: T,
    table: &[(T, &'static str)],
) -> Result<&'static str, Flaw> {
    table.iter().find(|(at, _)| *at == number).map(|(_, name)| *name).ok_or(Flaw::Value)
}

/// `a`, or `a:b` where they differ.
pub(super) fn range<T: Display + PartialEq>((low, high): (T, T)) -> String {
    joined((low, high), ':')
}

/// `a`, or both ends with this between them where they differ.
pub(super) fn joined<T: Display + PartialEq>((low, high): (T, T), separator: char) -> String {
    if low == high { low.to_string() } else { format!("{low}{separator}{high}") }
}

/// `0x1`, or `0x1/0xf` where the mask leaves something out.
pub(super) fn masked(value: u32, mask: u32) -> String {
    if mask == u32::MAX { format!("{value:#x}") } else { format!("{value:#x}/{mask:#x}") }
}

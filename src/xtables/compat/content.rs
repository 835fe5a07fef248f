//! Matches of content and history: `string`, `time`, `recent`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, one_of};
use super::text::address;

const ALGORITHM: usize = 16;
const PATTERN: usize = 128;
const RECENT_NAME: usize = 200;

const LAST_SECOND: u32 = 24 * 60 * 60 - 1;
const ALL_DAYS: u32 = 0xffff_fffe;
const ALL_WEEKDAYS: u32 = 0xfe;

const WEEKDAYS: &[(u32, &str)] = &[
    (1 << 1, "Mon"),
    (1 << 2, "Tue"),
    (1 << 3, "Wed"),
    (1 << 4, "Thu"),
    (1 << 5, "Fri"),
    (1 << 6, "Sat"),
    (1 << 7, "Sun"),
];

/// `struct xt_string_info`; its last field is a sense in revision 0 and flags in revision 1.
pub(super) fn string(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const INVERT: u32 = 1;
    const IGNORE_CASE: u32 = 2;
    let (from, to) = info.u16_range()?;
    let algorithm = info.text(ALGORITHM)?;
    let pattern = info.bytes(PATTERN)?;
    let pattern = pattern.get(..usize::from(info.u8()?)).ok_or(Flaw::Value)?;
    let flags = u32::from(info.u8()?);
    known(flags, if info.revision == 0 { INVERT } else { INVERT | IGNORE_CASE })?;
    let (option, text) = match printable(pattern) {
        Some(text) => ("--string", text.to_owned()),
        None => {
            let bytes: String = pattern.iter().map(|byte| format!("{byte:02x}")).collect();
            ("--hex-string", format!("|{bytes}|"))
        }
    };
    let mut words = Words::new();
    words.put(flags & INVERT != 0, option, text);
    words.put(false, "--algo", algorithm);
    if from != 0 {
        words.put(false, "--from", from);
    }
    if to != 0 && to != u16::MAX {
        words.put(false, "--to", to);
    }
    words.flags(flags & IGNORE_CASE, &[(IGNORE_CASE, "--icase")])?;
    Ok(words)
}

/// A pattern that iptables prints as it is: printable ASCII without a backslash at its end.
fn printable(pattern: &[u8]) -> Option<&str> {
    let plain = pattern.iter().all(|byte| (b' '..=b'~').contains(byte));
    let text = std::str::from_utf8(pattern).ok()?;
    (plain && !text.is_empty() && !text.ends_with('\\')).then_some(text)
}

/// `struct xt_time_info`
pub(super) fn time(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let ((from, to), (start, stop)) = (info.u32_range()?, info.u32_range()?);
    let (days, weekdays) = (info.u32()?, u32::from(info.u8()?));
    let flags = u32::from(info.u8()?);
    let mut words = Words::new();
    if (start, stop) != (0, LAST_SECOND) {
        words.put(false, "--timestart", clock(start)?);
        words.put(false, "--timestop", clock(stop)?);
    }
    if days & ALL_DAYS != ALL_DAYS {
        let named = (1..32).filter(|day| days >> day & 1 != 0);
        let named: Vec<String> = named.map(|day: u32| day.to_string()).collect();
        words.put(false, "--monthdays", named.join(","));
    }
    if weekdays & ALL_WEEKDAYS != ALL_WEEKDAYS {
        words.put(false, "--weekdays", list(weekdays & ALL_WEEKDAYS, WEEKDAYS)?);
    }
    if from != 0 {
        words.put(false, "--datestart", date(from));
    }
    if to != 0 {
        words.put(false, "--datestop", date(to));
    }
    words.flags(flags, &[(1, "--kerneltz"), (2, "--contiguous")])?;
    Ok(words)
}

/// A second of the day as `08:00:00`.
fn clock(second: u32) -> Result<String, Flaw> {
    if second > LAST_SECOND {
        return Err(Flaw::Value);
    }
    Ok(format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60))
}

/// A second since 1970 in UTC as `2020-01-01T00:00:00`, after "days to civil" in 400-year eras that
/// begin in March, so that the leap day is the last of its year.
fn date(second: u32) -> String {
    const ERA: u32 = 146_097;
    let day = second / 86_400 + 719_468; // since 1 March of the year 0
    let in_era = day % ERA;
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * in_year + 2) / 153; // 0 is March
    let (of_month, month) = (in_year - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = day / ERA * 400 + year_of_era + u32::from(month <= 2);
    let clock = (second / 3600 % 24, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{:02}:{:02}:{:02}", clock.0, clock.1, clock.2)
}

/// `struct xt_recent_mtinfo`, and `xt_recent_mtinfo_v1` with a mask.
pub(super) fn recent(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const TTL: u32 = 16;
    const REAP: u32 = 32;
    let (seconds, hits) = info.u32_range()?;
    let (check, inverted) = (u32::from(info.u8()?), info.truth()?);
    let name = info.text(RECENT_NAME)?;
    let side = one_of(info.u8()?, &[(0, "--rsource"), (1, "--rdest")])?;
    let actions = [(1, "--rcheck"), (2, "--set"), (4, "--update"), (8, "--remove")];
    let mut words = Words::new();
    words.flag(inverted, one_of(check & !(TTL | REAP), &actions)?);
    if seconds != 0 {
        words.put(false, "--seconds", seconds);
    }
    words.flags(check & REAP, &[(REAP, "--reap")])?;
    if hits != 0 {
        words.put(false, "--hitcount", hits);
    }
    words.flags(check & TTL, &[(TTL, "--rttl")])?;
    words.put(false, "--name", name);
    if info.revision > 0 {
        words.put(false, "--mask", address(info.inet_addr()?));
    }
    words.flag(false, side);
    Ok(words)
}

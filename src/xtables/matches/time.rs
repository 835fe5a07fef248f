//! `-m time`: the time of day, the day of the week and the date, of UTC.

use super::date::{date_text, read_date};
use crate::nft::expr::{Byteorder, ByteorderOp, CmpOp, Meta, MetaKey, SetRef};
use crate::nft::{DataType, Expr};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, between_u32, compare, equal, meta};
use crate::xtables::interval::one_of;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::{Test, host_u32, tests};
use crate::xtables::words::{Given, OptionSpec};

/// `meta hour "22:00"-"23:00" meta day { "Monday", "Tuesday" } meta time >= "2020-01-01 00:00:00"`.
///
/// The kernel shifts the day, not the hour, by its own time zone, which is UTC where nothing has
/// set another.
pub(super) static TIME: Module = Module::new(
    "time",
    &[
        OptionSpec::setting(&["timestart"]),
        OptionSpec::setting(&["timestop"]),
        OptionSpec::refused(&["monthdays"], "nf_tables does not know the day of the month"),
        OptionSpec::value(&["weekdays"]),
        OptionSpec::setting(&["datestart"]),
        OptionSpec::setting(&["datestop"]),
        OptionSpec::refused(&["kerneltz"], ZONE),
        OptionSpec::refused(&["localtz"], ZONE),
        OptionSpec::refused(&["contiguous"], "nf_tables does not know whether a day began before"),
        OptionSpec::flag(&["utc"]),
    ],
    build,
)
.noted_by(note)
.read_by(66, read, list);

const ZONE: &str = "nf_tables compares the time of day of UTC";
const LAST_SECOND: u32 = 86_399;
/// The date that iptables stops at, and prints, where nothing else is said.
const LAST_DATE: u64 = 0x7fff_ffff;
const NANOSECONDS: u64 = 1_000_000_000;
/// Days from Monday, as iptables counts them; nf_tables begins with Sunday.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn build(time: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    let (start, stop) = (time.find("timestart"), time.find("timestop"));
    let (start, stop) = (start.map_or(Ok(0), second)?, stop.map_or(Ok(LAST_SECOND), second)?);
    let hour = meta(MetaKey::TimeHour);
    match (start, stop) {
        (0, LAST_SECOND) => {}
        (start, stop) if start <= stop => exprs.extend(between_u32(hour, false, start, stop)),
        // Over midnight: all but what is between.
        (start, stop) if stop + 1 < start => {
            exprs.extend(between_u32(hour, true, stop + 1, start - 1));
        }
        (_, _) => {}
    }
    if let Some(given) = time.find("weekdays") {
        exprs.extend(days_match(given)?);
    }
    let date = |name| time.find(name).map(date).transpose();
    if let Some(date) = date("datestart")?.filter(|date| *date != 0) {
        exprs.extend(date_match(CmpOp::Gte, date));
    }
    if let Some(date) = date("datestop")?.filter(|date| *date != LAST_DATE) {
        exprs.extend(date_match(CmpOp::Lt, date + 1));
    }
    Ok(exprs)
}

/// `HH:MM` or `HH:MM:SS` in seconds.
fn second(given: &Given<'_>) -> Result<u32, Error> {
    let bad = || given.bad(given.value(), "a time of day: expected HH:MM or HH:MM:SS");
    let parts: Option<Vec<u32>> = given.value().split(':').map(|text| text.parse().ok()).collect();
    match parts.ok_or_else(bad)?.as_slice() {
        [hours, minutes, rest @ ..] if *hours < 24 && *minutes < 60 => match rest {
            [] => Ok(hours * 3600 + minutes * 60),
            [seconds] if *seconds < 60 => Ok(hours * 3600 + minutes * 60 + seconds),
            _ => Err(bad()),
        },
        _ => Err(bad()),
    }
}

/// Seconds since 1970.
fn date(given: &Given<'_>) -> Result<u64, Error> {
    let bad = || given.bad(given.value(), "a date up to 2038: expected YYYY-MM-DDThh:mm:ss");
    read_date(given.value()).filter(|date| *date <= LAST_DATE).ok_or_else(bad)
}

/// Nanoseconds, which are swapped to be compared. The last second of a range is a whole one.
fn date_match(op: CmpOp, seconds: u64) -> Vec<Expr> {
    let swap = Byteorder { sreg: REGISTER, dreg: REGISTER, op: ByteorderOp::Hton, len: 8, size: 8 };
    let bytes = (seconds * NANOSECONDS).to_be_bytes();
    vec![meta(MetaKey::TimeNs), swap.into(), compare(op, bytes)]
}

/// Which days, from Monday; all others where the option is negated.
fn days_wanted(given: &Given<'_>) -> Result<[bool; 7], Error> {
    let expected = "a list of Mon, Tue, Wed, Thu, Fri, Sat, Sun, or numbers from 1 for Monday";
    let mut wanted = [given.negated; 7];
    for word in given.value().split(',') {
        let named = DAYS.iter().position(|name| {
            // Two letters are enough.
            let front = word.get(..2).zip(name.get(..2));
            let same = front.is_some_and(|(word, name)| word.eq_ignore_ascii_case(name));
            same && name.get(..word.len()).is_some_and(|name| name.eq_ignore_ascii_case(word))
        });
        let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let day = named.or(number).and_then(|day| wanted.get_mut(day));
        *day.ok_or_else(|| given.bad(word, expected))? = !given.negated;
    }
    Ok(wanted)
}

fn days_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let wanted = days_wanted(given)?;
    // From Sunday.
    let kernel = |day: usize| u8::try_from((day + 1) % 7).unwrap_or(0);
    let days = (0..7).filter(|day| wanted[*day]).map(|day| vec![kernel(day)]);
    let days: Vec<Vec<u8>> = days.collect();
    Ok(match days.as_slice() {
        [] => return Err(given.never()),
        [day] => equal(meta(MetaKey::TimeDay), false, day.clone()),
        days if days.len() == 7 => Vec::new(),
        _ => one_of(meta(MetaKey::TimeDay), false, DataType::Day, days),
    })
}

/// The days of a list, which are in a set: bits from Monday.
fn note(time: &Options<'_>) -> Vec<u8> {
    let wanted = time.find("weekdays").and_then(|given| days_wanted(given).ok());
    let wanted = wanted.unwrap_or_default();
    let bits = (0..7).filter(|day| wanted[*day]).fold(0_u8, |bits, day| bits | 1 << day);
    if matches!(bits.count_ones(), 2..=6) { vec![bits] } else { Vec::new() }
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (mut settings, mut stop) = (Vec::new(), LAST_DATE);
    for (field, test) in tests(span.exprs)? {
        let Expr::Meta(Meta::Load { key, .. }) = field else { return None };
        match (key, test) {
            (MetaKey::TimeHour, test) => {
                let (start, stop) = hours(&test)?;
                let text = |time: u32| {
                    format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60)
                };
                settings.push(Setting::new("timestart", text(start)));
                settings.push(Setting::new("timestop", text(stop)));
            }
            (MetaKey::TimeDay, test) => {
                settings.push(Setting::new("weekdays", days(&test, span.note)?));
            }
            (MetaKey::TimeNs, Test::Compared { op: CmpOp::Gte, value }) => {
                settings.push(Setting::new("datestart", date_text(seconds(value)?)));
            }
            (MetaKey::TimeNs, Test::Compared { op: CmpOp::Lt, value }) => {
                stop = seconds(value)?.checked_sub(1)?;
            }
            _ => return None,
        }
    }
    settings.push(Setting::new("datestop", date_text(stop)));
    Some(settings)
}

fn seconds(nanoseconds: &[u8]) -> Option<u64> {
    let nanoseconds = u64::from_be_bytes(nanoseconds.try_into().ok()?);
    nanoseconds.is_multiple_of(NANOSECONDS).then_some(nanoseconds / NANOSECONDS)
}

fn hours(test: &Test<'_>) -> Option<(u32, u32)> {
    let big = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_be_bytes);
    let (negated, first, last) = match test {
        Test::Equal { negated, value } => (*negated, host_u32(value)?, host_u32(value)?),
        Test::Between { negated, first, last } => (*negated, big(first)?, big(last)?),
        Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => return None,
    };
    Some(if negated { (last + 1, first.checked_sub(1)?) } else { (first, last) })
}

fn days(test: &Test<'_>, note: &[u8]) -> Option<String> {
    let mut wanted = [false; 7];
    let mut add = |value: &[u8]| {
        let [day] = value else { return None };
        *wanted.get_mut((usize::from(*day) + 6) % 7)? = true;
        Some(())
    };
    match test {
        Test::Equal { negated: false, value } => add(value)?,
        Test::In { lookup } if !lookup.inverted => match (note, &lookup.set) {
            ([bits], _) => wanted = std::array::from_fn(|day| bits >> day & 1 != 0),
            (_, SetRef::Anonymous { elements, .. }) => {
                elements.iter().try_for_each(|element| add(&element.key))?;
            }
            (_, SetRef::Named(_)) => return None,
        },
        _ => return None,
    }
    let names = (0..7).filter(|day| wanted[*day]).map(|day| DAYS[day]);
    Some(names.collect::<Vec<_>>().join(","))
}

/// `TIME from 22:00:00 to 06:00:00 on Mon,Tue until date 2021-01-01 00:00:00 UTC`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let mut words = vec!["TIME".to_owned()];
    let options = [
        ("timestart", "from"),
        ("timestop", "to"),
        ("weekdays", "on"),
        ("datestart", "starting from"),
        ("datestop", "until date"),
    ];
    for (option, word) in options {
        let Some(setting) = find(settings, option) else { continue };
        if option != "datestop" || setting.value() != date_text(LAST_DATE) {
            words.push(format!("{word} {}", listed(option, setting.value())));
        }
    }
    words.push("UTC".to_owned());
    words.join(" ")
}

/// Dates with a blank in the middle.
fn listed(option: &str, value: &str) -> String {
    if option.starts_with("date") { value.replace('T', " ") } else { value.to_owned() }
}

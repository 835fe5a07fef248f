//! Dates and times of day as nft writes them, in UTC: the kernel keeps them so, and a listing that
//! depends on the reader's time zone could not be compared.

const DAY: u64 = 86_400;

/// `2026-01-31 10:00:00`, of nanoseconds since 1970.
pub(super) fn date(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (year, month, day) = civil(seconds / DAY);
    let (hours, minutes, seconds) = parts(seconds % DAY);
    format!("{year}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}")
}

/// `10:00`, or `10:00:30`, of seconds since midnight.
pub(super) fn hour(seconds: u64) -> String {
    let (hours, minutes, seconds) = parts(seconds);
    match seconds {
        0 => format!("{hours:02}:{minutes:02}"),
        _ => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

fn parts(seconds: u64) -> (u64, u64, u64) {
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of the month of a day since 1970, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    // 400 years are always as long, so whole ones are skipped.
    let mut year = 1970 + days / 146_097 * 400;
    let mut rest = days % 146_097;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if rest < length {
            break;
        }
        rest -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::{date, hour};

    #[test]
    fn date_when_at_the_edges_of_years_and_months_then_is_the_calendars() {
        let at = |seconds: u64| date(seconds * 1_000_000_000);
        assert_eq!(at(0), "1970-01-01 00:00:00");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(at(1_767_225_599), "2025-12-31 23:59:59");
        assert_eq!(at(4_107_542_400), "2100-03-01 00:00:00");
        assert_eq!(at(13_574_563_200), "2400-02-29 00:00:00");
    }

    #[test]
    fn hour_when_it_has_seconds_then_shows_them() {
        assert_eq!(hour(36_000), "10:00");
        assert_eq!(hour(86_399), "23:59:59");
    }
}

//! Dates of UTC: `2020-02-29T10:00:00` and seconds since 1970.

const DAY: u64 = 86_400;

/// Seconds since 1970 of `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`; what is missing is the first there is.
pub(super) fn read_date(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| digits)
    };
    let mut parts = date.split('-').map(number);
    let year = parts.next()??;
    let (month, day) = (parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    let valid = (1970..2040).contains(&year) && (1..=12).contains(&month);
    if !valid || day < 1 || day > days_of(year, month) || parts.next().is_some() {
        return None;
    }
    let mut parts = time.into_iter().flat_map(|time| time.split(':')).map(number);
    let mut part = |most: u64| parts.next().unwrap_or(Some(0)).filter(|number| *number < most);
    let (hours, minutes, seconds) = (part(24)?, part(60)?, part(60)?);
    if parts.next().is_some() {
        return None;
    }
    let years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    Some((years + months + day - 1) * DAY + hours * 3600 + minutes * 60 + seconds)
}

/// `2020-02-29T10:00:00`
pub(super) fn date_text(seconds: u64) -> String {
    let (mut days, rest) = (seconds / DAY, seconds % DAY);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}", days + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

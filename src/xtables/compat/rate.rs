//! Matches that count or measure: `limit`, `statistic`, `quota`, `connlimit`, `connbytes`, `nfacct`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, one_of};

/// A period of `limit` is in ten-thousandths of a second.
const LIMIT_SCALE: u64 = 10_000;
const LIMIT_BURST: u32 = 5;
/// `NFACCT_NAME_MAX`
const NFACCT_NAME: usize = 32;

/// Units of a rate in seconds, the longest first.
pub(super) const UNITS: [(u64, &str); 4] =
    [(86_400, "day"), (3_600, "hour"), (60, "min"), (1, "sec")];

/// A period as a rate: the longest unit that still gives a whole number, or nearly. Returns the
/// unit in seconds too.
pub(super) fn rate(period: u64, scale: u64) -> Option<(String, u64)> {
    if period == 0 {
        return None;
    }
    let (mut best, mut name) = UNITS[0];
    for (unit, shorter) in &UNITS[1..] {
        let ticks = unit * scale;
        if period > ticks || ticks / period < ticks % period {
            break;
        }
        (best, name) = (*unit, *shorter);
    }
    Some((format!("{}/{name}", best * scale / period), best))
}

/// `struct xt_rateinfo`. iptables 1.8.9 writes a native limit; older ones leave this.
pub(super) fn limit(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (period, burst) = info.u32_range()?;
    let (rate, _) = rate(period.into(), LIMIT_SCALE).ok_or(Flaw::Value)?;
    let mut words = Words::new();
    words.put(false, "--limit", rate);
    if burst != LIMIT_BURST {
        words.put(false, "--limit-burst", burst);
    }
    Ok(words)
}

/// `struct xt_statistic_info`
pub(super) fn statistic(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (mode, flags) = (info.u16()?, u32::from(info.u16()?));
    known(flags, 1)?;
    let inverted = flags != 0;
    let (first, packet) = info.u32_range()?;
    let mut words = Words::new();
    words.put(false, "--mode", one_of(mode, &[(0, "random"), (1, "nth")])?);
    if mode == 0 {
        let probability = f64::from(first) / f64::from(0x8000_0000_u32);
        words.put(inverted, "--probability", format_args!("{probability:.11}"));
    } else {
        words.put(inverted, "--every", u64::from(first) + 1);
        words.put(false, "--packet", packet);
    }
    Ok(words)
}

/// `struct xt_quota_info`
pub(super) fn quota(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let flags = info.u32()?;
    known(flags, 1)?;
    let mut words = Words::new();
    words.put(flags != 0, "--quota", info.u64()?);
    Ok(words)
}

/// `struct xt_connlimit_info`
pub(super) fn connlimit(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const UP_TO: u32 = 1;
    const DESTINATION: u32 = 2;
    let mask = super::text::prefix(info.inet_addr()?).ok_or(Flaw::Value)?;
    let (limit, flags) = info.u32_range()?;
    known(flags, UP_TO | DESTINATION)?;
    let option = if flags & UP_TO != 0 { "--connlimit-upto" } else { "--connlimit-above" };
    let side = if flags & DESTINATION != 0 { "--connlimit-daddr" } else { "--connlimit-saddr" };
    let mut words = Words::new();
    words.put(false, option, limit);
    words.put(false, "--connlimit-mask", mask);
    words.flag(false, side);
    Ok(words)
}

/// `struct xt_connbytes_info`. An inverted range is stored with its ends swapped.
pub(super) fn connbytes(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (from, to) = (info.u64()?, info.u64()?);
    let mode = one_of(info.u8()?, &[(0, "packets"), (1, "bytes"), (2, "avgpkt")])?;
    let direction = one_of(info.u8()?, &[(0, "original"), (1, "reply"), (2, "both")])?;
    let (low, high) = (from.min(to), from.max(to));
    let ends = if high == u64::MAX { low.to_string() } else { format!("{low}:{high}") };
    let mut words = Words::new();
    words.put(from > to, "--connbytes", ends);
    words.put(false, "--connbytes-mode", mode);
    words.put(false, "--connbytes-dir", direction);
    Ok(words)
}

/// `struct xt_nfacct_match_info` and `xt_nfacct_match_info_v1`.
pub(super) fn nfacct(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    words.put(false, "--nfacct-name", info.text(NFACCT_NAME)?);
    Ok(words)
}

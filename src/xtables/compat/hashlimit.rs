//! The match `hashlimit`: a rate for each address or port, in its three layouts.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list};
use super::rate;

const INVERT: u32 = 1 << 4;
const BYTES: u32 = 1 << 5;
const RATE_MATCH: u32 = 1 << 6;

/// In the order in which they are printed.
const MODES: &[(u32, &str)] =
    &[(1 << 2, "srcip"), (1 << 3, "srcport"), (1 << 0, "dstip"), (1 << 1, "dstport")];

const NAME1: usize = 16;
/// `NAME_MAX`
const NAME: usize = 255;
const GC_INTERVAL: u32 = 1000;
/// How long an entry lives if nothing is said, in milliseconds: for a rate of bytes with a burst
/// and without one. For packets it is the unit of the rate.
const BYTES_EXPIRE: u64 = 15_000;
const BURST_EXPIRE: u64 = 60_000;

struct Config {
    mode: u32,
    average: u64,
    burst: u64,
    size: u32,
    max: u32,
    gc_interval: u32,
    expire: u32,
    interval: u32,
    masks: (u8, u8),
}

impl Config {
    fn read(info: &mut Info<'_>) -> Result<Self, Flaw> {
        let (mode, average, burst) = match info.revision {
            1 => (info.u32()?, info.u32()?.into(), info.u32()?.into()),
            _ => {
                let (average, burst) = (info.u64()?, info.u64()?);
                (info.u32()?, average, burst)
            }
        };
        let ((size, max), (gc_interval, expire)) = (info.u32_range()?, info.u32_range()?);
        let interval = if info.revision == 3 { info.u32()? } else { 0 };
        let masks = (info.u8()?, info.u8()?);
        Ok(Config { mode, average, burst, size, max, gc_interval, expire, interval, masks })
    }
}

/// `struct xt_hashlimit_mtinfo1`, `2` and `3`.
pub(super) fn hashlimit(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let name = info.text(if info.revision == 1 { NAME1 } else { NAME })?;
    let config = Config::read(info)?;
    let modes = list(config.mode & !(INVERT | BYTES | RATE_MATCH), MODES)?;
    let mut words = Words::new();
    let above = config.mode & INVERT != 0;
    let option = if above { "--hashlimit-above" } else { "--hashlimit-upto" };
    let expire = put_rate(&mut words, option, &config, info.revision)?;
    if !modes.is_empty() {
        words.put(false, "--hashlimit-mode", modes);
    }
    words.put(false, "--hashlimit-name", name);
    for (option, value, usual) in [
        ("--hashlimit-htable-size", config.size, 0),
        ("--hashlimit-htable-max", config.max, 0),
        ("--hashlimit-htable-gcinterval", config.gc_interval, GC_INTERVAL),
    ] {
        if value != usual {
            words.put(false, option, value);
        }
    }
    if u64::from(config.expire) != expire {
        words.put(false, "--hashlimit-htable-expire", config.expire);
    }
    let whole = info.version.bits();
    for (option, mask) in
        [("--hashlimit-srcmask", config.masks.0), ("--hashlimit-dstmask", config.masks.1)]
    {
        if mask != whole {
            words.put(false, option, mask);
        }
    }
    if config.mode & RATE_MATCH != 0 {
        known(info.revision, 3)?;
        words.flag(false, "--hashlimit-rate-match");
        if config.interval != 1 {
            words.put(false, "--hashlimit-rate-interval", config.interval);
        }
    }
    Ok(words)
}

/// The rate and the burst; returns the usual expiry in milliseconds.
fn put_rate(words: &mut Words, option: &str, config: &Config, revision: u32) -> Result<u64, Flaw> {
    if config.mode & BYTES != 0 {
        let bytes = bytes_of(config.average);
        words.put(false, option, format_args!("{}/s", in_units(bytes)));
        if config.burst == 0 {
            return Ok(BYTES_EXPIRE);
        }
        words.put(false, "--hashlimit-burst", in_units(bytes.saturating_mul(config.burst)));
        return Ok(BURST_EXPIRE);
    }
    let scale = if revision == 1 { 10_000 } else { 1_000_000 };
    let (rate, unit) = rate::rate(config.average, scale).ok_or(Flaw::Value)?;
    words.put(false, option, rate);
    words.put(false, "--hashlimit-burst", config.burst);
    Ok(unit * 1000)
}

/// A cost as a rate of bytes: the kernel counts in units of 16 bytes.
fn bytes_of(cost: u64) -> u64 {
    let most = u64::from(u32::MAX);
    let units = most.checked_div(cost).unwrap_or(most);
    units.saturating_sub(1) << 4
}

fn in_units(bytes: u64) -> String {
    const UNITS: [(u32, &str); 3] = [(30, "gb"), (20, "mb"), (10, "kb")];
    let whole = |shift: u32| bytes >> shift > 0 && bytes & ((1 << shift) - 1) == 0;
    match UNITS.iter().find(|(shift, _)| whole(*shift)) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => format!("{bytes}b"),
    }
}

//! Rates that the kernel estimates: the target `RATEEST` makes an estimator, the match `rateest` asks it.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, one_of};

/// `IFNAMSIZ`
const NAME: usize = 16;

/// `struct xt_rateest_target_info`
pub(super) fn estimator(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let name = info.text(NAME)?;
    let (interval, average) = (info.u8()?, info.u8()?);
    // A signed power of two of seconds, from -2 to 3.
    let exponent = interval.wrapping_add(2);
    if exponent > 5 || average > 31 {
        return Err(Flaw::Value);
    }
    let interval = 250_000_u64 << exponent;
    let mut words = Words::new();
    words.put(false, "--rateest-name", name);
    words.put(false, "--rateest-interval", duration(interval));
    words.put(false, "--rateest-ewmalog", duration(interval << average));
    Ok(words)
}

/// Microseconds in the unit that fits, with one decimal.
fn duration(micros: u64) -> String {
    let tenths = |unit: u64| (micros / unit, micros % unit * 10 / unit);
    match micros {
        1_000_000.. => format!("{}.{}s", tenths(1_000_000).0, tenths(1_000_000).1),
        1_000.. => format!("{}.{}ms", tenths(1_000).0, tenths(1_000).1),
        _ => format!("{micros}us"),
    }
}

/// `struct xt_rateest_match_info`
pub(super) fn rateest(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const INVERT: u32 = 1;
    const ABSOLUTE: u32 = 2;
    const RELATIVE: u32 = 4;
    const DELTA: u32 = 8;
    const BITS: u32 = 16;
    const PACKETS: u32 = 32;
    let (first, second) = (info.text(NAME)?, info.text(NAME)?);
    let (flags, mode) = (u32::from(info.u16()?), info.u16()?);
    known(flags, INVERT | ABSOLUTE | RELATIVE | DELTA | BITS | PACKETS)?;
    let modes = [(1, "--rateest-eq"), (2, "--rateest-lt"), (3, "--rateest-gt")];
    let mode = one_of(mode, &modes)?;
    let ((bits1, packets1), (bits2, packets2)) = (info.u32_range()?, info.u32_range()?);
    let (inverted, delta) = (flags & INVERT != 0, flags & DELTA != 0);
    let mut words = Words::new();
    words.flags(flags & DELTA, &[(DELTA, "--rateest-delta")])?;
    let relative = match flags & (ABSOLUTE | RELATIVE) {
        ABSOLUTE => false,
        RELATIVE => true,
        _ => return Err(Flaw::Value),
    };
    words.put(false, if relative { "--rateest1" } else { "--rateest" }, first);
    for (bit, option, low, high) in [
        (BITS, "--rateest-bps", bits(bits1), bits(bits2)),
        (PACKETS, "--rateest-pps", packets1.to_string(), packets2.to_string()),
    ] {
        if flags & bit == 0 {
            continue;
        }
        if delta {
            words.put(false, &format!("{option}1"), low);
            words.flag(inverted, mode);
            words.put(false, &format!("{option}2"), high);
        } else {
            words.flag(inverted, mode);
            words.flag(false, option);
            words.words.extend((!relative).then_some(high));
        }
    }
    if relative {
        words.put(false, "--rateest2", second);
    }
    Ok(words)
}

/// Bytes per second as bits per second, in the largest unit that iptables uses and that is exact.
fn bits(bytes: u32) -> String {
    let bits = u64::from(bytes) * 8;
    match bits {
        1_000_000_000.. if bits % 1_000_000 == 0 => format!("{}Mbit", bits / 1_000_000),
        1_000_000.. if bits % 1_000 == 0 => format!("{}Kbit", bits / 1_000),
        _ => format!("{bits}bit"),
    }
}

//! Matches of addresses: `addrtype`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list};

const INVERT_SOURCE: u32 = 1;
const INVERT_DESTINATION: u32 = 2;
const LIMIT_IN: u32 = 4;
const LIMIT_OUT: u32 = 8;

const TYPES: &[(u32, &str)] = &[
    (1, "UNSPEC"),
    (1 << 1, "UNICAST"),
    (1 << 2, "LOCAL"),
    (1 << 3, "BROADCAST"),
    (1 << 4, "ANYCAST"),
    (1 << 5, "MULTICAST"),
    (1 << 6, "BLACKHOLE"),
    (1 << 7, "UNREACHABLE"),
    (1 << 8, "PROHIBIT"),
    (1 << 9, "THROW"),
    (1 << 10, "NAT"),
    (1 << 11, "XRESOLVE"),
];

/// `struct xt_addrtype_info` and `xt_addrtype_info_v1`.
pub(super) fn addrtype(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (source, destination) = info.u16_range()?;
    let flags = if info.revision == 0 {
        let (source, destination) = info.u32_range()?;
        u32::from(source != 0) | u32::from(destination != 0) << 1
    } else {
        info.u32()?
    };
    known(flags, INVERT_SOURCE | INVERT_DESTINATION | LIMIT_IN | LIMIT_OUT)?;
    let mut words = Words::new();
    if source != 0 {
        words.put(flags & INVERT_SOURCE != 0, "--src-type", list(source.into(), TYPES)?);
    }
    if destination != 0 {
        words.put(flags & INVERT_DESTINATION != 0, "--dst-type", list(destination.into(), TYPES)?);
    }
    let limits = [(LIMIT_IN, "--limit-iface-in"), (LIMIT_OUT, "--limit-iface-out")];
    words.flags(flags & (LIMIT_IN | LIMIT_OUT), &limits)?;
    Ok(words)
}

//! Matches of addresses: `addrtype`, `iprange`, `mac`, `pkttype`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, one_of};
use super::text::address;

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

/// `struct xt_mac_info`
pub(super) fn mac(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let bytes = info.bytes(6)?.iter().map(|byte| format!("{byte:02x}"));
    let text = bytes.collect::<Vec<_>>().join(":");
    let mut words = Words::new();
    words.put(info.u32()? != 0, "--mac-source", text);
    Ok(words)
}

/// `struct xt_pkttype_info`
pub(super) fn pkttype(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (kind, inverted) = info.u32_range()?;
    let kind = one_of(kind, &[(0, "unicast"), (1, "broadcast"), (2, "multicast")])?;
    let mut words = Words::new();
    words.put(inverted != 0, "--pkt-type", kind);
    Ok(words)
}

/// `struct xt_iprange_mtinfo`
pub(super) fn iprange(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut ranges = [(1, "--src-range", String::new()), (2, "--dst-range", String::new())];
    for (_, _, range) in &mut ranges {
        *range = format!("{}-{}", address(info.inet_addr()?), address(info.inet_addr()?));
    }
    let flags = u32::from(info.u8()?);
    known(flags, 0x33)?;
    let mut words = Words::new();
    for (bit, option, range) in ranges {
        if flags & bit != 0 {
            words.put(flags & bit << 4 != 0, option, range);
        }
    }
    Ok(words)
}

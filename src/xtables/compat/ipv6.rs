//! Matches of IPv6's extension headers: `ah`, `rt`, `frag`, `hbh`, `dst`, `ipv6header`, `mh`, `eui64`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, range};
use super::text::address;

const ALL: (u32, u32) = (0, u32::MAX);
/// `IP6T_RT_HOPS`
const HOPS: usize = 16;
/// `IP6T_OPTS_OPTSNR`
const OPTIONS: usize = 16;
/// An option of `hbh` and `dst` whose length does not matter.
const ANY_LENGTH: u16 = 0xff;

/// In the order in which they are printed.
const HEADERS: &[(u32, &str)] = &[
    (128, "hop-by-hop"),
    (64, "ipv6-opts"),
    (32, "ipv6-route"),
    (16, "ipv6-frag"),
    (8, "ah"),
    (4, "esp"),
    (2, "ipv6-nonxt"),
    (1, "protocol"),
];

/// `struct ip6t_ah`
pub(super) fn ah(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (spis, length, reserved) = (info.u32_range()?, info.u32()?, info.truth()?);
    let inverted = u32::from(info.u8()?);
    known(inverted, 3)?;
    let mut words = Words::new();
    if spis != ALL || inverted & 1 != 0 {
        words.put(inverted & 1 != 0, "--ahspi", range(spis));
    }
    if length != 0 || inverted & 2 != 0 {
        words.put(inverted & 2 != 0, "--ahlen", length);
    }
    if reserved {
        words.flag(false, "--ahres");
    }
    Ok(words)
}

/// `struct ip6t_rt`
pub(super) fn rt(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const TYPE: u32 = 1;
    const SEGMENTS: u32 = 2;
    const LENGTH: u32 = 4;
    const RESERVED: u32 = 8;
    const ADDRESSES: u32 = 0x10;
    const NOT_STRICT: u32 = 0x20;
    let (kind, segments, length) = (info.u32()?, info.u32_range()?, info.u32()?);
    let (flags, inverted) = (u32::from(info.u8()?), u32::from(info.u8()?));
    known(flags, TYPE | SEGMENTS | LENGTH | RESERVED | ADDRESSES | NOT_STRICT)?;
    known(inverted, TYPE | SEGMENTS | LENGTH)?;
    let mut addresses = Vec::with_capacity(HOPS);
    for _ in 0..HOPS {
        addresses.push(address(info.inet_addr()?));
    }
    let addresses = addresses.get(..usize::from(info.u8()?)).ok_or(Flaw::Value)?;
    let mut words = Words::new();
    if flags & TYPE != 0 {
        words.put(inverted & TYPE != 0, "--rt-type", kind);
    }
    if segments != ALL || inverted & SEGMENTS != 0 {
        words.put(inverted & SEGMENTS != 0, "--rt-segsleft", range(segments));
    }
    if flags & LENGTH != 0 {
        words.put(inverted & LENGTH != 0, "--rt-len", length);
    }
    if flags & RESERVED != 0 {
        words.flag(false, "--rt-0-res");
    }
    if flags & ADDRESSES != 0 {
        words.put(false, "--rt-0-addrs", addresses.join(","));
    }
    if flags & NOT_STRICT != 0 {
        words.flag(false, "--rt-0-not-strict");
    }
    Ok(words)
}

/// `struct ip6t_frag`
pub(super) fn frag(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const IDS: u32 = 1;
    const LENGTH: u32 = 2;
    let (ids, length) = (info.u32_range()?, info.u32()?);
    let (flags, inverted) = (u32::from(info.u8()?), u32::from(info.u8()?));
    known(inverted, IDS | LENGTH)?;
    let mut words = Words::new();
    if ids != ALL || inverted & IDS != 0 {
        words.put(inverted & IDS != 0, "--fragid", range(ids));
    }
    if flags & LENGTH != 0 {
        words.put(inverted & LENGTH != 0, "--fraglen", length);
    }
    let options =
        [(4, "--fragres"), (8, "--fragfirst"), (0x10, "--fragmore"), (0x20, "--fraglast")];
    words.flags(flags & !(IDS | LENGTH), &options)?;
    Ok(words)
}

/// `struct ip6t_opts` of `hbh`
pub(super) fn hbh(info: &mut Info<'_>) -> Result<Words, Flaw> {
    options(info, "--hbh-len", "--hbh-opts")
}

/// `struct ip6t_opts` of `dst`
pub(super) fn dst(info: &mut Info<'_>) -> Result<Words, Flaw> {
    options(info, "--dst-len", "--dst-opts")
}

fn options(info: &mut Info<'_>, len: &str, opts: &str) -> Result<Words, Flaw> {
    const LENGTH: u32 = 1;
    const OPTS: u32 = 2;
    let length = info.u32()?;
    let (flags, inverted) = (u32::from(info.u8()?), u32::from(info.u8()?));
    known(flags, LENGTH | OPTS)?;
    known(inverted, LENGTH)?;
    let mut places = [0; OPTIONS];
    for place in &mut places {
        *place = info.u16()?;
    }
    let places = places.get(..usize::from(info.u8()?)).ok_or(Flaw::Value)?;
    let mut words = Words::new();
    if flags & LENGTH != 0 {
        words.put(inverted & LENGTH != 0, len, length);
    }
    if flags & OPTS != 0 {
        let texts = places.iter().map(|place| match (place >> 8, place & 0xff) {
            (kind, ANY_LENGTH) => kind.to_string(),
            (kind, length) => format!("{kind}:{length}"),
        });
        words.put(false, opts, texts.collect::<Vec<_>>().join(","));
    }
    Ok(words)
}

/// `struct ip6t_ipv6header_info`
pub(super) fn ipv6header(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (headers, inverted, soft) = (info.u8()?, info.u8()?, info.truth()?);
    let mut words = Words::new();
    words.put(inverted != 0, "--header", list(headers.into(), HEADERS)?);
    if soft {
        words.flag(false, "--soft");
    }
    Ok(words)
}

/// `struct ip6t_mh`
pub(super) fn mh(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (types, inverted) = ((info.u8()?, info.u8()?), u32::from(info.u8()?));
    known(inverted, 1)?;
    let mut words = Words::new();
    if types != (0, u8::MAX) || inverted != 0 {
        words.put(inverted != 0, "--mh-type", range(types));
    }
    Ok(words)
}

/// `eui64` reads nothing; iptables stores an `int` for it.
pub(super) fn eui64(_: &mut Info<'_>) -> Result<Words, Flaw> {
    Ok(Words::new())
}

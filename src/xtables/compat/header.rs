//! Matches of header fields: lengths, hop counts, service bits, security parameters, MSS.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, range};
use crate::net::IpVersion;

const ALL_SPIS: (u32, u32) = (0, u32::MAX);

/// `struct xt_length_info`
pub(super) fn length(info: &mut Info<'_>) -> Result<Words, Flaw> {
    u16_range(info, "--length")
}

/// `struct xt_tcpmss_match_info`
pub(super) fn tcpmss(info: &mut Info<'_>) -> Result<Words, Flaw> {
    u16_range(info, "--mss")
}

fn u16_range(info: &mut Info<'_>, option: &str) -> Result<Words, Flaw> {
    let ends = info.u16_range()?;
    let mut words = Words::new();
    words.put(info.truth()?, option, range(ends));
    Ok(words)
}

/// `struct ipt_ttl_info`
pub(super) fn ttl(info: &mut Info<'_>) -> Result<Words, Flaw> {
    hops(info, ["--ttl-eq", "--ttl-lt", "--ttl-gt"])
}

/// `struct ip6t_hl_info`
pub(super) fn hl(info: &mut Info<'_>) -> Result<Words, Flaw> {
    hops(info, ["--hl-eq", "--hl-lt", "--hl-gt"])
}

fn hops(info: &mut Info<'_>, [equal, less, more]: [&str; 3]) -> Result<Words, Flaw> {
    let (mode, value) = (info.u8()?, info.u8()?);
    let (inverted, option) = match mode {
        0 => (false, equal),
        1 => (true, equal),
        2 => (false, less),
        3 => (false, more),
        _ => return Err(Flaw::Value),
    };
    let mut words = Words::new();
    words.put(inverted, option, value);
    Ok(words)
}

/// `struct xt_dscp_info`
pub(super) fn dscp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let value = info.u8()?;
    let mut words = Words::new();
    words.put(info.truth()?, "--dscp", format_args!("{value:#04x}"));
    Ok(words)
}

/// `struct xt_tos_match_info`
pub(super) fn tos(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (mask, value) = (info.u8()?, info.u8()?);
    let mut words = Words::new();
    words.put(info.truth()?, "--tos", format_args!("{value:#04x}/{mask:#04x}"));
    Ok(words)
}

/// `struct xt_ecn_info`
pub(super) fn ecn(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const IP: u32 = 0x01;
    const ECE: u32 = 0x10;
    const CWR: u32 = 0x20;
    let (fields, inverted, bits) = (u32::from(info.u8()?), u32::from(info.u8()?), info.u8()?);
    known(fields | inverted, IP | ECE | CWR)?;
    let mut words = Words::new();
    for (bit, option) in [(ECE, "--ecn-tcp-ece"), (CWR, "--ecn-tcp-cwr")] {
        if fields & bit != 0 {
            words.flag(inverted & bit != 0, option);
        }
    }
    if fields & IP != 0 {
        words.put(inverted & IP != 0, "--ecn-ip-ect", bits);
    }
    Ok(words)
}

fn put_spis(words: &mut Words, option: &str, spis: (u32, u32), inverted: bool) {
    if spis != ALL_SPIS || inverted {
        words.put(inverted, option, range(spis));
    }
}

/// `struct xt_esp`
pub(super) fn esp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (spis, inverted) = (info.u32_range()?, u32::from(info.u8()?));
    known(inverted, 1)?;
    let mut words = Words::new();
    put_spis(&mut words, "--espspi", spis, inverted != 0);
    Ok(words)
}

/// `struct xt_ipcomp`
pub(super) fn ipcomp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (spis, inverted) = (info.u32_range()?, u32::from(info.u8()?));
    known(inverted, 1)?;
    let mut words = Words::new();
    put_spis(&mut words, "--ipcompspi", spis, inverted != 0);
    if info.truth()? {
        words.flag(false, "--compres");
    }
    Ok(words)
}

/// `struct ipt_ah`, or `ip6t_ah`, which has the same name.
pub(super) fn ah(info: &mut Info<'_>) -> Result<Words, Flaw> {
    match info.version {
        IpVersion::V4 => {
            let (spis, inverted) = (info.u32_range()?, u32::from(info.u8()?));
            known(inverted, 1)?;
            let mut words = Words::new();
            put_spis(&mut words, "--ahspi", spis, inverted != 0);
            Ok(words)
        }
        IpVersion::V6 => super::ipv6::ah(info),
    }
}

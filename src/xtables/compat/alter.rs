//! Targets that change a packet's headers: `TCPMSS`, `TCPOPTSTRIP`, `DSCP`, `TOS`, `TTL`, `HL`, `ECN`, `DNPT`, `SNPT`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, one_of};
use super::text::address;

/// `struct xt_tcpmss_info`
pub(super) fn tcpmss(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    match info.u16()? {
        u16::MAX => words.flag(false, "--clamp-mss-to-pmtu"),
        mss => words.put(false, "--set-mss", mss),
    }
    Ok(words)
}

/// `struct xt_tcpoptstrip_target_info`
pub(super) fn tcpoptstrip(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut options = Vec::new();
    for word in 0..8 {
        let bits = info.u32()?;
        let set = (0..32).filter(|bit| bits >> bit & 1 != 0);
        options.extend(set.map(|bit| (32 * word + bit).to_string()));
    }
    let mut words = Words::new();
    words.put(false, "--strip-options", options.join(","));
    Ok(words)
}

/// `struct xt_DSCP_info`
pub(super) fn dscp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let value = info.u8()?;
    let mut words = Words::new();
    words.put(false, "--set-dscp", format_args!("{value:#04x}"));
    Ok(words)
}

/// `struct xt_tos_target_info`
pub(super) fn tos(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (value, mask) = (info.u8()?, info.u8()?);
    let mut words = Words::new();
    words.put(false, "--set-tos", format_args!("{value:#04x}/{mask:#04x}"));
    Ok(words)
}

/// `struct ipt_TTL_info`
pub(super) fn ttl(info: &mut Info<'_>) -> Result<Words, Flaw> {
    hops(info, &[(0, "--ttl-set"), (1, "--ttl-inc"), (2, "--ttl-dec")])
}

/// `struct ip6t_HL_info`
pub(super) fn hl(info: &mut Info<'_>) -> Result<Words, Flaw> {
    hops(info, &[(0, "--hl-set"), (1, "--hl-inc"), (2, "--hl-dec")])
}

fn hops(info: &mut Info<'_>, modes: &[(u8, &'static str)]) -> Result<Words, Flaw> {
    let option = one_of(info.u8()?, modes)?;
    let mut words = Words::new();
    words.put(false, option, info.u8()?);
    Ok(words)
}

/// `struct ipt_ECN_info`
pub(super) fn ecn(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const IP: u32 = 0x01;
    const ECE: u32 = 0x10;
    const CWR: u32 = 0x20;
    let (fields, bits, tcp) = (u32::from(info.u8()?), info.u8()?, info.u8()?);
    known(fields, IP | ECE | CWR)?;
    // Two fields of one bit, counted from the end that the machine's byte order has first.
    let (ece, cwr) = match cfg!(target_endian = "little") {
        true => (tcp & 1, tcp >> 1 & 1),
        false => (tcp >> 7, tcp >> 6 & 1),
    };
    let mut words = Words::new();
    if fields & (ECE | CWR) == ECE | CWR && (ece, cwr) == (0, 0) {
        words.flag(false, "--ecn-tcp-remove");
    } else {
        for (bit, option, value) in [(ECE, "--ecn-tcp-ece", ece), (CWR, "--ecn-tcp-cwr", cwr)] {
            if fields & bit != 0 {
                words.put(false, option, value);
            }
        }
    }
    if fields & IP != 0 {
        words.put(false, "--ecn-ip-ect", bits);
    }
    Ok(words)
}

/// `struct ip6t_npt_tginfo`
pub(super) fn npt(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (source, destination) = (info.inet_addr()?, info.inet_addr()?);
    let mut words = Words::new();
    words.put(false, "--src-pfx", format_args!("{}/{}", address(source), info.u8()?));
    words.put(false, "--dst-pfx", format_args!("{}/{}", address(destination), info.u8()?));
    Ok(words)
}

//! Targets that give a packet or connection something: `CT`, `SECMARK`, `CONNSECMARK`, `HMARK`, `IDLETIMER`, `LED`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, one_of};
use super::text::{address, prefix};

const HELPER: usize = 16;
const TIMEOUT: usize = 32;
const CONTEXT: usize = 256;
const LABEL: usize = 28;
const LED_ID: usize = 27;
/// What the kernel's name of a trigger begins with.
const LED_PREFIX: &str = "netfilter-";

const EVENTS: &[(u32, &str)] = &[
    (1 << 0, "new"),
    (1 << 1, "related"),
    (1 << 2, "destroy"),
    (1 << 3, "reply"),
    (1 << 4, "assured"),
    (1 << 5, "protoinfo"),
    (1 << 6, "helper"),
    (1 << 7, "mark"),
    (1 << 8, "natseqinfo"),
    (1 << 9, "secmark"),
];

/// `struct xt_ct_target_info` and `xt_ct_target_info_v1`.
pub(super) fn ct(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const NOTRACK: u32 = 1;
    const ALIAS: u32 = 2;
    const ZONE_ORIGINAL: u32 = 4;
    const ZONE_REPLY: u32 = 8;
    const ZONE_MARK: u32 = 16;
    let (flags, zone) = (u32::from(info.u16()?), info.u16()?);
    let (events, expected) = info.u32_range()?;
    let helper = info.text(HELPER)?;
    let timeout = if info.revision > 0 { info.text(TIMEOUT)? } else { "" };
    known(flags, NOTRACK | ALIAS | ZONE_ORIGINAL | ZONE_REPLY | ZONE_MARK)?;
    let mut words = Words::new();
    if flags & ALIAS != 0 {
        words.alias = Some("NOTRACK");
        return Ok(words);
    }
    words.flags(flags & NOTRACK, &[(NOTRACK, "--notrack")])?;
    for (option, value) in [
        ("--helper", helper),
        ("--timeout", timeout),
        ("--ctevents", &list(events, EVENTS)?),
        ("--expevents", &list(expected, &[(1, "new")])?),
    ] {
        if !value.is_empty() {
            words.put(false, option, value);
        }
    }
    let option = match flags & (ZONE_ORIGINAL | ZONE_REPLY) {
        0 => "--zone",
        ZONE_ORIGINAL => "--zone-orig",
        ZONE_REPLY => "--zone-reply",
        _ => return Err(Flaw::Value),
    };
    if flags & ZONE_MARK != 0 {
        words.put(false, option, "mark");
    } else if zone != 0 {
        words.put(false, option, zone);
    }
    Ok(words)
}

/// `struct xt_secmark_target_info` and `xt_secmark_target_info_v1`.
pub(super) fn secmark(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mode = info.u8()?;
    if info.revision == 0 {
        info.u32()?;
    }
    let mut words = Words::new();
    words.put(false, one_of(mode, &[(1, "--selctx")])?, info.text(CONTEXT)?);
    Ok(words)
}

/// `struct xt_connsecmark_target_info`
pub(super) fn connsecmark(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut words = Words::new();
    words.flag(false, one_of(info.u8()?, &[(1, "--save"), (2, "--restore")])?);
    Ok(words)
}

/// `struct idletimer_tg_info` and `idletimer_tg_info_v1`.
pub(super) fn idletimer(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let timeout = info.u32()?;
    let label = info.text(LABEL)?;
    let mut words = Words::new();
    words.put(false, "--timeout", timeout);
    words.put(false, "--label", label);
    if info.revision > 0 {
        if info.truth()? {
            words.flag(false, "--send_nl_msg");
        }
        words.flags(info.u8()?.into(), &[(1, "--alarm")])?;
    }
    Ok(words)
}

/// `struct xt_led_info`
pub(super) fn led(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let id = info.text(LED_ID)?.strip_prefix(LED_PREFIX).ok_or(Flaw::Value)?;
    let always_blink = info.truth()?;
    let mut words = Words::new();
    words.put(false, "--led-trigger-id", id);
    match info.u32()? {
        0 => {}
        u32::MAX => words.put(false, "--led-delay", "inf"),
        delay => words.put(false, "--led-delay", delay),
    }
    if always_blink {
        words.flag(false, "--led-always-blink");
    }
    Ok(words)
}

/// `struct xt_hmark_info`
pub(super) fn hmark(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const ALL: u32 = (1 << 15) - 1;
    let masks = (info.inet_addr()?, info.inet_addr()?);
    let (port_mask, spi_mask) = ports(info)?;
    let (port, spi) = ports(info)?;
    let (flags, protocol) = (info.u32()?, info.u16()?);
    let (random, modulus, offset) = (info.u32()?, info.u32()?, info.u32()?);
    known(flags, ALL)?;
    let has = |bit: u32| flags >> bit & 1 != 0;
    let length = |mask| prefix(mask).map_or_else(|| address(mask), |length| length.to_string());
    let mut words = Words::new();
    for (bit, option, value) in [
        (0, "--hmark-src-prefix", length(masks.0)),
        (1, "--hmark-dst-prefix", length(masks.1)),
        (6, "--hmark-sport-mask", format!("{:#06x}", port_mask.0)),
        (7, "--hmark-dport-mask", format!("{:#06x}", port_mask.1)),
        (3, "--hmark-spi-mask", format!("{spi_mask:#010x}")),
        (4, "--hmark-sport", format!("{:#06x}", port.0)),
        (5, "--hmark-dport", format!("{:#06x}", port.1)),
        (2, "--hmark-spi", format!("{spi:#010x}")),
        (8, "--hmark-proto-mask", format!("{protocol:#04x}")),
        (9, "--hmark-rnd", format!("{random:#010x}")),
        (10, "--hmark-mod", modulus.to_string()),
        (11, "--hmark-offset", offset.to_string()),
    ] {
        if has(bit) {
            words.put(false, option, value);
        }
    }
    if has(12) {
        words.put(false, "--hmark-tuple", "ct");
    }
    Ok(words)
}

/// `union hmark_ports`: two ports, or an SPI in their place, both as in a packet.
fn ports(info: &mut Info<'_>) -> Result<((u16, u16), u32), Flaw> {
    info.align(4);
    let spi = info.clone().be32()?;
    Ok(((info.be16()?, info.be16()?), spi))
}

//! Matches of transport headers: `tcp`, `udp`, `udplite`, `dccp`, `multiport`, `icmp`, `icmp6`.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, list, one_of, range};

const SOURCE: u32 = 1;
const DESTINATION: u32 = 2;
const ALL_PORTS: (u16, u16) = (0, u16::MAX);
/// How many places `multiport` has.
const PLACES: usize = 15;

const TCP_FLAGS: &[(u32, &str)] =
    &[(1, "FIN"), (2, "SYN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG")];

const DCCP_TYPES: &[(u32, &str)] = &[
    (1, "REQUEST"),
    (1 << 1, "RESPONSE"),
    (1 << 2, "DATA"),
    (1 << 3, "ACK"),
    (1 << 4, "DATAACK"),
    (1 << 5, "CLOSEREQ"),
    (1 << 6, "CLOSE"),
    (1 << 7, "RESET"),
    (1 << 8, "SYNC"),
    (1 << 9, "SYNCACK"),
    // iptables sets all bits from the first type that is not defined.
    (0xfc00, "INVALID"),
];

/// `--sport` and `--dport` where they leave something out.
fn put_ports(words: &mut Words, source: (u16, u16), destination: (u16, u16), inverted: u32) {
    for (bit, option, ports) in [(SOURCE, "--sport", source), (DESTINATION, "--dport", destination)]
    {
        if ports != ALL_PORTS || inverted & bit != 0 {
            words.put(inverted & bit != 0, option, range(ports));
        }
    }
}

/// `struct xt_tcp`
pub(super) fn tcp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const FLAGS: u32 = 4;
    const OPTION: u32 = 8;
    let (source, destination) = (info.u16_range()?, info.u16_range()?);
    let (option, mask, value) = (info.u8()?, u32::from(info.u8()?), u32::from(info.u8()?));
    let inverted = u32::from(info.u8()?);
    known(inverted, SOURCE | DESTINATION | FLAGS | OPTION)?;
    let mut words = Words::new();
    put_ports(&mut words, source, destination, inverted);
    if option != 0 || inverted & OPTION != 0 {
        words.put(inverted & OPTION != 0, "--tcp-option", option);
    }
    if mask != 0 || inverted & FLAGS != 0 {
        words.put(inverted & FLAGS != 0, "--tcp-flags", tcp_flags(mask)?);
        words.words.push(tcp_flags(value)?);
    }
    Ok(words)
}

fn tcp_flags(flags: u32) -> Result<String, Flaw> {
    if flags == 0 { Ok("NONE".to_owned()) } else { list(flags, TCP_FLAGS) }
}

/// `struct xt_udp`, which `udplite` has too.
pub(super) fn udp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (source, destination) = (info.u16_range()?, info.u16_range()?);
    let inverted = u32::from(info.u8()?);
    known(inverted, SOURCE | DESTINATION)?;
    let mut words = Words::new();
    put_ports(&mut words, source, destination, inverted);
    Ok(words)
}

/// `struct xt_dccp_info`
pub(super) fn dccp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    const TYPES: u32 = 4;
    const OPTION: u32 = 8;
    let (destination, source) = (info.u16_range()?, info.u16_range()?);
    let (flags, inverted) = (u32::from(info.u16()?), u32::from(info.u16()?));
    known(flags | inverted, SOURCE | DESTINATION | TYPES | OPTION)?;
    let (types, option) = (info.u16()?, info.u8()?);
    let mut words = Words::new();
    if flags & SOURCE != 0 {
        words.put(inverted & SOURCE != 0, "--sport", range(source));
    }
    if flags & DESTINATION != 0 {
        words.put(inverted & DESTINATION != 0, "--dport", range(destination));
    }
    if flags & TYPES != 0 {
        words.put(inverted & TYPES != 0, "--dccp-types", list(types.into(), DCCP_TYPES)?);
    }
    if flags & OPTION != 0 {
        words.put(inverted & OPTION != 0, "--dccp-option", option);
    }
    Ok(words)
}

/// `struct xt_multiport`, and `xt_multiport_v1` with ranges and a sense.
pub(super) fn multiport(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let sides = [(0, "--sports"), (1, "--dports"), (2, "--ports")];
    let option = one_of(info.u8()?, &sides)?;
    let count = usize::from(info.u8()?);
    let mut ports = [0; PLACES];
    for port in &mut ports {
        *port = info.u16()?;
    }
    let (continued, inverted) = match info.revision {
        0 => (&[0; PLACES][..], false),
        _ => (info.bytes(PLACES)?, info.truth()?),
    };
    let mut text = String::new();
    let places = ports.get(..count).ok_or(Flaw::Value)?;
    for (at, port) in places.iter().enumerate() {
        if at > 0 {
            // A place that is the start of a range is followed by the end of it.
            text.push(if continued[at - 1] != 0 { ':' } else { ',' });
        }
        text.push_str(&port.to_string());
    }
    let mut words = Words::new();
    words.put(inverted, option, text);
    Ok(words)
}

/// `struct ipt_icmp`
pub(super) fn icmp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    icmp_type(info, "--icmp-type", Some("any"))
}

/// `struct ip6t_icmp`
pub(super) fn icmp6(info: &mut Info<'_>) -> Result<Words, Flaw> {
    icmp_type(info, "--icmpv6-type", None)
}

fn icmp_type(info: &mut Info<'_>, option: &str, any: Option<&str>) -> Result<Words, Flaw> {
    let kind = info.u8()?;
    let codes = (info.u8()?, info.u8()?);
    let inverted = u32::from(info.u8()?);
    known(inverted, 1)?;
    let value = match (any, codes) {
        // The kernel lets this one pass whatever the code.
        (Some(any), _) if kind == u8::MAX => any.to_owned(),
        (_, (0, u8::MAX)) => kind.to_string(),
        (_, (low, high)) if low == high => format!("{kind}/{low}"),
        _ => return Err(Flaw::Value),
    };
    let mut words = Words::new();
    words.put(inverted != 0, option, value);
    Ok(words)
}

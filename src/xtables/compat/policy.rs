//! The match `policy`: what IPsec did, or will do, to a packet.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known};
use super::text::network;

const IN: u32 = 1;
const OUT: u32 = 2;
const NONE: u32 = 4;
const STRICT: u32 = 8;
const ELEMENTS: usize = 4;

/// The bits of `struct xt_policy_spec` in the order of its fields.
const SOURCE: u8 = 0;
const DESTINATION: u8 = 1;
const PROTO: u8 = 2;
const MODE: u8 = 3;
const SPI: u8 = 4;
const REQID: u8 = 5;

/// `struct xt_policy_info`
pub(super) fn policy(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let mut elements = Vec::with_capacity(ELEMENTS);
    for _ in 0..ELEMENTS {
        elements.push(element(info)?);
    }
    let (flags, count) = (u32::from(info.u16()?), usize::from(info.u16()?));
    known(flags, IN | OUT | NONE | STRICT)?;
    let mut words = Words::new();
    let direction = match flags & (IN | OUT) {
        IN => "in",
        OUT => "out",
        _ => return Err(Flaw::Value),
    };
    words.put(false, "--dir", direction);
    words.put(false, "--pol", if flags & NONE != 0 { "none" } else { "ipsec" });
    if flags & STRICT != 0 {
        words.flag(false, "--strict");
    }
    for (at, element) in elements.get(..count).ok_or(Flaw::Value)?.iter().enumerate() {
        if at > 0 {
            words.flag(false, "--next");
        }
        for (inverted, option, value) in element.clone()? {
            words.put(inverted, option, value);
        }
    }
    Ok(words)
}

type Options = Vec<(bool, &'static str, String)>;

/// One `struct xt_policy_elem`. A bad value matters only if the element counts, so it is a result
/// in a result: the outer one is about the length.
fn element(info: &mut Info<'_>) -> Result<Result<Options, Flaw>, Flaw> {
    let source = network(info.inet_addr()?, info.inet_addr()?);
    let destination = network(info.inet_addr()?, info.inet_addr()?);
    // The header calls the SPI big-endian and the kernel compares it so, but iptables 1.8.9 stores and
    // shows it in the machine's order. The words are those that iptables shows.
    let (spi, reqid) = info.u32_range()?;
    let (protocol, mode) = (info.u8()?, info.u8()?);
    let (matched, inverted) = (info.u8()?, info.u8()?);
    let mode = match mode {
        0 => "transport".to_owned(),
        1 => "tunnel".to_owned(),
        _ if has(matched, MODE) => return Ok(Err(Flaw::Value)),
        _ => String::new(),
    };
    let options = [
        (REQID, "--reqid", reqid.to_string()),
        (SPI, "--spi", format!("{spi:#x}")),
        (PROTO, "--proto", protocol_name(protocol)),
        (MODE, "--mode", mode),
        (DESTINATION, "--tunnel-dst", destination),
        (SOURCE, "--tunnel-src", source),
    ];
    let options = options.into_iter().filter(|(field, _, _)| has(matched, *field));
    Ok(Ok(options.map(|(field, option, value)| (has(inverted, field), option, value)).collect()))
}

/// Whether a one-bit field is set: C counts them from the end that the machine's byte order has first.
fn has(spec: u8, field: u8) -> bool {
    let bit = if cfg!(target_endian = "little") { 1 << field } else { 0x80 >> field };
    spec & bit != 0
}

/// The names of the protocols of IPsec; any other is a number.
fn protocol_name(number: u8) -> String {
    match number {
        50 => "esp".to_owned(),
        51 => "ah".to_owned(),
        108 => "ipcomp".to_owned(),
        _ => number.to_string(),
    }
}

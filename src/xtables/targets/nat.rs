//! What the targets that translate addresses share: ports and ranges as constants in registers,
//! and the flags.

use crate::nft::Expr;
use crate::nft::expr::{Immediate, NatFlags, Register};
use crate::xtables::Error;
use crate::xtables::module::Options;
use crate::xtables::number::number16;
use crate::xtables::setting::Setting;
use crate::xtables::words::Given;

/// The first and the last port.
pub(super) type Ports = (u16, u16);

/// `80` or `80-90`.
pub(super) fn ports_of(given: &Given<'_>) -> Result<Ports, Error> {
    parse_ports(given, given.value())
}

/// The same of a part of a value.
pub(super) fn parse_ports(given: &Given<'_>, text: &str) -> Result<Ports, Error> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (number16(first), number16(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(given.bad(text, "a port or a range of ports, FIRST-LAST")),
    }
}

/// Constants for the ports, in the registers behind the first `used`.
pub(super) fn port_exprs(
    ports: Option<Ports>,
    used: u32,
) -> (Vec<Expr>, Option<Register>, Option<Register>) {
    let Some((first, last)) = ports else { return (Vec::new(), None, None) };
    let constants = [first, last].map(|port| port.to_be_bytes().to_vec());
    let (exprs, min, max) = range(&constants, used);
    (exprs, Some(min), Some(max))
}

/// Constants for both ends of a range; one, if they are the same.
pub(super) fn range(ends: &[Vec<u8>; 2], used: u32) -> (Vec<Expr>, Register, Register) {
    let [first, last] = ends;
    let min = Register(used + 1);
    let mut exprs = vec![Immediate::value(min, first.clone()).into()];
    if first == last {
        return (exprs, min, min);
    }
    let max = Register(used + 2);
    exprs.push(Immediate::value(max, last.clone()).into());
    (exprs, min, max)
}

/// The flags that `--random`, `--random-fully` and `--persistent` mean.
pub(super) fn flags_of(options: &Options<'_>, with_ports: bool) -> NatFlags {
    let given = [
        ("random", NatFlags::RANDOM),
        ("random-fully", NatFlags::FULLY_RANDOM),
        ("persistent", NatFlags::PERSISTENT),
    ];
    let ports = if with_ports { NatFlags::PROTO_SPECIFIED } else { 0 };
    let bits = given.iter().filter(|(name, _)| options.find(name).is_some());
    NatFlags(bits.fold(ports, |bits, (_, bit)| bits | bit))
}

/// The options that the flags come from.
pub(super) fn read_flags(flags: NatFlags) -> Vec<Setting> {
    [
        ("random", NatFlags::RANDOM),
        ("random-fully", NatFlags::FULLY_RANDOM),
        ("persistent", NatFlags::PERSISTENT),
    ]
    .into_iter()
    .filter(|(_, bit)| flags.0 & bit != 0)
    .map(|(name, _)| Setting::flag(name))
    .collect()
}

/// The constant that a register holds.
pub(super) fn constant(constants: &[Expr], register: Register) -> Option<&[u8]> {
    constants.iter().find_map(|expr| match expr {
        Expr::Immediate(Immediate::Value { dreg, data }) if *dreg == register => {
            Some(data.as_slice())
        }
        _ => None,
    })
}

/// Whether it only loads a constant: what tests something in front of a target is not the target's.
pub(super) fn is_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Immediate(Immediate::Value { .. }))
}

/// `80` or `80-90` from registers; `Some(None)` where there are none.
pub(super) fn read_ports(
    constants: &[Expr],
    min: Option<Register>,
    max: Option<Register>,
) -> Option<Option<String>> {
    if !constants.iter().all(is_constant) {
        return None;
    }
    let Some(min) = min else { return constants.is_empty().then_some(None) };
    let port = |register| {
        let bytes = constant(constants, register)?.get(..2)?.try_into().ok()?;
        Some(u16::from_be_bytes(bytes))
    };
    let (first, last) = (port(min)?, port(max.unwrap_or(min))?);
    Some(Some(if first == last { first.to_string() } else { format!("{first}-{last}") }))
}

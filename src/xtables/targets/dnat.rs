//! `-j DNAT`, `-j SNAT`: translate the destination or the source to a given one.

use std::net::IpAddr;

use super::nat::{
    constant, flags_of, is_constant, parse_ports, port_exprs, range, read_flags, read_ports,
};
use crate::net::IpVersion;
use crate::nft::expr::{Nat, NatFlags, NatKind, Register};
use crate::nft::{Expr, Family};
use crate::xtables::Error;
use crate::xtables::base_read::to_ip;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::{Given, OptionSpec};

/// `dnat to 172.17.0.2:80`.
pub(super) static DNAT: Module = Module::new(
    "DNAT",
    &[
        OptionSpec::setting(&["to-destination"]),
        OptionSpec::flag(&["random"]),
        OptionSpec::flag(&["persistent"]),
    ],
    |dnat| build(dnat, "to-destination", NatKind::Dnat),
)
.read_by(132, |span| read(span, "to-destination", NatKind::Dnat), list);

/// `snat to 192.0.2.1`.
pub(super) static SNAT: Module = Module::new(
    "SNAT",
    &[
        OptionSpec::setting(&["to-source"]),
        OptionSpec::flag(&["random"]),
        OptionSpec::flag(&["random-fully"]),
        OptionSpec::flag(&["persistent"]),
    ],
    |snat| build(snat, "to-source", NatKind::Snat),
)
.read_by(133, |span| read(span, "to-source", NatKind::Snat), list);

fn build(nat: &Options<'_>, option: &'static str, kind: NatKind) -> Result<Vec<Expr>, Error> {
    let needs = match kind {
        NatKind::Snat => "--to-source",
        _ => "--to-destination",
    };
    let given = nat.need(option, needs)?;
    let version = nat.context.version;
    let (addresses, ports) = target(given, version)?;
    let (addresses, ports) = (
        addresses.map(|ends| addresses_of(given, ends, version)).transpose()?,
        ports.map(|ports| parse_ports(given, ports)).transpose()?,
    );
    if ports.is_some() && !nat.context.protocol.is_some_and(crate::xtables::protocol::has_ports) {
        let (name, needs) = (nat.name.to_owned(), crate::xtables::module::NEEDS_PORTS);
        return Err(Error::NeedsProtocol { name, needs });
    }
    let (mut exprs, mut registers) = (Vec::new(), (None, None));
    if let Some(ends) = &addresses {
        let (constants, min, max) = range(ends, 0);
        exprs = constants;
        registers = (Some(min), Some(max));
    }
    let (constants, proto_min, proto_max) = port_exprs(ports, exprs.len() as u32);
    exprs.extend(constants);
    let mut flags = flags_of(nat, ports.is_some());
    if addresses.is_some() {
        flags.0 |= NatFlags::MAP_IPS;
    }
    let (addr_min, addr_max) = registers;
    let family = Family::of(version);
    exprs.push(Nat { kind, family, addr_min, addr_max, proto_min, proto_max, flags }.into());
    Ok(exprs)
}

/// The addresses and the ports of `192.0.2.1-192.0.2.9:80-90`, `[fd00::2]:80`, `:80`.
fn target<'a>(
    given: &Given<'a>,
    version: IpVersion,
) -> Result<(Option<&'a str>, Option<&'a str>), Error> {
    let value = given.value();
    let bad = || given.bad(value, "an address or a range of them, and ports behind \":\"");
    let some = |text: &'a str| (!text.is_empty()).then_some(text);
    match version {
        IpVersion::V4 => match value.split_once(':') {
            Some((addresses, ports)) => Ok((some(addresses), Some(ports))),
            None => Ok((Some(value), None)),
        },
        IpVersion::V6 => match value.strip_prefix('[') {
            Some(rest) => {
                let (addresses, ports) = rest.split_once(']').ok_or_else(bad)?;
                let ports = match ports {
                    "" => None,
                    ports => Some(ports.strip_prefix(':').ok_or_else(bad)?),
                };
                Ok((Some(addresses), ports))
            }
            None => match value.strip_prefix(':') {
                Some(ports) if !ports.contains(':') => Ok((None, Some(ports))),
                _ => Ok((Some(value), None)),
            },
        },
    }
}

fn addresses_of(given: &Given<'_>, text: &str, version: IpVersion) -> Result<[Vec<u8>; 2], Error> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let read = |text| crate::xtables::address::address(given, text, version);
    Ok([read(first)?, read(last)?])
}

fn read(span: &Span<'_>, option: &'static str, kind: NatKind) -> Option<Vec<Setting>> {
    let (Expr::Nat(nat), constants) = span.exprs.split_last()? else { return None };
    if nat.kind != kind || nat.flags.0 & NatFlags::NETMAP != 0 || !constants.iter().all(is_constant)
    {
        return None;
    }
    let address = |register: Register| to_ip(constant(constants, register)?);
    let addresses = match (nat.addr_min, nat.addr_max) {
        (Some(min), max) => Some((address(min)?, address(max.unwrap_or(min))?)),
        (None, _) => None,
    };
    let of_ports = constants.get(constants.len().checked_sub(port_constants(nat))?..)?;
    let ports = read_ports(of_ports, nat.proto_min, nat.proto_max)?;
    let mut settings = vec![Setting::new(option, printed(addresses, ports.as_deref()))];
    settings.extend(read_flags(nat.flags));
    Some(settings)
}

/// How many constants the ports take.
fn port_constants(nat: &Nat) -> usize {
    match (nat.proto_min, nat.proto_max) {
        (None, _) => 0,
        (Some(min), Some(max)) if min != max => 2,
        (Some(_), _) => 1,
    }
}

fn printed(addresses: Option<(IpAddr, IpAddr)>, ports: Option<&str>) -> String {
    let text = match addresses {
        None => String::new(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
    };
    match (ports, addresses) {
        (None, _) => text,
        (Some(ports), Some((IpAddr::V6(_), _))) => format!("[{text}]:{ports}"),
        (Some(ports), _) => format!("{text}:{ports}"),
    }
}

/// `to:172.17.0.2:80 random persistent`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let words = settings.iter().map(|setting| match setting.values.as_slice() {
        [to, ..] => format!("to:{to}"),
        [] => setting.name.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

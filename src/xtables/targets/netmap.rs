//! `-j NETMAP`: the addresses of one network become those of another of the same size.

use super::nat::{constant, range};
use crate::net::{IpVersion, Subnet};
use crate::nft::expr::{Nat, NatFlags, NatKind};
use crate::nft::{Expr, Family};
use crate::xtables::Error;
use crate::xtables::address::{address, prefix_len};
use crate::xtables::base_read::to_ip;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// `dnat prefix to 192.0.2.0/24` in PREROUTING and OUTPUT, `snat prefix to …` in INPUT and
/// POSTROUTING: the chain says which, so it must be one of these.
pub(super) static NETMAP: Module =
    Module::new("NETMAP", &[OptionSpec::setting(&["to"])], build).read_by(138, read, list);

fn build(netmap: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = netmap.need("to", "--to")?;
    let version = netmap.context.version;
    let kind = netmap.context.translates.ok_or_else(|| Error::NoNativeTarget {
        name: netmap.name.to_owned(),
        reason: "nf_tables translates the source or the destination, and only the chains \
                 PREROUTING, INPUT, OUTPUT and POSTROUTING tell which of them is meant",
    })?;
    let (text, bits) = given.value().split_once('/').unwrap_or((given.value(), ""));
    let bits = match (bits, version) {
        ("", _) => version.bits(),
        (bits, _) if number8(bits).is_some_and(|bits| bits <= version.bits()) => {
            number8(bits).unwrap_or(version.bits())
        }
        (mask, IpVersion::V4) => prefix_len(&address(given, mask, version)?)
            .and_then(|bits| u8::try_from(bits).ok())
            .ok_or_else(|| given.unsupported("a network is a prefix in nf_tables"))?,
        (mask, IpVersion::V6) => return Err(given.bad(mask, "the length of a prefix")),
    };
    let mask = Subnet::netmask(version, bits);
    let address = address(given, text, version)?;
    let first: Vec<u8> = address.iter().zip(&mask).map(|(byte, mask)| byte & mask).collect();
    let last: Vec<u8> = first.iter().zip(&mask).map(|(byte, mask)| byte | !mask).collect();
    let (mut exprs, min, max) = range(&[first, last], 0);
    let nat = Nat {
        kind,
        family: Family::of(version),
        addr_min: Some(min),
        addr_max: Some(max),
        proto_min: None,
        proto_max: None,
        flags: NatFlags(NatFlags::MAP_IPS | NatFlags::NETMAP),
    };
    exprs.push(nat.into());
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (Expr::Nat(nat), constants) = span.exprs.split_last()? else { return None };
    if nat.flags != NatFlags(NatFlags::MAP_IPS | NatFlags::NETMAP) || nat.proto_min.is_some() {
        return None;
    }
    if !matches!(nat.kind, NatKind::Snat | NatKind::Dnat) {
        return None;
    }
    let min = nat.addr_min?;
    let (first, last) =
        (constant(constants, min)?, constant(constants, nat.addr_max.unwrap_or(min))?);
    let mask: Vec<u8> = first.iter().zip(last).map(|(first, last)| !(first ^ last)).collect();
    let bits = prefix_len(&mask)?;
    Some(vec![Setting::new("to", format!("{}/{bits}", to_ip(first)?))])
}

/// `to:192.0.2.0/24`
fn list(settings: &[Setting], _style: &Style) -> String {
    settings.iter().map(|to| format!("to:{}", to.value())).collect()
}

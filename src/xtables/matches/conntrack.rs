//! `-m conntrack`: state, status, protocol, addresses, ports and direction of a packet's flow.

use super::conntrack_map::Listed;
use super::conntrack_read::{list, read};
use super::conntrack_state::{IsAlone, bits, state_match, value_of};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Ct, CtDirection, CtKey};
use crate::xtables::Error;
use crate::xtables::address::{Place, Prefix, Side, address_match, whole_address};
use crate::xtables::companion::Companion;
use crate::xtables::field::{REGISTER, any_bit, between, between_u32, ct, equal, masked};
use crate::xtables::module::{Context, Module, Options};
use crate::xtables::number::number32;
use crate::xtables::ports;
use crate::xtables::protocol::protocol;
use crate::xtables::words::{Given, OptionSpec};

/// `ct state new`, `ct original ip daddr 192.0.2.1`, `ct original proto-dst 8080`.
pub(super) static CONNTRACK: Module = Module::new(
    "conntrack",
    &[
        OptionSpec::value(&["ctstate"]),
        OptionSpec::value(&["ctproto"]),
        OptionSpec::value(&["ctorigsrc"]),
        OptionSpec::value(&["ctorigdst"]),
        OptionSpec::value(&["ctreplsrc"]),
        OptionSpec::value(&["ctrepldst"]),
        OptionSpec::value(&["ctorigsrcport"]).of_ports(),
        OptionSpec::value(&["ctorigdstport"]).of_ports(),
        OptionSpec::value(&["ctreplsrcport"]).of_ports(),
        OptionSpec::value(&["ctrepldstport"]).of_ports(),
        OptionSpec::value(&["ctstatus"]),
        OptionSpec::value(&["ctexpire"]),
        OptionSpec::setting(&["ctdir"]),
    ],
    build,
)
.beside(|conntrack| Ok(deciding(&build(conntrack)?)))
.read_by(11, read, list);

/// Bits of `ct status` (`IPS_*`).
pub(super) const STATUSES: [(&str, u32); 5] =
    [("NONE", 0), ("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];

fn build(conntrack: &Options<'_>) -> Result<Vec<Expr>, Error> {
    use CtDirection::{Original, Reply};
    use CtKey::{ProtoDst, ProtoSrc};
    use Side::{Destination, Source};
    if conntrack.given.is_empty() {
        return Err(conntrack.incomplete("one of its options, such as --ctstate"));
    }
    let version = conntrack.context.version;
    let is_alone = if conntrack.given.len() == 1 { IsAlone::Yes } else { IsAlone::No };
    let mut exprs = Vec::new();
    for given in &conntrack.given {
        exprs.extend(match given.spec.name() {
            "ctstate" => state_match(given, is_alone)?,
            "ctstatus" => status_match(given)?,
            "ctproto" => protocol_match(given)?,
            "ctorigsrc" => flow_address(given, Original, Source, version)?,
            "ctorigdst" => flow_address(given, Original, Destination, version)?,
            "ctreplsrc" => flow_address(given, Reply, Source, version)?,
            "ctrepldst" => flow_address(given, Reply, Destination, version)?,
            "ctorigsrcport" => flow_port(given, (Original, ProtoSrc), conntrack.context)?,
            "ctorigdstport" => flow_port(given, (Original, ProtoDst), conntrack.context)?,
            "ctreplsrcport" => flow_port(given, (Reply, ProtoSrc), conntrack.context)?,
            "ctrepldstport" => flow_port(given, (Reply, ProtoDst), conntrack.context)?,
            "ctexpire" => expiration_match(given)?,
            _ => direction_match(given)?,
        });
    }
    Ok(exprs)
}

/// The map that decides, where one does.
fn deciding(exprs: &[Expr]) -> Vec<Companion> {
    let listed = exprs.iter().filter_map(|expr| match expr {
        Expr::Lookup(lookup) => Listed::of(lookup.set.name()),
        _ => None,
    });
    listed.map(Listed::map).collect()
}

/// `--ctstatus ASSURED`: `ct status assured`; negated `ct status ! assured`.
fn status_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    const EXPECTED: &str = "a list of NONE, EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED";
    let bits = bits(given, EXPECTED, |word| value_of(&STATUSES, word))?;
    Ok(any_bit(ct(CtKey::Status), given.negated, bits))
}

/// `--ctproto tcp`: `ct protocol tcp`.
fn protocol_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let expected = "a protocol: expected its number or one of the usual names";
    match protocol(given.value()) {
        None => Err(given.bad(given.value(), expected)),
        Some(number) => Ok(equal(ct(CtKey::Protocol), given.negated, [number])),
    }
}

/// `--ctorigdst 192.0.2.0/24`: `ct original ip daddr 192.0.2.0/24`.
fn flow_address(
    given: &Given<'_>,
    direction: CtDirection,
    side: Side,
    version: IpVersion,
) -> Result<Vec<Expr>, Error> {
    let place = Place::Flow(direction, side);
    match whole_address(given, version)? {
        // Every flow has one, a packet without a flow has none.
        Prefix::Whole => {
            let len = version.address_len();
            let none = vec![0; len];
            Ok(masked(place.load(version, len as u32), none.clone(), given.negated, none))
        }
        Prefix::Part => address_match(given, place, version),
    }
}

/// `--ctexpire 5:20`, in seconds: `ct expiration 5s-20s999ms`.
fn expiration_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let value = given.value();
    let bad = || given.bad(value, "a number of seconds or a range of them");
    let (first, last) = match value.split_once(':') {
        Some((first, last)) => (
            if first.is_empty() { Some(0) } else { number32(first) },
            if last.is_empty() { Some(u32::MAX) } else { number32(last) },
        ),
        None => (number32(value), number32(value)),
    };
    let (first, last) = (first.ok_or_else(bad)?, last.ok_or_else(bad)?);
    if first > last {
        return Err(given.bad(value, "a range: its first number is above its last"));
    }
    let first = first.checked_mul(1000).ok_or_else(|| {
        given.unsupported("nftables counts the milliseconds in 32 bits, which are 49 days")
    })?;
    let last = last.saturating_mul(1000).saturating_add(999);
    Ok(between_u32(ct(CtKey::Expiration), given.negated, first, last))
}

/// `--ctorigdstport 8080`: `ct original proto-dst 8080`. nft 1.0.6 lists it as `[invalid type]`,
/// which it cannot read back, where no `meta l4proto` stands in front; so one must.
fn flow_port(
    given: &Given<'_>,
    (direction, key): (CtDirection, CtKey),
    context: Context,
) -> Result<Vec<Expr>, Error> {
    let (first, last) = ports::range(given, given.value(), context)?;
    let field = Ct::Load { key, direction: Some(direction), dreg: REGISTER }.into();
    Ok(between(field, given.negated, ports::bytes(first), ports::bytes(last)))
}

/// `--ctdir ORIGINAL`: `ct direction original`.
fn direction_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let number = value_of(&[("ORIGINAL", 0), ("REPLY", 1)], given.value());
    match number {
        Some(0) => Ok(equal(ct(CtKey::Direction), false, [0])),
        Some(_) => Ok(equal(ct(CtKey::Direction), false, [1])),
        None => Err(given.bad(given.value(), "ORIGINAL or REPLY")),
    }
}

//! `-m icmp`, `-m icmp6`: type and code.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{between, equal, transport};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, only_test, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `icmp type echo-request`, `icmp type 3 icmp code 4`.
pub(super) static ICMP: Module =
    Module::new("icmp", &[OptionSpec::value(&["icmp-type"])], |icmp| {
        let given = icmp.need("icmp-type", "--icmp-type")?;
        match kind(given, V4_NAMES)? {
            // What the kernel takes for any type; fragments without the header have none.
            (255, _) => Ok(between(transport((0, 1)), given.negated, vec![0], vec![255])),
            (kind, code) => Ok(kind_match(given, kind, code)),
        }
    })
    .only(IpVersion::V4)
    .after(&[1], "\"-p icmp\" in the rule")
    .read_by(8, |span| read(span, "icmp-type"), |settings, _| list(settings, "icmp"));

/// `icmpv6 type echo-request`.
pub(super) static ICMP6: Module =
    Module::new("icmp6", &[OptionSpec::value(&["icmpv6-type"])], build6)
        .only(IpVersion::V6)
        .after(&[58], "\"-p ipv6-icmp\" in the rule")
        .read_by(9, |span| read(span, "icmpv6-type"), |settings, _| list(settings, "ipv6-icmp"));

fn build6(icmp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = icmp.need("icmpv6-type", "--icmpv6-type")?;
    let (kind, code) = kind(given, V6_NAMES)?;
    Ok(kind_match(given, kind, code))
}

/// A pair is one comparison of two bytes, so that its negation is that of the pair.
fn kind_match(given: &Given<'_>, kind: u8, code: Option<u8>) -> Vec<Expr> {
    match code {
        None => equal(transport((0, 1)), given.negated, [kind]),
        Some(code) => equal(transport((0, 2)), given.negated, [kind, code]),
    }
}

/// `8`, `3/4`, `any`.
fn read(span: &Span<'_>, name: &'static str) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    let (negated, value) = match (transport_field(field)?, test) {
        ((0, 1), Test::Equal { negated, value: [kind] }) => (negated, kind.to_string()),
        ((0, 2), Test::Equal { negated, value: [kind, code] }) => {
            (negated, format!("{kind}/{code}"))
        }
        ((0, 1), Test::Between { negated, first: [0], last: [255] }) => (negated, "any".to_owned()),
        _ => return None,
    };
    Some(vec![Setting::new(name, value).negated(negated)])
}

/// `icmptype 8`, `icmp !type 3 code 4`.
fn list(settings: &[Setting], name: &str) -> String {
    let Some(setting) = settings.first() else { return String::new() };
    let not = if setting.negated { " !" } else { "" };
    match setting.value().split_once('/') {
        Some((kind, code)) => format!("{name}{not}type {kind} code {code}"),
        None if setting.value() == "any" => format!("{name}{not}type 255"),
        None => format!("{name}{not}type {}", setting.value()),
    }
}

/// `8`, `3/4`, a name, or the beginning of just one name.
fn kind(given: &Given<'_>, names: &[Name]) -> Result<(u8, Option<u8>), Error> {
    let value = given.value();
    let bad = || given.bad(value, "a type: expected TYPE, TYPE/CODE or a name of it");
    if value.starts_with(|first: char| first.is_ascii_digit()) {
        let (kind, code) = match value.split_once('/') {
            Some((kind, code)) => (kind, Some(number8(code).ok_or_else(bad)?)),
            None => (value, None),
        };
        return Ok((number8(kind).ok_or_else(bad)?, code));
    }
    let starts =
        |name: &str| name.get(..value.len()).is_some_and(|start| start.eq_ignore_ascii_case(value));
    let exact = names.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(value));
    let mut abbreviated = names.iter().filter(|(name, _, _)| starts(name));
    let found = match (exact, abbreviated.next(), abbreviated.next()) {
        (Some(exact), _, _) => exact,
        (None, Some(only), None) => only,
        (None, Some(_), Some(_)) => return Err(given.bad(value, "the beginning of just one name")),
        (None, None, _) => return Err(bad()),
    };
    Ok((found.1, found.2))
}

/// A name, its type, and its code if it is of one code only.
type Name = (&'static str, u8, Option<u8>);

const V4_NAMES: &[Name] = &[
    ("any", 255, None),
    ("echo-reply", 0, None),
    ("pong", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("source-route-failed", 3, Some(5)),
    ("network-unknown", 3, Some(6)),
    ("host-unknown", 3, Some(7)),
    ("network-prohibited", 3, Some(9)),
    ("host-prohibited", 3, Some(10)),
    ("TOS-network-unreachable", 3, Some(11)),
    ("TOS-host-unreachable", 3, Some(12)),
    ("communication-prohibited", 3, Some(13)),
    ("host-precedence-violation", 3, Some(14)),
    ("precedence-cutoff", 3, Some(15)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("network-redirect", 5, Some(0)),
    ("host-redirect", 5, Some(1)),
    ("TOS-network-redirect", 5, Some(2)),
    ("TOS-host-redirect", 5, Some(3)),
    ("echo-request", 8, None),
    ("ping", 8, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("time-exceeded", 11, None),
    ("ttl-exceeded", 11, None),
    ("ttl-zero-during-transit", 11, Some(0)),
    ("ttl-zero-during-reassembly", 11, Some(1)),
    ("parameter-problem", 12, None),
    ("ip-header-bad", 12, Some(0)),
    ("required-option-missing", 12, Some(1)),
    ("timestamp-request", 13, None),
    ("timestamp-reply", 14, None),
    ("address-mask-request", 17, None),
    ("address-mask-reply", 18, None),
];

const V6_NAMES: &[Name] = &[
    ("destination-unreachable", 1, None),
    ("no-route", 1, Some(0)),
    ("communication-prohibited", 1, Some(1)),
    ("beyond-scope", 1, Some(2)),
    ("address-unreachable", 1, Some(3)),
    ("port-unreachable", 1, Some(4)),
    ("failed-policy", 1, Some(5)),
    ("reject-route", 1, Some(6)),
    ("packet-too-big", 2, None),
    ("time-exceeded", 3, None),
    ("ttl-exceeded", 3, None),
    ("ttl-zero-during-transit", 3, Some(0)),
    ("ttl-zero-during-reassembly", 3, Some(1)),
    ("parameter-problem", 4, None),
    ("bad-header", 4, Some(0)),
    ("unknown-header-type", 4, Some(1)),
    ("unknown-option", 4, Some(2)),
    ("echo-request", 128, None),
    ("ping", 128, None),
    ("echo-reply", 129, None),
    ("pong", 129, None),
    ("router-solicitation", 133, None),
    ("router-advertisement", 134, None),
    ("neighbour-solicitation", 135, None),
    ("neighbor-solicitation", 135, None),
    ("neighbour-advertisement", 136, None),
    ("neighbor-advertisement", 136, None),
    ("redirect", 137, None),
];

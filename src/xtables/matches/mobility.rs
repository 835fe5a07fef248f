//! `-m mh` and `-m ipv6header`: the mobility header of IPv6, and which headers a packet has.

use super::exthdr::presence;
use super::span::{read_ends, text};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Extension, Exthdr, ExthdrOp};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, between, equal};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, test, tests};
use crate::xtables::words::{Given, OptionSpec};

const MOBILITY: u8 = 135;

/// `mh type 3`, `mh type 1-4`.
pub(super) static MH: Module = Module::new("mh", &[OptionSpec::value(&["mh-type"])], build_mh)
    .only(IpVersion::V6)
    .after(&[MOBILITY], "\"-p mobility-header\" in the rule")
    .read_by(82, read_mh, list_mh);

/// `exthdr frag exists exthdr hbh exists`; negated `exthdr frag missing`.
pub(super) static IPV6HEADER: Module = Module::new(
    "ipv6header",
    &[OptionSpec::value(&["header"]), OptionSpec::flag(&["soft"])],
    build_header,
)
.only(IpVersion::V6)
.read_by(84, read_header, list_header);

/// Messages of RFC 6275 by number: the name that iptables prints, and its short one.
const MESSAGES: [(&str, &str); 8] = [
    ("binding-refresh-request", "brr"),
    ("home-test-init", "hoti"),
    ("careof-test-init", "coti"),
    ("home-test", "hot"),
    ("careof-test", "cot"),
    ("binding-update", "bu"),
    ("binding-acknowledgement", "ba"),
    ("binding-error", "be"),
];

fn mh_type() -> Expr {
    let of = Extension { op: ExthdrOp::Ipv6, kind: MOBILITY };
    Exthdr::Load { of, offset: 2, len: 1, dreg: REGISTER }.into()
}

fn message(text: &str) -> Option<u8> {
    let named = MESSAGES.iter().position(|(name, short)| {
        name.eq_ignore_ascii_case(text) || short.eq_ignore_ascii_case(text)
    });
    named.and_then(|number| u8::try_from(number).ok()).or_else(|| number8(text))
}

/// Without the option every mobility header matches.
fn build_mh(mh: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let Some(given) = mh.given.first() else { return Ok(Vec::new()) };
    let value = given.value();
    let bad = || given.bad(value, "a type of message, or FIRST:LAST");
    let read = |text: &str, default| match text {
        "" => Some(default),
        text => message(text),
    };
    let (first, last) = match value.split_once(':') {
        Some((first, last)) => (read(first, 0), read(last, 255)),
        None => (message(value), message(value)),
    };
    match (first, last) {
        (Some(first), Some(last)) if first <= last => {
            Ok(between(mh_type(), given.negated, vec![first], vec![last]))
        }
        _ => Err(bad()),
    }
}

fn read_mh(span: &Span<'_>) -> Option<Vec<Setting>> {
    if span.exprs.is_empty() {
        return Some(Vec::new());
    }
    let (field, test, taken) = test(span.exprs)?;
    let (negated, ends) = read_ends(&test)?;
    if *field != mh_type() || taken != span.exprs.len() {
        return None;
    }
    Some(match (ends, negated) {
        ((0, 255), false) => Vec::new(),
        _ => vec![Setting::new("mh-type", text(ends)).negated(negated)],
    })
}

/// `mh 3`, `mh !home-test-init:careof-test`.
fn list_mh(settings: &[Setting], style: &Style) -> String {
    let name = |number: &str| {
        let known = number.parse::<usize>().ok().and_then(|number| MESSAGES.get(number));
        match known.filter(|_| !style.numeric) {
            Some((name, _)) => (*name).to_owned(),
            None => number.to_owned(),
        }
    };
    let one = |setting: &Setting| {
        let not = if setting.negated { "!" } else { "" };
        let ends: Vec<String> = setting.value().split(':').map(name).collect();
        format!("mh {not}{}", ends.join(":"))
    };
    settings.first().map_or("mh".to_owned(), one)
}

/// The headers of `--header`: the names that iptables reads, the last one is what it prints; the
/// bit that it prints, and the number of the header where nft has a word for it.
const HEADERS: [(&[&str], u8, Option<u8>); 8] = [
    (&["hop", "hop-by-hop"], 0x80, Some(0)),
    (&["dst", "ipv6-opts"], 0x40, Some(60)),
    (&["route", "ipv6-route"], 0x20, Some(43)),
    (&["frag", "ipv6-frag"], 0x10, Some(44)),
    (&["auth", "ah"], 0x08, None),
    (&["esp"], 0x04, None),
    (&["none", "ipv6-nonxt"], 0x02, None),
    (&["prot", "protocol"], 0x01, None),
];

fn build_header(header: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = header.need("header", "--header")?;
    if header.find("soft").is_none() {
        return Err(given.unsupported(
            "without --soft it means these headers and no other, and nft has words for some only",
        ));
    }
    let mut exprs = Vec::new();
    for kind in kinds(given)? {
        exprs.extend(equal(presence(kind), false, [u8::from(!given.negated)]));
    }
    Ok(exprs)
}

/// The numbers of the headers, in the order of the table.
fn kinds(given: &Given<'_>) -> Result<Vec<u8>, Error> {
    let mut bits = 0;
    for word in given.value().split(',') {
        let by_number = number8(word);
        let (_, bit, kind) = HEADERS
            .iter()
            .find(|(names, _, kind)| {
                names.iter().any(|name| name.eq_ignore_ascii_case(word))
                    || (by_number.is_some() && *kind == by_number)
            })
            .ok_or_else(|| given.bad(word, "a list of hop, dst, route, frag"))?;
        if kind.is_none() {
            return Err(
                given.unsupported("nft has words for the headers hop, dst, route and frag only")
            );
        }
        bits |= bit;
    }
    Ok(HEADERS
        .iter()
        .filter(|(_, bit, _)| bits & bit != 0)
        .filter_map(|(_, _, kind)| *kind)
        .collect())
}

fn read_header(span: &Span<'_>) -> Option<Vec<Setting>> {
    let mut names = Vec::new();
    let mut found = None;
    for (field, test) in tests(span.exprs)? {
        let Expr::Exthdr(Exthdr::Exists { of: Extension { op: ExthdrOp::Ipv6, kind }, .. }) = field
        else {
            return None;
        };
        let Test::Equal { negated: false, value: [exists @ (0 | 1)] } = test else { return None };
        if *found.get_or_insert(*exists) != *exists {
            return None;
        }
        let (header, _, _) = HEADERS.iter().find(|(_, _, known)| *known == Some(*kind))?;
        names.push(*header.last()?);
    }
    let header = Setting::new("header", names.join(",")).negated(found? == 0);
    Some(vec![header, Setting::flag("soft")])
}

/// `ipv6header flags:0x10 soft`, `ipv6header flags:!ipv6-frag soft`.
fn list_header(settings: &[Setting], style: &Style) -> String {
    let Some(header) = settings.first() else { return String::new() };
    let not = if header.negated { "!" } else { "" };
    let bits = HEADERS
        .iter()
        .filter(|(names, _, _)| header.value().split(',').any(|word| names.contains(&word)));
    let flags = if style.numeric {
        format!("0x{:02X}", bits.fold(0, |bits, (_, bit, _)| bits | bit))
    } else {
        header.value().to_owned()
    };
    format!("ipv6header flags:{not}{flags} soft")
}

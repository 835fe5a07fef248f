//! `-m esp`, `-m ah`, `-m ipcomp`: headers of IPsec; `-m policy`: whether it handles a packet.

use super::span::{Ends, in_range, listed, read_ends, text};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{MetaKey, Rt, RtKey};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal, meta, transport};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::{Test, test, transport_field};
use crate::xtables::words::OptionSpec;

/// `esp spi 3-5`.
pub(super) static ESP: Module =
    Module::new("esp", &[OptionSpec::value(&["espspi"])], |esp| number(esp, ESP_SPI))
        .after(&[50], "\"-p esp\" in the rule")
        .read_by(
            75,
            |span| read_number(span, ESP_SPI, "espspi"),
            |settings, _| list("esp", settings),
        );

/// `ah spi 3-5`. Of IPv6 it is a header among others, which nft 1.0.6 has no word for.
pub(super) static AH: Module = Module::new(
    "ah",
    &[
        OptionSpec::value(&["ahspi"]),
        OptionSpec::refused(&["ahlen"], "only the index of the header is translated"),
        OptionSpec::refused(&["ahres"], "only the index of the header is translated"),
    ],
    |ah| {
        if ah.context.version == IpVersion::V6 {
            let reason = "nft has no word for this header of IPv6 where others follow it";
            return Err(Error::UnsupportedMatch { name: ah.name.to_owned(), reason });
        }
        number(ah, AH_SPI)
    },
)
.after(&[51], "\"-p ah\" in the rule")
.read_by(76, |span| read_number(span, AH_SPI, "ahspi"), |settings, _| list("ah", settings));

/// `comp cpi 3-5`.
pub(super) static IPCOMP: Module = Module::new(
    "ipcomp",
    &[
        OptionSpec::value(&["ipcompspi"]),
        OptionSpec::refused(&["compres"], "only the index of the header is translated"),
    ],
    |ipcomp| number(ipcomp, COMP_CPI),
)
.after(&[108], "\"-p ipcomp\" in the rule")
.read_by(77, |span| read_number(span, COMP_CPI, "ipcompspi"), |settings, _| list("comp", settings));

const ESP_SPI: (u32, u32) = (0, 4);
const AH_SPI: (u32, u32) = (4, 4);
const COMP_CPI: (u32, u32) = (2, 2);

/// Without the option every such header matches.
fn number(header: &Options<'_>, field: (u32, u32)) -> Result<Vec<Expr>, Error> {
    match header.given.first() {
        Some(given) => in_range(given, transport(field), field.1 as usize),
        None => Ok(Vec::new()),
    }
}

fn read_number(span: &Span<'_>, place: (u32, u32), name: &'static str) -> Option<Vec<Setting>> {
    if span.exprs.is_empty() {
        return Some(Vec::new());
    }
    let (field, test, taken) = test(span.exprs)?;
    if transport_field(field) != Some(place) || taken != span.exprs.len() {
        return None;
    }
    let (negated, ends) = read_ends(&test)?;
    Some(range_setting(name, negated, ends, u64::MAX >> (64 - place.1 * 8)))
}

/// An option that is not printed where it says nothing.
fn range_setting(name: &'static str, negated: bool, ends: Ends, most: u64) -> Vec<Setting> {
    if ends == (0, most) && !negated {
        return Vec::new();
    }
    vec![Setting::new(name, text(ends)).negated(negated)]
}

/// `esp spi:3`, `ah spis:!3:5`.
fn list(header: &str, settings: &[Setting]) -> String {
    let spi = settings.first().map(|spi| listed("spi", spi.value(), spi.negated));
    format!("{header} {}", spi.unwrap_or_default())
}

const ELEMENTS: &str = "nf_tables reads one transformation of a packet by its place, and does not \
                        know how many there are";

/// `meta ipsec exists` on the way in, `rt ipsec missing` on the way out.
pub(super) static POLICY: Module = Module::new(
    "policy",
    &[
        OptionSpec::setting(&["dir"]),
        OptionSpec::setting(&["pol"]),
        OptionSpec::refused(&["strict"], ELEMENTS),
        OptionSpec::refused(&["reqid"], ELEMENTS),
        OptionSpec::refused(&["spi"], ELEMENTS),
        OptionSpec::refused(&["proto"], ELEMENTS),
        OptionSpec::refused(&["mode"], ELEMENTS),
        OptionSpec::refused(&["tunnel-src"], ELEMENTS),
        OptionSpec::refused(&["tunnel-dst"], ELEMENTS),
        OptionSpec::refused(&["next"], ELEMENTS),
    ],
    build_policy,
)
.read_by(64, read_policy, list_policy);

fn build_policy(policy: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let direction = policy.need("dir", "--dir")?;
    let wanted = policy.need("pol", "--pol")?;
    let field = match direction.value() {
        "in" => meta(MetaKey::Secpath),
        "out" => Rt { key: RtKey::Xfrm, dreg: REGISTER }.into(),
        other => return Err(direction.bad(other, "in or out")),
    };
    match wanted.value() {
        "ipsec" => Ok(equal(field, false, [1])),
        "none" => Ok(equal(field, false, [0])),
        other => Err(wanted.bad(other, "ipsec or none")),
    }
}

fn read_policy(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test, taken) = test(span.exprs)?;
    let out: Expr = Rt { key: RtKey::Xfrm, dreg: REGISTER }.into();
    let direction = match field {
        field if *field == meta(MetaKey::Secpath) => "in",
        field if *field == out => "out",
        _ => return None,
    };
    let Test::Equal { negated, value: [value @ (0 | 1)] } = test else { return None };
    let wanted = if (*value == 1) == negated { "none" } else { "ipsec" };
    let settings = vec![Setting::new("dir", direction), Setting::new("pol", wanted)];
    (taken == span.exprs.len()).then_some(settings)
}

/// `policy match dir in pol none`.
fn list_policy(settings: &[Setting], _style: &Style) -> String {
    let value = |name| find(settings, name).map_or("", Setting::value);
    format!("policy match dir {} pol {}", value("dir"), value("pol"))
}

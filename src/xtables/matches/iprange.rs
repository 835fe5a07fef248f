//! `-m iprange`: addresses from one to another.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, address, side_of};
use crate::xtables::base_read::to_ip;
use crate::xtables::field::between;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, tests};
use crate::xtables::words::OptionSpec;

/// `ip saddr 192.0.2.1-192.0.2.9`.
pub(super) static IPRANGE: Module = Module::new(
    "iprange",
    &[OptionSpec::value(&["src-range"]), OptionSpec::value(&["dst-range"])],
    build,
)
.read_by(17, read, list);

fn build(iprange: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let version = iprange.context.version;
    if iprange.given.is_empty() {
        return Err(iprange.incomplete("--src-range or --dst-range"));
    }
    let mut exprs = Vec::new();
    for given in &iprange.given {
        let side = match given.spec.name() {
            "src-range" => Side::Source,
            _ => Side::Destination,
        };
        let value = given.value();
        let (first, last) = value.split_once('-').unwrap_or((value, value));
        let (first, last) = (address(given, first, version)?, address(given, last, version)?);
        if first > last {
            return Err(given.bad(value, "a range: its first address is above its last"));
        }
        let field = Place::Packet(side).load(version, version.address_len() as u32);
        exprs.extend(between(field, given.negated, first, last));
    }
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let version = span.context.version;
    let range = |(field, test): &(&Expr, Test<'_>)| {
        let name = match side_of(field, version)? {
            Side::Source => "src-range",
            Side::Destination => "dst-range",
        };
        let (negated, first, last) = match test {
            Test::Equal { negated, value } => (*negated, *value, *value),
            Test::Between { negated, first, last } => (*negated, *first, *last),
            Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => return None,
        };
        let whole = first.len() == version.address_len() && last.len() == first.len();
        let value = whole.then_some(format!("{}-{}", to_ip(first)?, to_ip(last)?))?;
        Some(Setting::new(name, value).negated(negated))
    };
    let tests = tests(span.exprs)?;
    (!tests.is_empty()).then(|| tests.iter().map(range).collect())?
}

/// `source IP range 192.0.2.2-192.0.2.80`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let text = |setting: &Setting| {
        let side = if setting.name == "src-range" { "source" } else { "destination" };
        let not = if setting.negated { "! " } else { "" };
        format!("{side} IP range {not}{}", setting.value())
    };
    settings.iter().map(text).collect::<Vec<_>>().join(" ")
}

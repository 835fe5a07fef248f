//! `-m ttl`, `-m hl`: how many hops a packet has left.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::CmpOp;
use crate::xtables::Error;
use crate::xtables::field::{compare, network};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, network_field, only_test};
use crate::xtables::words::OptionSpec;

/// `ip ttl 64`.
pub(super) static TTL: Module = Module::new(
    "ttl",
    &[
        OptionSpec::value(&["ttl-eq", "ttl"]),
        OptionSpec::setting(&["ttl-lt"]),
        OptionSpec::setting(&["ttl-gt"]),
    ],
    |ttl| hops_match(ttl, (8, 1), "one of --ttl-eq, --ttl-lt, --ttl-gt"),
)
.only(IpVersion::V4)
.read_by(
    19,
    |span| read(span, (8, 1), ["ttl-eq", "ttl-lt", "ttl-gt"]),
    |settings, _| list(settings, "TTL"),
);

/// `ip6 hoplimit 64`.
pub(super) static HL: Module = Module::new(
    "hl",
    &[
        OptionSpec::value(&["hl-eq", "hl"]),
        OptionSpec::setting(&["hl-lt"]),
        OptionSpec::setting(&["hl-gt"]),
    ],
    |hl| hops_match(hl, (7, 1), "one of --hl-eq, --hl-lt, --hl-gt"),
)
.only(IpVersion::V6)
.read_by(
    20,
    |span| read(span, (7, 1), ["hl-eq", "hl-lt", "hl-gt"]),
    |settings, _| list(settings, "HL"),
);

fn hops_match(
    hops: &Options<'_>,
    field: (u32, u32),
    needs: &'static str,
) -> Result<Vec<Expr>, Error> {
    let given = hops.only(needs)?;
    let expected = "a number of hops, 0 to 255";
    let number = number8(given.value()).ok_or_else(|| given.bad(given.value(), expected))?;
    let op = match given.spec.name() {
        "ttl-lt" | "hl-lt" => CmpOp::Lt,
        "ttl-gt" | "hl-gt" => CmpOp::Gt,
        _ if given.negated => CmpOp::Neq,
        _ => CmpOp::Eq,
    };
    Ok(vec![network(field), compare(op, [number])])
}

fn read(
    span: &Span<'_>,
    place: (u32, u32),
    [equal, below, above]: [&'static str; 3],
) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    if network_field(field) != Some(place) {
        return None;
    }
    let (name, negated, value) = match test {
        Test::Equal { negated, value: [value] } => (equal, negated, value),
        Test::Compared { op: CmpOp::Lt, value: [value] } => (below, false, value),
        Test::Compared { op: CmpOp::Gt, value: [value] } => (above, false, value),
        _ => return None,
    };
    Some(vec![Setting::new(name, value.to_string()).negated(negated)])
}

/// `TTL match TTL == 64`.
fn list(settings: &[Setting], name: &str) -> String {
    let Some(setting) = settings.first() else { return String::new() };
    let sign = match setting.name {
        "ttl-lt" | "hl-lt" => "<",
        "ttl-gt" | "hl-gt" => ">",
        _ if setting.negated => "!=",
        _ => "==",
    };
    format!("{name} match {name} {sign} {}", setting.value())
}

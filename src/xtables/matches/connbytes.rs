//! `-m connbytes`: how much a flow has carried.

use super::span::{Ends, big, ends};
use crate::nft::Expr;
use crate::nft::expr::{Byteorder, ByteorderOp, CmpOp, Ct, CtDirection, CtKey};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, between, compare};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::{Test, test};
use crate::xtables::words::OptionSpec;

/// `ct original bytes 3-5`, `ct packets >= 3`.
pub(super) static CONNBYTES: Module = Module::new(
    "connbytes",
    &[
        OptionSpec::value(&["connbytes"]),
        OptionSpec::setting(&["connbytes-mode"]),
        OptionSpec::setting(&["connbytes-dir"]),
    ],
    build,
)
.read_by(61, read, list);

const MODES: [(&str, CtKey); 3] =
    [("packets", CtKey::Pkts), ("bytes", CtKey::Bytes), ("avgpkt", CtKey::Avgpkt)];
const DIRECTIONS: [(&str, Option<CtDirection>); 3] = [
    ("original", Some(CtDirection::Original)),
    ("reply", Some(CtDirection::Reply)),
    ("both", None),
];

/// The counts are in host order, and swapped to be compared.
fn build(connbytes: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = connbytes.need("connbytes", "--connbytes")?;
    let mode = connbytes.need("connbytes-mode", "--connbytes-mode")?;
    let direction = connbytes.need("connbytes-dir", "--connbytes-dir")?;
    let key = MODES.iter().find(|(name, _)| *name == mode.value());
    let (_, key) = key.ok_or_else(|| mode.bad(mode.value(), "packets, bytes or avgpkt"))?;
    let whose = DIRECTIONS.iter().find(|(name, _)| *name == direction.value());
    let (_, whose) =
        whose.ok_or_else(|| direction.bad(direction.value(), "original, reply or both"))?;
    let (first, mut last) = ends(given, u64::MAX)?;
    if !given.value().contains(':') {
        last = u64::MAX;
    }
    let load = Ct::Load { key: *key, direction: *whose, dreg: REGISTER }.into();
    let swap = Byteorder { sreg: REGISTER, dreg: REGISTER, op: ByteorderOp::Hton, len: 8, size: 8 };
    let bytes = |number: u64| number.to_be_bytes().to_vec();
    let mut exprs = vec![load, swap.into()];
    match (last, given.negated) {
        (u64::MAX, false) => exprs.push(compare(CmpOp::Gte, bytes(first))),
        (u64::MAX, true) => exprs.push(compare(CmpOp::Lt, bytes(first))),
        (last, negated) => {
            let compared = between(exprs.remove(0), negated, bytes(first), bytes(last));
            exprs.splice(0..0, compared.first().cloned());
            exprs.extend(compared.into_iter().skip(1));
        }
    }
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Ct(Ct::Load { key, direction, .. }), Expr::Byteorder(_), ..] = span.exprs else {
        return None;
    };
    let (mode, _) = MODES.iter().find(|(_, known)| known == key)?;
    let (whose, _) = DIRECTIONS.iter().find(|(_, known)| known == direction)?;
    let (_, test, taken) = test(span.exprs)?;
    let (negated, (first, last)): (bool, Ends) = match test {
        Test::Compared { op: CmpOp::Gte, value } => (false, (big(value)?, u64::MAX)),
        Test::Compared { op: CmpOp::Lt, value } => (true, (big(value)?, u64::MAX)),
        Test::Equal { negated, value } => (negated, (big(value)?, big(value)?)),
        Test::Between { negated, first, last } => (negated, (big(first)?, big(last)?)),
        Test::Compared { .. } | Test::Masked { .. } | Test::In { .. } => return None,
    };
    let text = match last {
        u64::MAX => first.to_string(),
        last => format!("{first}:{last}"),
    };
    let settings = vec![
        Setting::new("connbytes", text).negated(negated),
        Setting::new("connbytes-mode", *mode),
        Setting::new("connbytes-dir", *whose),
    ];
    (taken == span.exprs.len()).then_some(settings)
}

/// `connbytes 3:5 connbytes mode bytes connbytes direction both`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let value = |name| find(settings, name).map_or("", Setting::value);
    let not = if settings.iter().any(|setting| setting.negated) { "! " } else { "" };
    format!(
        "{not}connbytes {} connbytes mode {} connbytes direction {}",
        value("connbytes"),
        value("connbytes-mode"),
        value("connbytes-dir")
    )
}

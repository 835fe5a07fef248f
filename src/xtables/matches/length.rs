//! `-m length`: the length of the packet with its IP header.

use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{between_u32, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number16;
use crate::xtables::setting::{Setting, not};
use crate::xtables::test::{Test, host_u32, is_meta, network_u32, only_test};
use crate::xtables::words::OptionSpec;

/// `meta length 40-80`.
pub(super) static LENGTH: Module = Module::new("length", &[OptionSpec::value(&["length"])], build)
    .read_by(18, read, |settings, _| {
        let length = settings.first();
        format!("length {}{}", length.map_or("", not), length.map_or("", Setting::value))
    });

fn build(length: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = length.need("length", "--length")?;
    let value = given.value();
    let bad = || given.bad(value, "a length or a range of lengths up to 65535");
    let (first, last) = match value.split_once(':') {
        Some((first, last)) => (
            if first.is_empty() { Some(0) } else { number16(first) },
            if last.is_empty() { Some(u16::MAX) } else { number16(last) },
        ),
        None => (number16(value), number16(value)),
    };
    let (first, last) = (first.ok_or_else(bad)?, last.ok_or_else(bad)?);
    if first > last {
        return Err(bad());
    }
    Ok(between_u32(meta(MetaKey::Len), given.negated, first.into(), last.into()))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    if !is_meta(field, MetaKey::Len) {
        return None;
    }
    let (negated, value) = match test {
        Test::Equal { negated, value } => (negated, host_u32(value)?.to_string()),
        Test::Between { negated, first, last } => {
            (negated, format!("{}:{}", network_u32(first)?, network_u32(last)?))
        }
        Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => return None,
    };
    Some(vec![Setting::new("length", value).negated(negated)])
}

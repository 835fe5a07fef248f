//! `-m length`: the length of the packet with its IP header.

use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{between_u32, meta};
use crate::xtables::module::{Module, Options};
use crate::xtables::number::number16;
use crate::xtables::words::OptionSpec;

/// `meta length 40-80`.
pub(super) static LENGTH: Module = Module::new("length", &[OptionSpec::value(&["length"])], build);

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

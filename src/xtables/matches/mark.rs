//! `-m mark`, `-m connmark`: marks of the packet and of its flow.

use crate::nft::Expr;
use crate::nft::expr::{CtKey, MetaKey};
use crate::xtables::Error;
use crate::xtables::field::{ct, equal, masked, meta};
use crate::xtables::module::{Module, Options};
use crate::xtables::number::number32;
use crate::xtables::words::OptionSpec;

/// `meta mark 0x2000`, `meta mark & 0x2000 == 0x2000`.
pub(super) static MARK: Module = Module::new("mark", &[OptionSpec::value(&["mark"])], |mark| {
    mark_match(mark, meta(MetaKey::Mark))
});

/// `ct mark 0x2000`, `ct mark & 0x2000 == 0x2000`.
pub(super) static CONNMARK: Module =
    Module::new("connmark", &[OptionSpec::value(&["mark"])], |mark| {
        mark_match(mark, ct(CtKey::Mark))
    });

fn mark_match(mark: &Options<'_>, field: Expr) -> Result<Vec<Expr>, Error> {
    let given = mark.need("mark", "--mark")?;
    let bad = || given.bad(given.value(), "a mark: expected VALUE or VALUE/MASK of 32 bits");
    let (value, mask) = match given.value().split_once('/') {
        Some((value, mask)) => (value, number32(mask).ok_or_else(bad)?),
        None => (given.value(), u32::MAX),
    };
    let value = number32(value).ok_or_else(bad)?;
    let never = value & !mask != 0;
    Ok(match mask {
        _ if never && !given.negated => return Err(given.never()),
        0 if given.negated && !never => return Err(given.never()),
        u32::MAX => equal(field, given.negated, value.to_ne_bytes()),
        mask => masked(field, mask.to_ne_bytes(), given.negated, value.to_ne_bytes()),
    })
}

//! `-m mark`, `-m connmark`: marks of the packet and of its flow.

use crate::nft::Expr;
use crate::nft::expr::{CtKey, MetaKey};
use crate::xtables::Error;
use crate::xtables::field::{ct, equal, masked, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, host_u32, is_ct, is_meta, only_test};
use crate::xtables::words::OptionSpec;

/// `meta mark 0x2000`, `meta mark & 0x2000 == 0x2000`.
pub(super) static MARK: Module = Module::new("mark", &[OptionSpec::value(&["mark"])], |mark| {
    mark_match(mark, meta(MetaKey::Mark))
})
.read_by(
    13,
    |span| read(span, |field| is_meta(field, MetaKey::Mark)),
    |settings, _| listed(settings, "mark match", ""),
);

/// `ct mark 0x2000`, `ct mark & 0x2000 == 0x2000`.
pub(super) static CONNMARK: Module =
    Module::new("connmark", &[OptionSpec::value(&["mark"])], |mark| {
        mark_match(mark, ct(CtKey::Mark))
    })
    .read_by(
        14,
        |span| read(span, |field| is_ct(field, CtKey::Mark)),
        // iptables has a blank of its own for the negation.
        |settings, _| listed(settings, "connmark match", " "),
    );

fn mark_match(mark: &Options<'_>, field: Expr) -> Result<Vec<Expr>, Error> {
    let given = mark.need("mark", "--mark")?;
    let bad = || given.bad(given.value(), "a mark: expected VALUE or VALUE/MASK of 32 bits");
    let (value, mask) = match given.value().split_once('/') {
        Some((value, mask)) => (value, number32(mask).ok_or_else(bad)?),
        None => (given.value(), u32::MAX),
    };
    let value = number32(value).ok_or_else(bad)?;
    Ok(match mask {
        u32::MAX => equal(field, given.negated, value.to_ne_bytes()),
        mask => masked(field, mask.to_ne_bytes(), given.negated, value.to_ne_bytes()),
    })
}

/// `0x10`, `0x10/0x30`.
fn read(span: &Span<'_>, is_mark: impl Fn(&Expr) -> bool) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    if !is_mark(field) {
        return None;
    }
    let (negated, value) = match test {
        Test::Equal { negated, value } => (negated, format!("{:#x}", host_u32(value)?)),
        Test::Masked { mask, negated, value } => {
            (negated, format!("{:#x}/{:#x}", host_u32(value)?, host_u32(mask)?))
        }
        Test::Between { .. } | Test::Compared { .. } | Test::In { .. } => return None,
    };
    Some(vec![Setting::new("mark", value).negated(negated)])
}

/// `mark match ! 0x10/0x30`.
fn listed(settings: &[Setting], name: &str, not_negated: &str) -> String {
    let Some(setting) = settings.first() else { return String::new() };
    let not = if setting.negated { "! " } else { not_negated };
    format!("{name} {not}{}", setting.value())
}

//! `-j MARK`: sets the packet's mark.

use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Immediate, Meta, MetaKey};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::host_u32;
use crate::xtables::words::{Given, OptionSpec};

/// `meta mark set 0x1`, `meta mark set meta mark & 0xfffffffe | 0x1`.
pub(super) static MARK: Module = Module::new(
    "MARK",
    &[
        OptionSpec::setting(&["set-xmark"]),
        OptionSpec::setting(&["set-mark"]),
        OptionSpec::setting(&["and-mark"]),
        OptionSpec::setting(&["or-mark"]),
        OptionSpec::setting(&["xor-mark"]),
    ],
    build,
)
.read_by(130, read, list);

fn build(mark: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = mark.only("--set-mark, --and-mark, --or-mark, --xor-mark or --set-xmark")?;
    let (value, mask) = value_and_mask(given)?;
    // The kernel computes (mark & ~cleared) ^ flipped.
    let (cleared, flipped) = match given.spec.name() {
        "set-mark" => (value | mask, value),
        "and-mark" => (!value, 0),
        "or-mark" => (value, value),
        "xor-mark" => (0, value),
        _ => (mask, value),
    };
    Ok(set_mark(cleared, flipped))
}

/// `meta mark set meta mark & ~cleared ^ flipped`.
pub(super) fn set_mark(cleared: u32, flipped: u32) -> Vec<Expr> {
    let set = Meta::Set { key: MetaKey::Mark, sreg: REGISTER }.into();
    if cleared == u32::MAX {
        return vec![Immediate::value(REGISTER, flipped.to_ne_bytes()).into(), set];
    }
    let (mask, xor) = ((!cleared).to_ne_bytes().to_vec(), flipped.to_ne_bytes().to_vec());
    vec![meta(MetaKey::Mark), Bitwise::mask_xor(REGISTER, mask, xor).into(), set]
}

/// `VALUE` or `VALUE/MASK`.
pub(super) fn value_and_mask(given: &Given<'_>) -> Result<(u32, u32), Error> {
    let bad = || given.bad(given.value(), "a mark: expected VALUE or VALUE/MASK of 32 bits");
    let (value, mask) = match given.value().split_once('/') {
        Some((value, mask)) => (value, number32(mask).ok_or_else(bad)?),
        None => (given.value(), u32::MAX),
    };
    Ok((number32(value).ok_or_else(bad)?, mask))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (flipped, cleared) = match span.exprs {
        [Expr::Immediate(Immediate::Value { data, .. }), set] if sets_mark(set) => {
            (host_u32(data)?, u32::MAX)
        }
        [load, Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, xor }, .. }), set]
            if *load == meta(MetaKey::Mark) && sets_mark(set) =>
        {
            (host_u32(xor)?, !host_u32(mask)?)
        }
        _ => return None,
    };
    Some(vec![Setting::new("set-xmark", format!("{flipped:#x}/{cleared:#x}"))])
}

fn sets_mark(expr: &Expr) -> bool {
    *expr == Meta::Set { key: MetaKey::Mark, sreg: REGISTER }.into()
}

fn list(settings: &[Setting], _style: &Style) -> String {
    find(settings, "set-xmark").map_or(String::new(), |setting| list_change("MARK", setting))
}

/// `MARK set 0x1`, `MARK and 0xfe`, `MARK or 0x1`, `MARK xset 0x1/0x3`; `CONNMARK …` alike.
pub(super) fn list_change(target: &str, setting: &Setting) -> String {
    let (value, mask) = setting.value().split_once('/').unwrap_or((setting.value(), ""));
    let (value, mask) = (number32(value).unwrap_or(0), number32(mask).unwrap_or(u32::MAX));
    match (value, mask) {
        (0, _) => format!("{target} and {:#x}", !mask),
        (value, mask) if value == mask => format!("{target} or {value:#x}"),
        (value, 0) => format!("{target} xor {value:#x}"),
        (value, u32::MAX) => format!("{target} set {value:#x}"),
        (value, mask) => format!("{target} xset {value:#x}/{mask:#x}"),
    }
}

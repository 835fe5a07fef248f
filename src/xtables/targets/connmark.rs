//! `-j CONNMARK`: the mark of a flow, set, or copied from and to that of the packet.

use super::mark::value_and_mask;
use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Ct, CtKey, Immediate, Meta, MetaKey};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, ct, meta};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::host_u32;
use crate::xtables::words::{Given, OptionSpec};

const SHIFT: &str = "shifted marks are not translated";

/// `ct mark set ct mark & 0xfffffffe ^ 0x1`, `ct mark set meta mark`, `meta mark set ct mark & 0xff`.
pub(super) static CONNMARK: Module = Module::new(
    "CONNMARK",
    &[
        OptionSpec::setting(&["set-xmark"]),
        OptionSpec::setting(&["set-mark"]),
        OptionSpec::setting(&["and-mark"]),
        OptionSpec::setting(&["or-mark"]),
        OptionSpec::setting(&["xor-mark"]),
        OptionSpec::flag(&["save-mark"]),
        OptionSpec::flag(&["restore-mark"]),
        OptionSpec::setting(&["nfmask"]),
        OptionSpec::setting(&["ctmask"]),
        OptionSpec::setting(&["mask"]),
        OptionSpec::refused(&["left-shift-mark"], SHIFT),
        OptionSpec::refused(&["right-shift-mark"], SHIFT),
    ],
    build,
)
.noted_by(|connmark| {
    let copies = |given: &Given<'_>| matches!(given.spec.name(), "save-mark" | "restore-mark");
    if connmark.given.iter().any(copies) { vec![COPIED] } else { Vec::new() }
})
.read_by(139, read, list);

/// The note of a rule that copies, which one that copies no bit does not tell from one that clears.
const COPIED: u8 = 1;
const MASKS: [&str; 3] = ["nfmask", "ctmask", "mask"];

fn build(connmark: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let is_mask = |given: &&Given<'_>| MASKS.contains(&given.spec.name());
    let mut operations = connmark.given.iter().filter(|given| !is_mask(given));
    let needs = "--set-xmark, --set-mark, --and-mark, --or-mark, --xor-mark, --save-mark or \
                 --restore-mark";
    let operation = operations.next().ok_or_else(|| connmark.incomplete(needs))?;
    if let Some(second) = operations.next() {
        return Err(conflict(second, operation));
    }
    let copies = matches!(operation.spec.name(), "save-mark" | "restore-mark");
    if let (Some(mask), false) = (connmark.given.iter().find(is_mask), copies) {
        return Err(conflict(mask, operation));
    }
    match operation.spec.name() {
        "save-mark" => {
            let (nfmask, ctmask) = masks(connmark)?;
            let set = set_flow_mark();
            copy(connmark, meta(MetaKey::Mark), nfmask, ct(CtKey::Mark), ctmask, set)
        }
        "restore-mark" => {
            let (nfmask, ctmask) = masks(connmark)?;
            let set = set_packet_mark();
            copy(connmark, ct(CtKey::Mark), ctmask, meta(MetaKey::Mark), nfmask, set)
        }
        name => {
            let (value, mask) = value_and_mask(operation)?;
            // The kernel computes (mark & ~cleared) ^ flipped.
            let (cleared, flipped) = match name {
                "set-mark" => (value | mask, value),
                "and-mark" => (!value, 0),
                "or-mark" => (value, value),
                "xor-mark" => (0, value),
                _ => (mask, value),
            };
            Ok(change(ct(CtKey::Mark), cleared, flipped, set_flow_mark()))
        }
    }
}

fn set_flow_mark() -> Expr {
    Ct::Set { key: CtKey::Mark, direction: None, sreg: REGISTER }.into()
}

fn set_packet_mark() -> Expr {
    Meta::Set { key: MetaKey::Mark, sreg: REGISTER }.into()
}

/// A mark that gets other bits: a constant where it loses all of its own.
fn change(mark: Expr, cleared: u32, flipped: u32, set: Expr) -> Vec<Expr> {
    if cleared == u32::MAX {
        return vec![Immediate::value(REGISTER, flipped.to_ne_bytes()).into(), set];
    }
    let (mask, xor) = ((!cleared).to_ne_bytes().to_vec(), flipped.to_ne_bytes().to_vec());
    vec![mark, Bitwise::mask_xor(REGISTER, mask, xor).into(), set]
}

/// One mark into the other: `(to & ~cleared) ^ (from & kept)`, where one of both is all bits or
/// none.
fn copy(
    connmark: &Options<'_>,
    from: Expr,
    kept: u32,
    to: Expr,
    cleared: u32,
    set: Expr,
) -> Result<Vec<Expr>, Error> {
    match (kept, cleared) {
        (u32::MAX, u32::MAX) => Ok(vec![from, set]),
        (kept, u32::MAX) => {
            Ok(vec![from, Bitwise::and(REGISTER, kept.to_ne_bytes().to_vec()).into(), set])
        }
        // Nothing is copied.
        (0, cleared) => Ok(change(to, cleared, 0, set)),
        (_, _) => {
            let mask = connmark.given.iter().rfind(|given| MASKS.contains(&given.spec.name()));
            let reason = "the bits that stay come from one mark and the others from another, which \
                          nf_tables can join since Linux 6.13 only, and nft 1.0.6 ends with an \
                          abort when it lists such a rule";
            match mask {
                Some(mask) => Err(mask.unsupported(reason)),
                None => Err(connmark.incomplete("a mask of all bits")),
            }
        }
    }
}

/// The bits of the packet's mark and of the flow's.
fn masks(connmark: &Options<'_>) -> Result<(u32, u32), Error> {
    if let (Some(both), Some(one)) =
        (connmark.find("mask"), connmark.find("nfmask").or(connmark.find("ctmask")))
    {
        return Err(conflict(one, both));
    }
    let mask = |name| match connmark.find(name).or(connmark.find("mask")) {
        None => Ok(u32::MAX),
        Some(given) => {
            let bad = || given.bad(given.value(), "a mask of 32 bits");
            number32(given.value()).ok_or_else(bad)
        }
    };
    Ok((mask("nfmask")?, mask("ctmask")?))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (set, exprs) = span.exprs.split_last()?;
    let (on_flow, on_packet) = (*set == set_flow_mark(), *set == set_packet_mark());
    let (load, kept, xor) = match exprs {
        [Expr::Immediate(Immediate::Value { data, .. })] if on_flow => {
            return Some(vec![xmark(host_u32(data)?, u32::MAX)]);
        }
        [load] => (load, u32::MAX, 0),
        [load, Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, xor }, .. })] => {
            (load, host_u32(mask)?, host_u32(xor)?)
        }
        _ => return None,
    };
    let masked = |name, nfmask: u32, ctmask: u32| {
        Some(vec![
            Setting::flag(name),
            Setting::new("nfmask", format!("{nfmask:#x}")),
            Setting::new("ctmask", format!("{ctmask:#x}")),
        ])
    };
    let own = span.note == [COPIED];
    match (on_flow, on_packet) {
        (true, _) if *load == meta(MetaKey::Mark) && xor == 0 => {
            masked("save-mark", kept, u32::MAX)
        }
        (_, true) if *load == ct(CtKey::Mark) && xor == 0 => masked("restore-mark", u32::MAX, kept),
        (true, _) if *load == ct(CtKey::Mark) && own => masked("save-mark", 0, !kept),
        (_, true) if *load == meta(MetaKey::Mark) && own => masked("restore-mark", !kept, 0),
        (true, _) if *load == ct(CtKey::Mark) => Some(vec![xmark(xor, !kept)]),
        _ => None,
    }
}

fn xmark(flipped: u32, cleared: u32) -> Setting {
    Setting::new("set-xmark", format!("{flipped:#x}/{cleared:#x}"))
}

fn list(settings: &[Setting], _style: &Style) -> String {
    let mask =
        |name| find(settings, name).and_then(|mask| number32(mask.value())).unwrap_or(u32::MAX);
    let (nfmask, ctmask) = (mask("nfmask"), mask("ctmask"));
    let copied = |word: &str, first: (&str, u32), second: (&str, u32)| {
        if first.1 == u32::MAX && second.1 == u32::MAX {
            format!("CONNMARK {word}")
        } else if first.1 == second.1 {
            format!("CONNMARK {word} mask {:#x}", first.1)
        } else {
            format!("CONNMARK {word} {} {:#x} {} ~{:#x}", first.0, first.1, second.0, second.1)
        }
    };
    match settings {
        [Setting { name: "save-mark", .. }, ..] => {
            copied("save", ("nfmask", nfmask), ("ctmask", ctmask))
        }
        [Setting { name: "restore-mark", .. }, ..] => {
            copied("restore", ("ctmask", ctmask), ("nfmask", nfmask))
        }
        [setting, ..] => super::mark::list_change("CONNMARK", setting),
        [] => String::new(),
    }
}

//! `-m u32` and `-m bpf`, of which one program each is known: the network number of VXLAN, as
//! Docker's encrypted overlay networks ask for it.
//!
//! In words: behind the header of IPv4, whose length is read from it, take the 32 bits at offset
//! 12, four bytes behind the header of UDP; of those the upper 24 are the number (RFC 7348).

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{equal, transport};
use crate::xtables::module::{Module, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, tests, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `@th,96,24 0x1001`: `--u32 "0>>22&0x3C@12&0xFFFFFF00=1048832"`.
pub(super) static U32: Module = Module::new("u32", &[OptionSpec::setting(&["u32"])], |u32| {
    let given = u32.need("u32", "--u32")?;
    Ok(number_match(pattern(given.value()).ok_or_else(|| refused(given))?))
})
.only(IpVersion::V4)
.after(&[17], "\"-p udp\" in the rule")
.read_by(
    87,
    |span| Some(vec![Setting::new("u32", pattern_text(read_number(span)?))]),
    |settings, _| settings.iter().map(|text| format!("u32 \"{}\"", text.value())).collect(),
);

/// `@th,96,24 0x1001`: `--bytecode "6,177 0 0 0,64 0 0 12,84 0 0 4294967040,21 1 0 1048832,…"`.
pub(super) static BPF: Module =
    Module::new("bpf", &[OptionSpec::setting(&["bytecode"]), OBJECT], |bpf| {
        let given = bpf.need("bytecode", "--bytecode")?;
        Ok(number_match(program(given.value()).ok_or_else(|| refused(given))?))
    })
    .only(IpVersion::V4)
    .after(&[17], "\"-p udp\" in the rule")
    .read_by(
        88,
        |span| Some(vec![Setting::new("bytecode", program_text(read_number(span)?))]),
        |settings, _| {
            let program = |text: &str| {
                let lines = text.split(',').skip(1);
                lines.map(|line| format!("{line},")).collect::<String>()
            };
            let listed = settings.iter().map(|text| program(text.value()));
            let text: String = listed.collect();
            format!("match bpf {}", text.trim_end_matches(','))
        },
    );

const OBJECT: OptionSpec =
    OptionSpec::refused(&["object-pinned"], "the kernel runs no BPF program inside a rule");

const PROGRAM: &str = "the kernel runs no program inside a rule; the one that is known reads the \
                       network number of VXLAN behind UDP over IPv4";

fn refused(given: &Given<'_>) -> Error {
    given.unsupported(PROGRAM)
}

/// Where the number is behind the header of UDP.
const NUMBER: (u32, u32) = (12, 3);

fn number_match(number: u32) -> Vec<Expr> {
    equal(transport(NUMBER), false, number.to_be_bytes()[1..].to_vec())
}

fn read_number(span: &Span<'_>) -> Option<u32> {
    match tests(span.exprs)?.as_slice() {
        [(field, Test::Equal { negated: false, value: [high, middle, low] })]
            if transport_field(field) == Some(NUMBER) =>
        {
            Some(u32::from_be_bytes([0, *high, *middle, *low]))
        }
        _ => None,
    }
}

/// The number, of a value whose lowest byte is not compared.
fn upper(value: u32) -> Option<u32> {
    (value & 0xff == 0).then_some(value >> 8)
}

/// Reads the one expression of `--u32`; blanks, and numbers of any base, may be anywhere.
fn pattern(text: &str) -> Option<u32> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (place, value) = text.split_once('=')?;
    let (shift, behind) = place.split_once('@')?;
    let (start, length) = shift.split_once(">>")?;
    let (by, of) = length.split_once('&')?;
    let (offset, mask) = behind.split_once('&')?;
    let numbers = [start, by, of, offset, mask].map(number32);
    let wanted = [0, 22, 0x3c, 12, 0xffff_ff00].map(Some);
    (numbers == wanted).then(|| number32(value)).flatten().and_then(upper)
}

fn pattern_text(number: u32) -> String {
    format!("0x0>>0x16&0x3c@0xc&0xffffff00={:#x}", number << 8)
}

/// Reads the one program of `--bytecode`: load the header's length, the word behind it, mask it,
/// compare it, and return no or yes.
fn program(text: &str) -> Option<u32> {
    let (length, rest) = text.split_once(',')?;
    let line = |line: &str| {
        let fields: Option<Vec<u32>> = line.split_whitespace().map(|t| t.parse().ok()).collect();
        fields.and_then(|fields| <[u32; 4]>::try_from(fields).ok())
    };
    let lines: Option<Vec<[u32; 4]>> =
        rest.split(',').filter(|text| !text.trim().is_empty()).map(line).collect();
    match (length.trim(), lines?.as_slice()) {
        (
            "6",
            [
                [177, 0, 0, 0],
                [64, 0, 0, 12],
                [84, 0, 0, 0xffff_ff00],
                [21, 1, 0, value],
                [6, 0, 0, 0],
                [6, 0, 0, u32::MAX],
            ],
        ) => upper(*value),
        _ => None,
    }
}

fn program_text(number: u32) -> String {
    format!(
        "6,177 0 0 0,64 0 0 12,84 0 0 4294967040,21 1 0 {},6 0 0 0,6 0 0 4294967295",
        number << 8
    )
}

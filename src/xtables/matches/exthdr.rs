//! `-m frag`, `-m rt`, `-m hbh`, `-m dst`, `-m mh`, `-m ipv6header`: extension headers of IPv6.

use super::span::{ends, in_range, listed, read_ends, text};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Extension, Exthdr, ExthdrOp};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, between, equal, masked};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, find};
use crate::xtables::test::{Test, tests};
use crate::xtables::words::{Given, OptionSpec};

// Numbers of the headers (IANA).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;

const CONTENTS: &str = "what is inside of this header is not translated";

/// `frag id 3`, `frag more-fragments 1`, `exthdr frag exists`.
pub(super) static FRAG: Module = Module::new(
    "frag",
    &[
        OptionSpec::value(&["fragid"]),
        OptionSpec::refused(&["fraglen"], CONTENTS),
        OptionSpec::flag(&["fragres"]),
        OptionSpec::flag(&["fragfirst"]),
        OptionSpec::flag(&["fragmore"]),
        OptionSpec::flag(&["fraglast"]),
    ],
    build_frag,
)
.only(IpVersion::V6)
.read_by(78, read_frag, |settings, _| {
    let id = find(settings, "fragid").map(|id| listed("id", id.value(), id.negated));
    let words = [
        ("fragres", "reserved"),
        ("fragfirst", "first"),
        ("fragmore", "more"),
        ("fraglast", "last"),
    ];
    let flags = words.iter().filter(|(name, _)| find(settings, name).is_some());
    let words: Vec<String> =
        id.into_iter().chain(flags.map(|(_, word)| (*word).to_owned())).collect();
    format!("frag {}", words.join(" "))
});

/// `rt type 0`, `rt seg-left 1-3`, `rt hdrlength 0`, `exthdr rt exists`.
pub(super) static RT: Module = Module::new(
    "rt",
    &[
        OptionSpec::value(&["rt-type"]),
        OptionSpec::value(&["rt-segsleft"]),
        OptionSpec::value(&["rt-len"]),
        OptionSpec::refused(&["rt-0-res"], CONTENTS),
        OptionSpec::refused(&["rt-0-addrs"], CONTENTS),
        OptionSpec::refused(&["rt-0-not-strict"], CONTENTS),
    ],
    build_rt,
)
.only(IpVersion::V6)
.read_by(79, read_rt, |settings, _| {
    let word = |setting: &Setting| match setting.name {
        "rt-segsleft" => listed("segsleft", setting.value(), setting.negated),
        "rt-len" => listed("length", setting.value(), setting.negated),
        _ => listed("type", setting.value(), setting.negated),
    };
    let words = settings.iter().map(word);
    std::iter::once("rt".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
});

/// `hbh hdrlength 0`, `exthdr hbh exists`.
pub(super) static HBH: Module = Module::new(
    "hbh",
    &[OptionSpec::value(&["hbh-len"]), OptionSpec::refused(&["hbh-opts"], CONTENTS)],
    |hbh| build_options(hbh, HOP_BY_HOP),
)
.only(IpVersion::V6)
.read_by(
    80,
    |span| read_options(span, HOP_BY_HOP, "hbh-len"),
    |settings, _| list_options("hbh", settings),
);

/// `dst hdrlength 0`, `exthdr dst exists`.
pub(super) static DST: Module = Module::new(
    "dst",
    &[OptionSpec::value(&["dst-len"]), OptionSpec::refused(&["dst-opts"], CONTENTS)],
    |dst| build_options(dst, DESTINATION),
)
.only(IpVersion::V6)
.read_by(
    81,
    |span| read_options(span, DESTINATION, "dst-len"),
    |settings, _| list_options("dst", settings),
);

fn extension(kind: u8) -> Extension {
    Extension { op: ExthdrOp::Ipv6, kind }
}

fn field(kind: u8, (offset, len): (u32, u32)) -> Expr {
    Exthdr::Load { of: extension(kind), offset, len, dreg: REGISTER }.into()
}

pub(super) fn presence(kind: u8) -> Expr {
    Exthdr::Exists { of: extension(kind), dreg: REGISTER }.into()
}

const FRAG_RESERVED: (u32, u32) = (1, 1);
const FRAG_OFFSET: (u32, u32) = (2, 2);
const FRAG_FLAGS: (u32, u32) = (3, 1);
const FRAG_ID: (u32, u32) = (4, 4);

fn build_frag(frag: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &frag.given {
        exprs.extend(match given.spec.name() {
            "fragid" => in_range(given, field(FRAGMENT, FRAG_ID), 4)?,
            "fragres" => [
                equal(field(FRAGMENT, FRAG_RESERVED), false, [0]),
                masked(field(FRAGMENT, FRAG_FLAGS), [0x06], false, [0]),
            ]
            .concat(),
            "fragfirst" => masked(field(FRAGMENT, FRAG_OFFSET), [0xff, 0xf8], false, [0, 0]),
            "fragmore" => masked(field(FRAGMENT, FRAG_FLAGS), [1], false, [1]),
            _ => masked(field(FRAGMENT, FRAG_FLAGS), [1], false, [0]),
        });
    }
    if let (Some(more), Some(last)) = (frag.find("fragmore"), frag.find("fraglast")) {
        return Err(crate::xtables::module::conflict(last, more));
    }
    Ok(if exprs.is_empty() { equal(presence(FRAGMENT), false, [1]) } else { exprs })
}

fn read_frag(span: &Span<'_>) -> Option<Vec<Setting>> {
    let mut settings = Vec::new();
    let mut reserved = false;
    for (place, test) in loads(span, FRAGMENT)? {
        settings.push(match (place, &test) {
            (None, Test::Equal { negated: false, value: [1] }) => continue,
            (Some(FRAG_RESERVED), Test::Equal { negated: false, value: [0] }) => {
                reserved = true;
                continue;
            }
            (Some(FRAG_FLAGS), Test::Masked { mask: [0x06], negated: false, value: [0] })
                if reserved =>
            {
                Setting::flag("fragres")
            }
            (Some(FRAG_OFFSET), Test::Masked { mask: [0xff, 0xf8], negated: false, value }) => {
                if value.iter().any(|byte| *byte != 0) {
                    return None;
                }
                Setting::flag("fragfirst")
            }
            (Some(FRAG_FLAGS), Test::Masked { mask: [1], negated: false, value: [1] }) => {
                Setting::flag("fragmore")
            }
            (Some(FRAG_FLAGS), Test::Masked { mask: [1], negated: false, value: [0] }) => {
                Setting::flag("fraglast")
            }
            (Some(FRAG_ID), test) => {
                let (negated, ends) = read_ends(test)?;
                Setting::new("fragid", text(ends)).negated(negated)
            }
            _ => return None,
        });
    }
    Some(settings)
}

/// A field of one header, none for its presence, and what it is compared with.
type Part<'a> = (Option<(u32, u32)>, Test<'a>);

fn loads<'a>(span: &Span<'a>, kind: u8) -> Option<Vec<Part<'a>>> {
    let place = |(field, test): (&'a Expr, Test<'a>)| match field {
        Expr::Exthdr(Exthdr::Load { of, offset, len, .. }) if *of == extension(kind) => {
            Some((Some((*offset, *len)), test))
        }
        Expr::Exthdr(Exthdr::Exists { of, .. }) if *of == extension(kind) => Some((None, test)),
        _ => None,
    };
    tests(span.exprs)?.into_iter().map(place).collect()
}

const RT_LENGTH: (u32, u32) = (1, 1);
const RT_TYPE: (u32, u32) = (2, 1);
const RT_SEGMENTS: (u32, u32) = (3, 1);

fn build_rt(rt: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &rt.given {
        exprs.extend(match given.spec.name() {
            "rt-type" => {
                let (first, last) = ends(given, 255)?;
                if first != last {
                    return Err(given.bad(given.value(), "one number"));
                }
                let value = vec![first as u8];
                between(field(ROUTING, RT_TYPE), given.negated, value.clone(), value)
            }
            "rt-segsleft" => in_range(given, field(ROUTING, RT_SEGMENTS), 1)?,
            _ => equal(field(ROUTING, RT_LENGTH), given.negated, [units(given)?]),
        });
    }
    Ok(if exprs.is_empty() { equal(presence(ROUTING), false, [1]) } else { exprs })
}

/// The length of a header in bytes as the header says it: in units of 8 behind the first 8.
fn units(given: &Given<'_>) -> Result<u8, Error> {
    let (bytes, last) = ends(given, u64::from(u32::MAX))?;
    if bytes != last {
        return Err(given.bad(given.value(), "one number of bytes"));
    }
    let units = (bytes / 8).checked_sub(1).and_then(|units| u8::try_from(units).ok());
    units.filter(|_| bytes.is_multiple_of(8)).ok_or_else(|| {
        given.bad(given.value(), "a length that a header can have: a multiple of 8 up to 2048")
    })
}

fn bytes_of(test: &Test<'_>) -> Option<(bool, String)> {
    match test {
        Test::Equal { negated, value: [units] } => {
            Some((*negated, ((u32::from(*units) + 1) * 8).to_string()))
        }
        _ => None,
    }
}

fn read_rt(span: &Span<'_>) -> Option<Vec<Setting>> {
    let mut settings = Vec::new();
    for (place, test) in loads(span, ROUTING)? {
        let name = match (place, &test) {
            (None, Test::Equal { negated: false, value: [1] }) => continue,
            (Some(RT_LENGTH), test) => {
                let (negated, length) = bytes_of(test)?;
                settings.push(Setting::new("rt-len", length).negated(negated));
                continue;
            }
            (Some(RT_TYPE), _) => "rt-type",
            (Some(RT_SEGMENTS), _) => "rt-segsleft",
            _ => return None,
        };
        let (negated, ends) = read_ends(&test)?;
        settings.push(Setting::new(name, text(ends)).negated(negated));
    }
    Some(settings)
}

fn build_options(header: &Options<'_>, kind: u8) -> Result<Vec<Expr>, Error> {
    match header.given.first() {
        Some(given) => Ok(equal(field(kind, (1, 1)), given.negated, [units(given)?])),
        None => Ok(equal(presence(kind), false, [1])),
    }
}

fn read_options(span: &Span<'_>, kind: u8, name: &'static str) -> Option<Vec<Setting>> {
    match loads(span, kind)?.as_slice() {
        [(None, Test::Equal { negated: false, value: [1] })] => Some(Vec::new()),
        [(Some((1, 1)), test)] => {
            let (negated, length) = bytes_of(test)?;
            Some(vec![Setting::new(name, length).negated(negated)])
        }
        _ => None,
    }
}

/// `hbh length:!8`.
fn list_options(name: &str, settings: &[Setting]) -> String {
    let length = settings.iter().map(|length| {
        let not = if length.negated { "!" } else { "" };
        format!("length:{not}{}", length.value())
    });
    std::iter::once(name.to_owned()).chain(length).collect::<Vec<_>>().join(" ")
}

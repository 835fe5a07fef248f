//! `-j DSCP` and `-j TOS`: the class of service in the IP header.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Checksum, Payload, PayloadWrite};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, network};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::{Given, OptionSpec};

/// `ip dscp set 0x03`.
pub(super) static DSCP: Module = Module::new(
    "DSCP",
    &[OptionSpec::setting(&["set-dscp"]), OptionSpec::setting(&["set-dscp-class"])],
    build_dscp,
)
.read_by(146, read_dscp, |settings, _| {
    settings.iter().map(|setting| format!("DSCP set {}", setting.value())).collect()
});

/// `ip dscp set 0x04 ip ecn set not-ect`: the byte that once was the type of service is these two.
pub(super) static TOS: Module = Module::new(
    "TOS",
    &[
        OptionSpec::setting(&["set-tos"]),
        OptionSpec::setting(&["and-tos"]),
        OptionSpec::setting(&["or-tos"]),
        OptionSpec::setting(&["xor-tos"]),
    ],
    build_tos,
)
.noted_by(|tos| match change(tos) {
    Ok((value, mask)) => vec![value, mask],
    Err(_) => Vec::new(),
})
.read_by(147, read_tos, list_tos);

/// Names of RFC 1349, which mean the four bits of that time.
const NAMES: [(&str, u8); 5] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0),
];
const OF_NAMES: u8 = 0x3f;

/// A part of the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The upper six bits.
    Dscp,
    /// The lower two.
    Ecn,
}

impl Part {
    fn bits(self) -> u8 {
        match self {
            Part::Dscp => 0xfc,
            Part::Ecn => 0x03,
        }
    }

    /// Writes these bits of the byte, as nft does: as few bytes as hold them, of which the header's
    /// checksum wants an even number.
    fn write(self, version: IpVersion, value: u8) -> Vec<Expr> {
        let none = Checksum { kind: 0, offset: 0, flags: 0 };
        let (offset, mask, value, checksum): (u32, Vec<u8>, Vec<u8>, _) = match (version, self) {
            (IpVersion::V4, _) => {
                let checksum = Checksum { kind: 1, offset: 10, flags: 0 };
                (0, vec![0xff, !self.bits()], vec![0, value], checksum)
            }
            (IpVersion::V6, Part::Dscp) => {
                let wide = |byte: u8| (u16::from(byte) << 4).to_be_bytes();
                let mask = wide(self.bits()).map(|byte| !byte);
                (0, mask.to_vec(), wide(value).to_vec(), none)
            }
            (IpVersion::V6, Part::Ecn) => (1, vec![!(self.bits() << 4)], vec![value << 4], none),
        };
        let len = mask.len() as u32;
        let base = crate::nft::expr::PayloadBase::Network;
        vec![
            network((offset, len)),
            Bitwise::mask_xor(REGISTER, mask, value).into(),
            PayloadWrite { sreg: REGISTER, base, offset, len, checksum }.into(),
        ]
    }

    /// The bits that the expressions write.
    fn read(self, exprs: &[Expr], version: IpVersion) -> Option<u8> {
        let [Expr::Payload(Payload { .. }), Expr::Bitwise(Bitwise { op, .. }), _] = exprs else {
            return None;
        };
        let BitwiseOp::MaskXor { xor, .. } = op else { return None };
        let value = match (version, self, xor.as_slice()) {
            (IpVersion::V4, _, [0, value]) => *value,
            (IpVersion::V6, Part::Dscp, [high, low]) => {
                u8::try_from(u16::from_be_bytes([*high, *low]) >> 4).ok()?
            }
            (IpVersion::V6, Part::Ecn, [value]) => value >> 4,
            _ => return None,
        };
        (self.write(version, value) == exprs).then_some(value)
    }
}

fn build_dscp(dscp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = dscp.only("--set-dscp or --set-dscp-class")?;
    let value = given.value();
    let class = match given.spec.name() {
        "set-dscp" => number8(value)
            .filter(|class| *class < 64)
            .ok_or_else(|| given.bad(value, "a class of service, 0 to 63"))?,
        _ => class(&value.to_ascii_uppercase())
            .ok_or_else(|| given.bad(value, "one of BE, EF, CS0 to CS7, AF11 to AF43"))?,
    };
    Ok(Part::Dscp.write(dscp.context.version, class << 2))
}

/// The number of a class's name: `CS3`, `AF21`, `BE`, `EF` (RFC 2474, RFC 2597, RFC 3246).
fn class(name: &str) -> Option<u8> {
    let digit = |byte: &u8| byte.wrapping_sub(b'0');
    match name.as_bytes() {
        b"BE" => Some(0),
        b"EF" => Some(46),
        [b'C', b'S', class @ b'0'..=b'7'] => Some(digit(class) * 8),
        [b'A', b'F', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => {
            Some(digit(class) * 8 + digit(drop) * 2)
        }
        _ => None,
    }
}

fn read_dscp(span: &Span<'_>) -> Option<Vec<Setting>> {
    let value = Part::Dscp.read(span.exprs, span.context.version)?;
    Some(vec![Setting::new("set-dscp", format!("{:#04x}", value >> 2))])
}

/// The kernel computes (byte & ~mask) ^ value.
fn change(tos: &Options<'_>) -> Result<(u8, u8), Error> {
    let given = match tos.given.as_slice() {
        [] => return Err(tos.incomplete("--set-tos, --and-tos, --or-tos or --xor-tos")),
        [only] => only,
        [first, second, ..] => return Err(conflict(second, first)),
    };
    let byte = |text: &str| number8(text).ok_or_else(|| given.bad(text, "a byte, 0 to 255"));
    Ok(match given.spec.name() {
        "set-tos" => match given.value().split_once('/') {
            Some((value, mask)) => (byte(value)?, byte(mask)?),
            None => match named(given) {
                Some(value) => (value, OF_NAMES),
                None => (byte(given.value())?, 0xff),
            },
        },
        "and-tos" => (0, !byte(given.value())?),
        "or-tos" => (byte(given.value())?, byte(given.value())?),
        _ => (byte(given.value())?, 0),
    })
}

/// A name, in upper or lower case.
fn named(given: &Given<'_>) -> Option<u8> {
    let is_named = |name: &str| name.eq_ignore_ascii_case(given.value());
    NAMES.iter().find(|(name, _)| is_named(name)).map(|(_, value)| *value)
}

fn build_tos(tos: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let (value, mask) = change(tos)?;
    let mut exprs = Vec::new();
    for part in [Part::Dscp, Part::Ecn] {
        let (value, mask) = (value & part.bits(), mask & part.bits());
        match (value, mask) {
            (0, 0) => {}
            (_, mask) if mask == part.bits() => {
                exprs.extend(part.write(tos.context.version, value));
            }
            (_, _) => {
                let reason = "nft lists a change of the whole DSCP (0xfc) or ECN (0x03), not one \
                              of some of their bits, and could not read it back";
                return match tos.given.first() {
                    Some(given) => Err(given.unsupported(reason)),
                    None => Err(tos.incomplete("--set-tos")),
                };
            }
        }
    }
    Ok(exprs)
}

fn read_tos(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [value, mask] = span.note else { return None };
    let expected: Vec<Expr> = [Part::Dscp, Part::Ecn]
        .into_iter()
        .filter(|part| mask & part.bits() != 0)
        .flat_map(|part| part.write(span.context.version, value & part.bits()))
        .collect();
    let setting = Setting::new("set-tos", format!("{value:#04x}/{mask:#04x}"));
    (expected == span.exprs).then(|| vec![setting])
}

/// `TOS set 0x10/0xff`, `TOS and 0x3`, `TOS or 0x10`.
fn list_tos(settings: &[Setting], style: &Style) -> String {
    let byte = |text: &str| number8(text).unwrap_or(0);
    let text = settings.first().map_or("", Setting::value);
    let (value, mask) = text.split_once('/').map_or((0, 0), |(v, m)| (byte(v), byte(m)));
    let name = NAMES.iter().find(|(_, known)| *known == value && mask == OF_NAMES);
    match (value, mask) {
        (_, _) if name.is_some() && !style.numeric => {
            format!("TOS set {}", name.map_or("", |(name, _)| *name))
        }
        (0, mask) => format!("TOS and {:#04x}", !mask),
        (value, mask) if value == mask => format!("TOS or {value:#04x}"),
        (value, 0) => format!("TOS xor {value:#04x}"),
        (value, mask) => format!("TOS set {value:#04x}/{mask:#04x}"),
    }
}

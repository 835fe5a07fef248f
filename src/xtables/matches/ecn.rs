//! `-m ecn` and `-m tos`: explicit congestion notification (RFC 3168), and the byte it is in.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{equal, masked, network, transport};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, network_field, test, tests, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `tcp flags & cwr == cwr`, `ip ecn ce`.
pub(super) static ECN: Module = Module::new(
    "ecn",
    &[
        OptionSpec::flag(&["ecn-tcp-ece"]).negatable(),
        OptionSpec::flag(&["ecn-tcp-cwr"]).negatable(),
        OptionSpec::value(&["ecn-ip-ect"]),
    ],
    build_ecn,
)
.read_by(68, read_ecn, list_ecn);

/// `ip dscp 0x04`, `@nh,8,8 & 0x3f == 0x10`.
pub(super) static TOS: Module =
    Module::new("tos", &[OptionSpec::value(&["tos"])], build_tos).read_by(69, read_tos, list_tos);

/// The flags of TCP.
const FLAGS: (u32, u32) = (13, 1);
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;
/// The byte that holds the two bits; in IPv6 they are in its middle.
const BITS: (u32, u32) = (1, 1);

fn ect(version: IpVersion) -> (u8, u32) {
    match version {
        IpVersion::V4 => (0x03, 0),
        IpVersion::V6 => (0x30, 4),
    }
}

fn build_ecn(ecn: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &ecn.given {
        let bit = match given.spec.name() {
            "ecn-tcp-ece" => ECE,
            "ecn-tcp-cwr" => CWR,
            _ => {
                let number = number8(given.value()).filter(|number| *number < 4);
                let bad = || given.bad(given.value(), "a number, 0 to 3");
                let (mask, shift) = ect(ecn.context.version);
                let value = number.ok_or_else(bad)? << shift;
                exprs.extend(masked(network(BITS), [mask], given.negated, [value]));
                continue;
            }
        };
        if ecn.context.protocol != Some(6) {
            let (name, needs) = (ecn.name.to_owned(), "\"-p tcp\" in the rule");
            return Err(Error::NeedsProtocol { name, needs });
        }
        exprs.extend(masked(transport(FLAGS), [bit], given.negated, [bit]));
    }
    match exprs.as_slice() {
        [] => Err(ecn.incomplete("--ecn-tcp-ece, --ecn-tcp-cwr or --ecn-ip-ect")),
        [..] => Ok(exprs),
    }
}

fn read_ecn(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (bits, shift) = ect(span.context.version);
    let setting = |(field, test): &(&Expr, Test<'_>)| {
        let Test::Masked { mask: [mask], negated, value: [value] } = test else { return None };
        let setting = match (transport_field(field), network_field(field)) {
            (Some(FLAGS), _) if (*mask, *value) == (ECE, ECE) => Setting::flag("ecn-tcp-ece"),
            (Some(FLAGS), _) if (*mask, *value) == (CWR, CWR) => Setting::flag("ecn-tcp-cwr"),
            (_, Some(BITS)) if *mask == bits => {
                Setting::new("ecn-ip-ect", (value >> shift).to_string())
            }
            _ => return None,
        };
        Some(setting.negated(*negated))
    };
    tests(span.exprs)?.iter().map(setting).collect()
}

/// `ECN match !ECE CWR ECT=2`.
fn list_ecn(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| {
        let not = if setting.negated { "!" } else { "" };
        match setting.name {
            "ecn-tcp-ece" => format!("{not}ECE"),
            "ecn-tcp-cwr" => format!("{not}CWR"),
            _ => format!("{not}ECT={}", setting.value()),
        }
    };
    let words: Vec<String> = settings.iter().map(word).collect();
    format!("ECN match {}", words.join(" "))
}

/// Names of RFC 1349, which mean all bits but the two highest.
const NAMES: [(&str, u8); 5] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0),
];
const OF_NAMES: u8 = 0x3f;

fn build_tos(tos: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = tos.need("tos", "--tos")?;
    let (value, mask) = tos_value(given)?;
    Ok(match (tos.context.version, mask) {
        (IpVersion::V4, u8::MAX) => equal(network((1, 1)), given.negated, [value]),
        (IpVersion::V4, mask) => masked(network((1, 1)), [mask], given.negated, [value]),
        (IpVersion::V6, mask) => {
            let wide = |byte: u8| (u16::from(byte) << 4).to_be_bytes();
            masked(network((0, 2)), wide(mask), given.negated, wide(value))
        }
    })
}

/// `VALUE`, `VALUE/MASK`, or a name.
fn tos_value(given: &Given<'_>) -> Result<(u8, u8), Error> {
    let text = given.value();
    let expected = "a byte, VALUE/MASK, or one of Minimize-Delay, Maximize-Throughput, \
                    Maximize-Reliability, Minimize-Cost, Normal-Service";
    let byte = |text: &str| number8(text).ok_or_else(|| given.bad(text, expected));
    let is_named = |name: &str| name.eq_ignore_ascii_case(text);
    match (text.split_once('/'), NAMES.iter().find(|(name, _)| is_named(name))) {
        (Some((value, mask)), _) => Ok((byte(value)?, byte(mask)?)),
        (None, Some((_, value))) => Ok((*value, OF_NAMES)),
        (None, None) => Ok((byte(text)?, u8::MAX)),
    }
}

fn read_tos(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test, taken) = test(span.exprs)?;
    let narrow = |bytes: &[u8]| match *bytes {
        [byte] => Some(byte),
        [high, low] => u8::try_from(u16::from_be_bytes([high, low]) >> 4).ok(),
        _ => None,
    };
    let wanted = match span.context.version {
        IpVersion::V4 => (1, 1),
        IpVersion::V6 => (0, 2),
    };
    let (negated, value, mask) = match test {
        Test::Equal { negated, value: [value] } => (negated, *value, u8::MAX),
        Test::Masked { mask, negated, value } => (negated, narrow(value)?, narrow(mask)?),
        _ => return None,
    };
    let ours = network_field(field) == Some(wanted) && taken == span.exprs.len();
    let setting = Setting::new("tos", format!("{value:#04x}/{mask:#04x}"));
    ours.then(|| vec![setting.negated(negated)])
}

/// `tos match0x10/0x3f`, `tos match Minimize-Delay`; the blank is where iptables has it.
fn list_tos(settings: &[Setting], style: &Style) -> String {
    let one = |setting: &Setting| {
        let not = if setting.negated { "!" } else { "" };
        let byte = |text: &str| number8(text).unwrap_or(0);
        let (value, mask) = setting.value().split_once('/').unwrap_or((setting.value(), "0xff"));
        let name = NAMES.iter().find(|(_, known)| *known == byte(value));
        match name.filter(|_| byte(mask) == OF_NAMES && !style.numeric) {
            Some((name, _)) => format!("tos match{not} {name}"),
            None => format!("tos match{not}{}", setting.value()),
        }
    };
    settings.iter().map(one).collect()
}

//! `-m tcp`: ports and flags.

use super::fragment::{is_no_later_fragment, no_later_fragment};
use super::transport::{list_port, port_settings};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Extension, Exthdr, ExthdrOp};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal, masked, transport};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number8;
use crate::xtables::ports::{Side, port_match};
use crate::xtables::setting::{Setting, Style, not};
use crate::xtables::test::{Test, tests, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `tcp dport 80`, `tcp flags syn / fin,syn,rst,ack`, `tcp option maxseg exists`.
pub(super) static TCP: Module = Module::new(
    "tcp",
    &[
        OptionSpec::value(&["sport", "source-port"]),
        OptionSpec::value(&["dport", "destination-port"]),
        OptionSpec::value(&["tcp-option"]),
        OptionSpec::value(&["tcp-flags"]).two_values(),
        OptionSpec::flag(&["syn"]).negatable(),
    ],
    build,
)
.after(&[6], "\"-p tcp\" in the rule")
.read_by(2, read, list);

/// An option of a single byte.
const NOP: u8 = 1;
/// Where the flags are in the header.
const FLAGS: (u32, u32) = (13, 1);
const NAMES: [(&str, u8); 8] = [
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ALL", 0x3f),
    ("NONE", 0),
];

fn build(tcp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    if let (Some(flags), Some(syn)) = (tcp.find("tcp-flags"), tcp.find("syn")) {
        return Err(conflict(syn, flags));
    }
    for given in &tcp.given {
        exprs.extend(match given.spec.name() {
            "sport" => port_match(given, Side::Source, tcp.context)?,
            "dport" => port_match(given, Side::Destination, tcp.context)?,
            "tcp-option" => option_match(given, tcp.context.version)?,
            "syn" => masked(transport(FLAGS), [0x17], given.negated, [0x02]),
            _ => flags_match(given)?,
        });
    }
    Ok(exprs)
}

/// `--tcp-option N`: `tcp option N exists`, `ip frag-off & 8191 == 0 tcp option N missing`. A
/// later fragment has no option, and for iptables it is not without it either.
fn option_match(given: &Given<'_>, version: IpVersion) -> Result<Vec<Expr>, Error> {
    let kind = number8(given.value()).filter(|kind| *kind > 0);
    match kind.ok_or_else(|| given.bad(given.value(), "the number of an option, 1 to 255"))? {
        NOP => Err(given.unsupported(
            "nf_tables does not look for an option in the last byte, where this one may be",
        )),
        kind => {
            let of = Extension { op: ExthdrOp::TcpOption, kind };
            let exists = Exthdr::Exists { of, dreg: REGISTER }.into();
            let mut exprs = match given.negated {
                true => no_later_fragment(version),
                false => Vec::new(),
            };
            exprs.extend(equal(exists, false, [u8::from(!given.negated)]));
            Ok(exprs)
        }
    }
}

/// The number of the option that an expression looks for.
fn option_kind(field: &Expr) -> Option<u8> {
    match field {
        Expr::Exthdr(Exthdr::Exists {
            of: Extension { op: ExthdrOp::TcpOption, kind }, ..
        }) => Some(*kind),
        _ => None,
    }
}

/// `--tcp-flags MASK SET`: of these flags, exactly those.
fn flags_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let (mask, set) = (flags(given, given.value())?, flags(given, given.second())?);
    Ok(masked(transport(FLAGS), [mask], given.negated, [set]))
}

fn flags(given: &Given<'_>, list: &str) -> Result<u8, Error> {
    list.split(',').try_fold(0, |bits, word| {
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let expected = "a list of FIN, SYN, RST, PSH, ACK, URG, ALL, NONE";
        known.map(|(_, bit)| bits | bit).ok_or_else(|| given.bad(list, expected))
    })
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (mut settings, mut is_whole) = (Vec::new(), false);
    for (field, test) in tests(span.exprs)? {
        match test {
            Test::Masked { mask: [mask], negated, value: [set] }
                if transport_field(field) == Some(FLAGS) =>
            {
                let (mask, set) = (flag_names(*mask), flag_names(*set));
                settings.push(Setting::pair("tcp-flags", mask, set).negated(negated));
            }
            test if is_no_later_fragment(field, &test) && !is_whole => is_whole = true,
            Test::Equal { negated: false, value: [there @ (0 | 1)] }
                if option_kind(field).is_some() =>
            {
                let kind = option_kind(field)?.to_string();
                let negated = *there == 0;
                if std::mem::take(&mut is_whole) && !negated {
                    return None;
                }
                settings.push(Setting::new("tcp-option", kind).negated(negated));
            }
            test => settings.extend(port_settings(field, &test)?),
        }
    }
    (!is_whole).then_some(settings)
}

/// `FIN,SYN`, `NONE`; never `ALL`.
fn flag_names(bits: u8) -> String {
    let single = NAMES.iter().filter(|(_, bit)| bit.is_power_of_two() && bits & bit != 0);
    let names: Vec<&str> = single.map(|(name, _)| *name).collect();
    if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
}

/// `tcp dpt:80 flags:0x17/0x02`.
fn list(settings: &[Setting], style: &Style) -> String {
    let flags = |list: &str| {
        let bit = |word: &str| NAMES.iter().find(|(name, _)| *name == word).map_or(0, |(_, b)| *b);
        list.split(',').fold(0, |bits, word| bits | bit(word))
    };
    let option = |setting: &Setting| match setting.values.as_slice() {
        [mask, set] => {
            let not = if setting.negated { "!" } else { "" };
            Some(format!("flags:{not}0x{:02X}/0x{:02X}", flags(mask), flags(set)))
        }
        [kind] if setting.name == "tcp-option" => Some(format!("option={}{kind}", not(setting))),
        _ => list_port(setting, style),
    };
    let options = settings.iter().filter_map(option);
    std::iter::once("tcp".to_owned()).chain(options).collect::<Vec<_>>().join(" ")
}

//! `-m tcp`: ports and flags.

use super::transport::{list_port, port_settings};
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{masked, transport};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::ports::{Side, port_match};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, tests, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `tcp dport 80`, `tcp flags syn / fin,syn,rst,ack`.
pub(super) static TCP: Module = Module::new(
    "tcp",
    &[
        OptionSpec::value(&["sport", "source-port"]),
        OptionSpec::value(&["dport", "destination-port"]),
        OptionSpec::refused(&["tcp-option"], "TCP options are not translated"),
        OptionSpec::value(&["tcp-flags"]).two_values(),
        OptionSpec::flag(&["syn"]).negatable(),
    ],
    build,
)
.after(&[6], "\"-p tcp\" in the rule")
.read_by(2, read, list);

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
            "syn" => masked(transport(FLAGS), [0x17], given.negated, [0x02]),
            _ => flags_match(given)?,
        });
    }
    Ok(exprs)
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
    let mut settings = Vec::new();
    for (field, test) in tests(span.exprs)? {
        match test {
            Test::Masked { mask: [mask], negated, value: [set] }
                if transport_field(field) == Some(FLAGS) =>
            {
                let (mask, set) = (flag_names(*mask), flag_names(*set));
                settings.push(Setting::pair("tcp-flags", mask, set).negated(negated));
            }
            test => settings.extend(port_settings(field, &test)?),
        }
    }
    Some(settings)
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
        _ => list_port(setting, style),
    };
    let options = settings.iter().filter_map(option);
    std::iter::once("tcp".to_owned()).chain(options).collect::<Vec<_>>().join(" ")
}

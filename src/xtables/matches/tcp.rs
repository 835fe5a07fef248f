//! `-m tcp`: ports and flags.

use super::module::{Match, Module, conflict};
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::field::{masked, transport};
use crate::xtables::ports::{Side, port_match};
use crate::xtables::words::{Given, OptionSpec};

/// `tcp dport 80`, `tcp flags syn / fin,syn,rst,ack`.
pub(super) static TCP: Module = Module::new(
    "tcp",
    &[
        OptionSpec::value(&["sport", "source-port"]),
        OptionSpec::value(&["dport", "destination-port"]),
        OptionSpec::value(&["tcp-flags"]).two_values(),
        OptionSpec::flag(&["syn"]).negatable(),
        OptionSpec::refused(&["tcp-option"], "TCP options are not translated"),
    ],
    build,
)
.after(&[6], "\"-p tcp\" in the rule");

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

fn build(tcp: &Match<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    if let (Some(flags), Some(syn)) = (tcp.find("tcp-flags"), tcp.find("syn")) {
        return Err(conflict(syn, flags));
    }
    for given in &tcp.given {
        exprs.extend(match given.spec.name() {
            "sport" => port_match(given, Side::Source)?,
            "dport" => port_match(given, Side::Destination)?,
            "syn" => masked(transport(FLAGS), [0x17], given.negated, [0x02]),
            _ => flags_match(given)?,
        });
    }
    Ok(exprs)
}

/// `--tcp-flags MASK SET`: of these flags, exactly those.
fn flags_match(given: &Given<'_>) -> Result<Vec<Expr>, Error> {
    let (mask, set) = (flags(given, given.value())?, flags(given, given.second())?);
    // Without a flag to look at, either every packet matches or none.
    match (mask, (set == 0) != given.negated) {
        (0, true) => Ok(Vec::new()),
        (0, false) => Err(given.never()),
        (_, _) if set & !mask != 0 && !given.negated => Err(given.never()),
        (mask, _) => Ok(masked(transport(FLAGS), [mask], given.negated, [set])),
    }
}

fn flags(given: &Given<'_>, list: &str) -> Result<u8, Error> {
    list.split(',').try_fold(0, |bits, word| {
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let expected = "a list of FIN, SYN, RST, PSH, ACK, URG, ALL, NONE";
        known.map(|(_, bit)| bits | bit).ok_or_else(|| given.bad(list, expected))
    })
}

//! `-m dccp`: ports and the type of the packet.

use super::conntrack_state::value_of;
use super::transport::{DESTINATION, SOURCE, list_port, port_setting};
use crate::nft::expr::{Bitwise, Lookup};
use crate::nft::{DataType, Expr};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, masked, transport};
use crate::xtables::interval::one_of;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::ports::{Side, port_match};
use crate::xtables::setting::{Setting, Style, not};
use crate::xtables::test::{Test, test, transport_field};
use crate::xtables::words::{Given, OptionSpec};

/// `dccp dport 9000`, `dccp type { request, response }`.
pub(super) static DCCP: Module = Module::new(
    "dccp",
    &[
        SOURCE,
        DESTINATION,
        OptionSpec::value(&["dccp-types"]),
        OptionSpec::refused(&["dccp-option"], "nft 1.0.6 has no words for options of DCCP"),
    ],
    build,
)
.after(&[33], "\"-p dccp\" in the rule")
.noted_by(note)
.read_by(5, read, list);

/// The byte with the type in its bits 1 to 4.
const TYPE: (u32, u32) = (8, 1);
const MASK: u8 = 0x1e;
/// nft's `dccp_pkttype`.
const PACKET_TYPE: DataType = DataType::Other(16, 1);
const NAMES: [(&str, u32); 11] = [
    ("REQUEST", 0),
    ("RESPONSE", 1),
    ("DATA", 2),
    ("ACK", 3),
    ("DATAACK", 4),
    ("CLOSEREQ", 5),
    ("CLOSE", 6),
    ("RESET", 7),
    ("SYNC", 8),
    ("SYNCACK", 9),
    ("INVALID", 10),
];

fn build(dccp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &dccp.given {
        exprs.extend(match given.spec.name() {
            "sport" => port_match(given, Side::Source, dccp.context)?,
            "dport" => port_match(given, Side::Destination, dccp.context)?,
            _ => type_match(given, types(given)?),
        });
    }
    Ok(exprs)
}

fn type_match(given: &Given<'_>, types: u16) -> Vec<Expr> {
    let values: Vec<u8> = (0..16).filter(|kind| types >> kind & 1 != 0).map(|n| n << 1).collect();
    match values.as_slice() {
        [only] => masked(transport(TYPE), [MASK], given.negated, [*only]),
        list => {
            let values = list.iter().map(|value| vec![*value]).collect();
            let mut exprs = one_of(transport(TYPE), given.negated, PACKET_TYPE, values);
            exprs.insert(1, Bitwise::and(REGISTER, vec![MASK]).into());
            exprs
        }
    }
}

fn types(given: &Given<'_>) -> Result<u16, Error> {
    given.value().split(',').try_fold(0, |bits, word| {
        let found = value_of(&NAMES, word);
        let expected = "a list of REQUEST, RESPONSE, DATA, ACK, DATAACK, CLOSEREQ, CLOSE, RESET, \
                        SYNC, SYNCACK, INVALID";
        found.map(|kind| bits | 1 << kind).ok_or_else(|| given.bad(word, expected))
    })
}

/// The types of a list, which is in a set.
fn note(dccp: &Options<'_>) -> Vec<u8> {
    let types = dccp.find("dccp-types").and_then(|given| types(given).ok()).unwrap_or(0);
    if types.count_ones() > 1 { types.to_be_bytes().to_vec() } else { Vec::new() }
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let mut settings = Vec::new();
    let mut rest = span.exprs;
    while !rest.is_empty() {
        if let [field, Expr::Bitwise(_), Expr::Lookup(Lookup { inverted, .. }), behind @ ..] = rest
            && transport_field(field) == Some(TYPE)
        {
            let types = u16::from_be_bytes(span.note.try_into().ok()?);
            settings.push(Setting::new("dccp-types", names(types)).negated(*inverted));
            rest = behind;
            continue;
        }
        let (field, test, taken) = test(rest)?;
        settings.push(match test {
            Test::Masked { mask: [MASK], negated, value: [kind] }
                if transport_field(field) == Some(TYPE) =>
            {
                Setting::new("dccp-types", names(1 << (kind >> 1))).negated(negated)
            }
            test => port_setting(field, &test)?,
        });
        rest = rest.get(taken..)?;
    }
    Some(settings)
}

fn names(types: u16) -> String {
    let names = NAMES.iter().filter(|(_, kind)| types >> kind & 1 != 0).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(",")
}

/// `dccp dpt:9000 0,1`.
fn list(settings: &[Setting], style: &Style) -> String {
    let types = |setting: &Setting| {
        let numbers = setting.value().split(',').filter_map(|word| value_of(&NAMES, word));
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        Some(format!("{}{}", not(setting), numbers.join(",")))
    };
    let words = settings.iter().filter_map(|setting| match setting.name {
        "dccp-types" => types(setting),
        _ => list_port(setting, style),
    });
    std::iter::once("dccp".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

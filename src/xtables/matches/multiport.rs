//! `-m multiport`: lists of ports and ranges.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::module::{Module, NEEDS_PORTS, Options, Span, WITH_PORTS};
use crate::xtables::port_list::{
    Ports, either_port_match, port_list, port_list_match, ports_in, printed,
};
use crate::xtables::ports::{Side, side_of};
use crate::xtables::setting::{Setting, Style, not};
use crate::xtables::test::{Test, only_test};
use crate::xtables::words::OptionSpec;

/// `tcp dport { 80, 90-100 }`; more than iptables' 15 ports are fine.
pub(super) static MULTIPORT: Module = Module::new(
    "multiport",
    &[
        OptionSpec::value(&["sports", "source-ports"]),
        OptionSpec::value(&["dports", "destination-ports"]),
        OptionSpec::value(&["ports"]),
    ],
    build,
)
.after(WITH_PORTS, NEEDS_PORTS)
.noted_by(note)
.read_by(7, read, list);

fn build(multiport: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = multiport.only("--sports, --dports or --ports")?;
    match given.spec.name() {
        "sports" => port_list_match(given, Side::Source, multiport.context),
        "dports" => port_list_match(given, Side::Destination, multiport.context),
        _ => either_port_match(given, multiport.context),
    }
}

/// The list as it was given, which a set does not keep: for each part the first and the last port.
fn note(multiport: &Options<'_>) -> Vec<u8> {
    let Some(given) = multiport.given.first() else { return Vec::new() };
    let bytes = |(first, last): &Ports| [first.to_be_bytes(), last.to_be_bytes()].concat();
    match port_list(given, multiport.context).unwrap_or_default().as_slice() {
        [_] if given.spec.name() != "ports" => Vec::new(),
        list => list.iter().flat_map(bytes).collect(),
    }
}

fn from_note(note: &[u8]) -> Option<Vec<Ports>> {
    let part = |bytes: &[u8]| match *bytes {
        [a, b, c, d] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => None,
    };
    let parts: Option<Vec<Ports>> = note.chunks(4).map(part).collect();
    parts.filter(|parts| !parts.is_empty())
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    if let [source, destination, Expr::Lookup(lookup)] = span.exprs {
        let sides = (side_of(source)?, side_of(destination)?);
        let list = from_note(span.note).filter(|_| sides == (Side::Source, Side::Destination))?;
        return Some(vec![Setting::new("ports", printed(&list)).negated(lookup.inverted)]);
    }
    let (field, test) = only_test(span.exprs)?;
    let name = match side_of(field)? {
        Side::Source => "sports",
        Side::Destination => "dports",
    };
    let port = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
    let (negated, list) = match test {
        Test::Equal { negated, value } => (negated, vec![(port(value)?, port(value)?)]),
        Test::Between { negated, first, last } => (negated, vec![(port(first)?, port(last)?)]),
        Test::In { lookup } if span.note.is_empty() => (lookup.inverted, ports_in(lookup)?),
        Test::In { lookup } => (lookup.inverted, from_note(span.note)?),
        Test::Masked { .. } | Test::Compared { .. } => return None,
    };
    let list = from_note(span.note).unwrap_or(list);
    Some(vec![Setting::new(name, printed(&list)).negated(negated)])
}

/// `multiport dports 80,443`, `multiport sports  !80,443`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let Some(setting) = settings.first() else { return String::new() };
    let blank = if setting.negated { " " } else { "" };
    format!("multiport {} {blank}{}{}", setting.name, not(setting), setting.value())
}

//! `-m udp`, `-m udplite`: ports, and those of other transports.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::ports::{Side, port_match, read_ports};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, tests, transport_field};
use crate::xtables::words::OptionSpec;

pub(super) const SOURCE: OptionSpec = OptionSpec::value(&["sport", "source-port"]);
pub(super) const DESTINATION: OptionSpec = OptionSpec::value(&["dport", "destination-port"]);

/// `udp dport 53`.
pub(super) static UDP: Module = Module::new("udp", &[SOURCE, DESTINATION], build)
    .after(&[17], "\"-p udp\" in the rule")
    .read_by(3, read, |settings, style| list_ports("udp", settings, style));

/// `udplite dport 53`.
pub(super) static UDPLITE: Module = Module::new("udplite", &[SOURCE, DESTINATION], build)
    .after(&[136], "\"-p udplite\" in the rule")
    .read_by(6, read, |settings, style| list_ports("udplite", settings, style));

fn build(ports: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &ports.given {
        let side = match given.spec.name() {
            "sport" => Side::Source,
            _ => Side::Destination,
        };
        exprs.extend(port_match(given, side, ports.context)?);
    }
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let mut settings = Vec::new();
    for (field, test) in tests(span.exprs)? {
        settings.extend(port_settings(field, &test)?);
    }
    Some(settings)
}

/// One port, or both in one comparison of four bytes.
pub(super) fn port_settings(field: &Expr, test: &Test<'_>) -> Option<Vec<Setting>> {
    match test {
        Test::Equal { negated: false, value: [a, b, c, d] }
            if transport_field(field) == Some((0, 4)) =>
        {
            let port = |high, low| u16::from_be_bytes([high, low]).to_string();
            let (source, destination) = (port(*a, *b), port(*c, *d));
            Some(vec![Setting::new("sport", source), Setting::new("dport", destination)])
        }
        test => port_setting(field, test).map(|setting| vec![setting]),
    }
}

/// `--sport` or `--dport`.
pub(super) fn port_setting(field: &Expr, test: &Test<'_>) -> Option<Setting> {
    let (side, negated, ports) = read_ports(field, test)?;
    let name = match side {
        Side::Source => "sport",
        Side::Destination => "dport",
    };
    Some(Setting::new(name, ports).negated(negated))
}

/// `udp dpt:53`.
fn list_ports(name: &str, settings: &[Setting], style: &Style) -> String {
    let ports = settings.iter().filter_map(|setting| list_port(setting, style));
    std::iter::once(name.to_owned()).chain(ports).collect::<Vec<_>>().join(" ")
}

/// `dpt:80`, `spts:!80:90`.
pub(super) fn list_port(setting: &Setting, _style: &Style) -> Option<String> {
    let side = match setting.name {
        "sport" => "spt",
        "dport" => "dpt",
        _ => return None,
    };
    let several = if setting.value().contains(':') { "s" } else { "" };
    let not = if setting.negated { "!" } else { "" };
    Some(format!("{side}{several}:{not}{}", setting.value()))
}

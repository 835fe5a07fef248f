//! `-m udp`, `-m sctp`, `-m dccp`, `-m udplite`: ports of transports other than TCP.

use super::module::{Match, Module};
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::ports::{Side, port_match};
use crate::xtables::words::OptionSpec;

const SOURCE: OptionSpec = OptionSpec::value(&["sport", "source-port"]);
const DESTINATION: OptionSpec = OptionSpec::value(&["dport", "destination-port"]);

/// `udp dport 53`.
pub(super) static UDP: Module =
    Module::new("udp", &[SOURCE, DESTINATION], build).after(&[17], "\"-p udp\" in the rule");

/// `udplite dport 53`.
pub(super) static UDPLITE: Module = Module::new("udplite", &[SOURCE, DESTINATION], build)
    .after(&[136], "\"-p udplite\" in the rule");

/// `sctp dport 9000`.
pub(super) static SCTP: Module = Module::new(
    "sctp",
    &[
        SOURCE,
        DESTINATION,
        OptionSpec::refused(&["chunk-types"], "chunks of SCTP are not translated"),
    ],
    build,
)
.after(&[132], "\"-p sctp\" in the rule");

/// `dccp dport 9000`.
pub(super) static DCCP: Module = Module::new(
    "dccp",
    &[
        SOURCE,
        DESTINATION,
        OptionSpec::refused(&["dccp-types"], "packet types of DCCP are not translated"),
        OptionSpec::refused(&["dccp-option"], "options of DCCP are not translated"),
    ],
    build,
)
.after(&[33], "\"-p dccp\" in the rule");

fn build(ports: &Match<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &ports.given {
        let side = match given.spec.name() {
            "sport" => Side::Source,
            _ => Side::Destination,
        };
        exprs.extend(port_match(given, side)?);
    }
    Ok(exprs)
}

//! `-m multiport`: lists of ports and ranges.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::module::{Module, NEEDS_PORTS, Options, WITH_PORTS};
use crate::xtables::ports::{Side, port_list_match};
use crate::xtables::words::OptionSpec;

/// `tcp dport { 80, 90-100 }`; more than iptables' 15 ports are fine.
pub(super) static MULTIPORT: Module = Module::new(
    "multiport",
    &[
        OptionSpec::value(&["source-ports", "sports"]),
        OptionSpec::value(&["destination-ports", "dports"]),
        OptionSpec::refused(&["ports"], "it means either port, which one rule cannot say"),
    ],
    build,
)
.after(WITH_PORTS, NEEDS_PORTS);

fn build(multiport: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = multiport.only("--sports or --dports")?;
    let side = match given.spec.name() {
        "source-ports" => Side::Source,
        _ => Side::Destination,
    };
    port_list_match(given, side)
}

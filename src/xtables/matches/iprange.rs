//! `-m iprange`: addresses from one to another.

use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, address};
use crate::xtables::field::between;
use crate::xtables::module::{Module, Options};
use crate::xtables::words::OptionSpec;

/// `ip saddr 192.0.2.1-192.0.2.9`.
pub(super) static IPRANGE: Module = Module::new(
    "iprange",
    &[OptionSpec::value(&["src-range"]), OptionSpec::value(&["dst-range"])],
    build,
);

fn build(iprange: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let version = iprange.context.version;
    if iprange.given.is_empty() {
        return Err(iprange.incomplete("--src-range or --dst-range"));
    }
    let mut exprs = Vec::new();
    for given in &iprange.given {
        let side = match given.spec.name() {
            "src-range" => Side::Source,
            _ => Side::Destination,
        };
        let value = given.value();
        let (first, last) = value.split_once('-').unwrap_or((value, value));
        let (first, last) = (address(given, first, version)?, address(given, last, version)?);
        if first > last {
            return Err(given.bad(value, "a range: its first address is above its last"));
        }
        let field = Place::Packet(side).load(version, version.address_len() as u32);
        exprs.extend(between(field, given.negated, first, last));
    }
    Ok(exprs)
}

//! `-m limit`: matches up to a rate.

use crate::nft::Expr;
use crate::nft::expr::{Limit, LimitKind};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options};
use crate::xtables::number::number32;
use crate::xtables::words::{Given, OptionSpec};

/// `limit rate 3/hour burst 5 packets`, which is also the default.
pub(super) static LIMIT: Module = Module::new(
    "limit",
    &[OptionSpec::setting(&["limit"]), OptionSpec::setting(&["limit-burst"])],
    build,
);

/// Units and their seconds; any beginning of the name will do.
const UNITS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)];
/// What xt_limit counts a packet as, and the most packets of a burst.
const SCALE: u64 = 10_000;

fn build(limit: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let (rate, unit) = match limit.find("limit") {
        Some(given) => rate(given)?,
        None => (3, 3_600),
    };
    let burst = match limit.find("limit-burst") {
        Some(given) => number32(given.value())
            .filter(|burst| (1..=10_000).contains(burst))
            .ok_or_else(|| given.bad(given.value(), "a burst: expected 1 to 10000 packets"))?,
        None => 5,
    };
    Ok(vec![Limit { rate, unit, burst, kind: LimitKind::Packets, over: false }.into()])
}

/// `5`, `5/s`, `10/minute`.
fn rate(given: &Given<'_>) -> Result<(u64, u64), Error> {
    let value = given.value();
    let (count, unit) = value.split_once('/').unwrap_or((value, "second"));
    let starts =
        |name: &str| name.get(..unit.len()).is_some_and(|start| start.eq_ignore_ascii_case(unit));
    let seconds = UNITS.iter().find(|(name, _)| !unit.is_empty() && starts(name));
    let count: Option<u64> =
        count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok()).flatten();
    match (count, seconds) {
        (Some(count @ 1..), Some((_, seconds))) if count <= SCALE * seconds => {
            Ok((count, *seconds))
        }
        _ => Err(given.bad(value, "a rate: expected NUMBER/second, /minute, /hour or /day")),
    }
}

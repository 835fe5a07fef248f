//! `-m limit`: matches up to a rate.

use crate::nft::Expr;
use crate::nft::expr::{Limit, LimitKind};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::{Given, OptionSpec};

/// `limit rate 3/hour burst 5 packets`, which is also the default.
pub(super) static LIMIT: Module = Module::new(
    "limit",
    &[OptionSpec::setting(&["limit"]), OptionSpec::setting(&["limit-burst"])],
    build,
)
.read_by(15, read, list);

/// Units, as iptables prints them, and their seconds; any beginning of the name will do.
const UNITS: [(&str, &str, u64); 4] =
    [("second", "sec", 1), ("minute", "min", 60), ("hour", "hour", 3_600), ("day", "day", 86_400)];
const DEFAULT_BURST: u32 = 5;
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
        None => DEFAULT_BURST,
    };
    Ok(vec![Limit { rate, unit, burst, kind: LimitKind::Packets, over: false }.into()])
}

/// `5`, `5/s`, `10/minute`.
fn rate(given: &Given<'_>) -> Result<(u64, u64), Error> {
    let value = given.value();
    let (count, unit) = value.split_once('/').unwrap_or((value, "second"));
    let starts =
        |name: &str| name.get(..unit.len()).is_some_and(|start| start.eq_ignore_ascii_case(unit));
    let seconds = UNITS.iter().find(|(name, _, _)| !unit.is_empty() && starts(name));
    let count: Option<u64> =
        count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok()).flatten();
    match (count, seconds) {
        (Some(count @ 1..), Some((_, _, seconds))) if count <= SCALE * seconds => {
            let (count, _, seconds) = printed(SCALE * seconds / count);
            Ok((count, seconds))
        }
        _ => Err(given.bad(value, "a rate: expected NUMBER/second, /minute, /hour or /day")),
    }
}

/// The rate that a packet's price means, in the unit that iptables prints it in. xt_limit has no
/// other rates than those of whole prices: 3000/second is 3333/second.
fn printed(price: u64) -> (u64, &'static str, u64) {
    let [second, minute, hour, day] = UNITS;
    let mut chosen = day;
    for unit in [hour, minute, second] {
        let (_, _, seconds) = unit;
        let scaled = SCALE * seconds;
        if price > scaled || scaled / price < scaled % price {
            break;
        }
        chosen = unit;
    }
    let (_, name, seconds) = chosen;
    (SCALE * seconds / price, name, seconds)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Limit(Limit { rate: rate @ 1.., unit, burst, kind, over: false })] = span.exprs
    else {
        return None;
    };
    let price = (SCALE * unit).checked_div(*rate).filter(|price| *price > 0)?;
    if *kind != LimitKind::Packets || UNITS.iter().all(|(_, _, seconds)| seconds != unit) {
        return None;
    }
    let (count, name, _) = printed(price);
    let mut settings = vec![Setting::new("limit", format!("{count}/{name}"))];
    if *burst != DEFAULT_BURST {
        settings.push(Setting::new("limit-burst", burst.to_string()));
    }
    Some(settings)
}

/// `limit: avg 3/hour burst 5`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let value = |name| find(settings, name).map(|setting| setting.value().to_owned());
    let burst = value("limit-burst").unwrap_or_else(|| DEFAULT_BURST.to_string());
    format!("limit: avg {} burst {burst}", value("limit").unwrap_or_default())
}

//! `-m ttl`, `-m hl`: how many hops a packet has left.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::CmpOp;
use crate::xtables::Error;
use crate::xtables::field::{compare, network};
use crate::xtables::module::{Module, Options};
use crate::xtables::number::number8;
use crate::xtables::words::OptionSpec;

/// `ip ttl 64`.
pub(super) static TTL: Module = Module::new(
    "ttl",
    &[
        OptionSpec::value(&["ttl-eq", "ttl"]),
        OptionSpec::setting(&["ttl-lt"]),
        OptionSpec::setting(&["ttl-gt"]),
    ],
    |ttl| hops_match(ttl, (8, 1), "one of --ttl-eq, --ttl-lt, --ttl-gt"),
)
.only(IpVersion::V4);

/// `ip6 hoplimit 64`.
pub(super) static HL: Module = Module::new(
    "hl",
    &[
        OptionSpec::value(&["hl-eq", "hl"]),
        OptionSpec::setting(&["hl-lt"]),
        OptionSpec::setting(&["hl-gt"]),
    ],
    |hl| hops_match(hl, (7, 1), "one of --hl-eq, --hl-lt, --hl-gt"),
)
.only(IpVersion::V6);

fn hops_match(
    hops: &Options<'_>,
    field: (u32, u32),
    needs: &'static str,
) -> Result<Vec<Expr>, Error> {
    let given = hops.only(needs)?;
    let expected = "a number of hops, 0 to 255";
    let number = number8(given.value()).ok_or_else(|| given.bad(given.value(), expected))?;
    let op = match (given.spec.name(), number) {
        ("ttl-lt" | "hl-lt", 0) | ("ttl-gt" | "hl-gt", 255) => return Err(given.never()),
        ("ttl-lt" | "hl-lt", _) => CmpOp::Lt,
        ("ttl-gt" | "hl-gt", _) => CmpOp::Gt,
        _ if given.negated => CmpOp::Neq,
        _ => CmpOp::Eq,
    };
    Ok(vec![network(field), compare(op, [number])])
}

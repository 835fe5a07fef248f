//! `-m rpfilter`: whether an answer would leave where the packet came in. In prerouting only.

use crate::nft::Expr;
use crate::nft::expr::{Fib, FibResult};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::module::{Module, Options};
use crate::xtables::words::OptionSpec;

/// `fib saddr . iif oif != 0`; with `--invert`, `fib saddr . iif oif 0`.
pub(super) static RPFILTER: Module = Module::new(
    "rpfilter",
    &[
        OptionSpec::flag(&["loose"]),
        OptionSpec::flag(&["validmark"]),
        OptionSpec::flag(&["invert"]),
        OptionSpec::refused(&["accept-local"], "the fib expression has no flag for it"),
    ],
    build,
);

fn build(rpfilter: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let flag = |name, flag| if rpfilter.find(name).is_some() { flag } else { 0 };
    let interface = Fib::IIF ^ flag("loose", Fib::IIF);
    let flags = Fib::SADDR | interface | flag("validmark", Fib::MARK);
    let fib = Fib { dreg: REGISTER, result: FibResult::Oif, flags };
    Ok(equal(fib.into(), rpfilter.find("invert").is_none(), 0_u32.to_ne_bytes()))
}

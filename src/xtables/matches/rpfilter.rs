//! `-m rpfilter`: whether an answer would leave where the packet came in. In prerouting only.

use crate::nft::Expr;
use crate::nft::expr::{Fib, FibResult};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::Setting;
use crate::xtables::test::{Test, only_test};
use crate::xtables::words::OptionSpec;

/// `fib saddr . iif oif != 0`; with `--invert`, `fib saddr . iif oif 0`.
pub(super) static RPFILTER: Module = Module::new(
    "rpfilter",
    &[
        OptionSpec::flag(&["loose"]),
        OptionSpec::flag(&["validmark"]),
        OptionSpec::refused(&["accept-local"], "the fib expression has no flag for it"),
        OptionSpec::flag(&["invert"]),
    ],
    build,
)
.read_by(24, read, |settings, _| {
    let flags = settings.iter().map(|setting| setting.name);
    std::iter::once("rpfilter").chain(flags).collect::<Vec<_>>().join(" ")
});

fn build(rpfilter: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let flag = |name, flag| if rpfilter.find(name).is_some() { flag } else { 0 };
    let interface = Fib::IIF ^ flag("loose", Fib::IIF);
    let flags = Fib::SADDR | interface | flag("validmark", Fib::MARK);
    let fib = Fib { dreg: REGISTER, result: FibResult::Oif, flags };
    Ok(equal(fib.into(), rpfilter.find("invert").is_none(), 0_u32.to_ne_bytes()))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (field, test) = only_test(span.exprs)?;
    let Expr::Fib(Fib { result: FibResult::Oif, flags, .. }) = field else { return None };
    let Test::Equal { negated, value: [0, 0, 0, 0] } = test else { return None };
    if flags & !(Fib::IIF | Fib::MARK) != Fib::SADDR {
        return None;
    }
    let given = [
        ("loose", flags & Fib::IIF == 0),
        ("validmark", flags & Fib::MARK != 0),
        ("invert", !negated),
    ];
    let given = given.iter().filter(|(_, is_given)| *is_given);
    Some(given.map(|(name, _)| Setting::flag(name)).collect())
}

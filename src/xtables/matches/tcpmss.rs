//! `-m tcpmss`: the largest segment that the sender of a SYN offers.

use super::span::{in_range, read_ends, text};
use crate::nft::Expr;
use crate::nft::expr::Exthdr;
use crate::xtables::Error;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options};
use crate::xtables::setting::Setting;
use crate::xtables::test::test;
use crate::xtables::words::OptionSpec;

/// `tcp option maxseg size 1000-1400`.
pub(super) static TCPMSS: Module = Module::new("tcpmss", &[OptionSpec::value(&["mss"])], build)
    .after(&[6], "\"-p tcp\" in the rule")
    .read_by(
        67,
        |span| {
            let (field, test, taken) = test(span.exprs)?;
            let (negated, ends) = read_ends(&test)?;
            let ours = *field == load() && !negated && taken == span.exprs.len();
            ours.then(|| vec![Setting::new("mss", text(ends))])
        },
        |settings, _| settings.iter().map(|mss| format!("tcpmss match {}", mss.value())).collect(),
    );

fn load() -> Expr {
    let (offset, len) = Exthdr::MAXSEG_SIZE;
    Exthdr::Load { of: Exthdr::MAXSEG, offset, len, dreg: REGISTER }.into()
}

fn build(tcpmss: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = tcpmss.need("mss", "--mss")?;
    if given.negated {
        return Err(given.unsupported(
            "negated it means packets without this option of TCP too, and nf_tables has nothing \
             to compare for those",
        ));
    }
    in_range(given, load(), 2)
}

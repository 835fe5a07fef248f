//! `-m statistic`: some of the packets, at random or every so many.

use crate::nft::Expr;
use crate::nft::expr::{Bitwise, CmpOp, MetaKey, Numgen, NumgenKind};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, compare, equal, meta};
use crate::xtables::module::{Module, Options, conflict};
use crate::xtables::number::number32;
use crate::xtables::words::OptionSpec;

/// `meta random & 2147483647 < 1073741824`, `numgen inc mod 3 0`.
pub(super) static STATISTIC: Module = Module::new(
    "statistic",
    &[
        OptionSpec::setting(&["mode"]),
        OptionSpec::value(&["probability"]),
        OptionSpec::value(&["every"]),
        OptionSpec::setting(&["packet"]),
    ],
    build,
);

fn build(statistic: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mode = statistic.need("mode", "--mode random or --mode nth")?;
    match mode.value() {
        "random" => match statistic.find("every").or(statistic.find("packet")) {
            Some(other) => Err(conflict(other, mode)),
            None => random(statistic),
        },
        "nth" => match statistic.find("probability") {
            Some(other) => Err(conflict(other, mode)),
            None => nth(statistic),
        },
        other => Err(mode.bad(other, "random or nth")),
    }
}

/// As the kernel does in xt_statistic: 31 random bits below the probability.
fn random(statistic: &Options<'_>) -> Result<Vec<Expr>, Error> {
    const ONE: f64 = 2_147_483_648.0;
    let given = statistic.need("probability", "--probability with --mode random")?;
    let probability: Option<f64> = given.value().parse().ok();
    let probability = probability
        .filter(|probability| (0.0..=1.0).contains(probability))
        .ok_or_else(|| given.bad(given.value(), "a probability, 0 to 1"))?;
    // In range: at most 2^31.
    let bound = (probability * ONE).round() as u32;
    let op = if given.negated { CmpOp::Gte } else { CmpOp::Lt };
    let mask = Bitwise::and(REGISTER, 0x7fff_ffff_u32.to_be_bytes().to_vec());
    Ok(vec![meta(MetaKey::Prandom), mask.into(), compare(op, bound.to_be_bytes())])
}

/// Counts from 0; `--packet 1` is the second of every so many.
fn nth(statistic: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = statistic.need("every", "--every with --mode nth")?;
    let every = number32(given.value())
        .filter(|every| *every > 0)
        .ok_or_else(|| given.bad(given.value(), "a number of packets, 1 or more"))?;
    let packet = match statistic.find("packet") {
        Some(given) => number32(given.value())
            .filter(|packet| *packet < every)
            .ok_or_else(|| given.bad(given.value(), "a number below that of --every"))?,
        None => 0,
    };
    let numgen =
        Numgen { dreg: REGISTER, modulus: every, kind: NumgenKind::Incremental, offset: 0 };
    Ok(equal(numgen.into(), given.negated, packet.to_ne_bytes()))
}

//! `-m statistic`: some of the packets, at random or every so many.

use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Cmp, CmpOp, MetaKey, Numgen, NumgenKind};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, compare, equal, meta};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, host_u32, is_meta, network_u32, only_test};
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
)
.read_by(25, read, list);

/// The probability 1 in xt_statistic.
const ONE: f64 = 2_147_483_648.0;
const MASK: [u8; 4] = 0x7fff_ffff_u32.to_be_bytes();

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
    let given = statistic.need("probability", "--probability with --mode random")?;
    let probability: Option<f64> = given.value().parse().ok();
    let probability = probability
        .filter(|probability| (0.0..=1.0).contains(probability))
        .ok_or_else(|| given.bad(given.value(), "a probability, 0 to 1"))?;
    // In range: at most 2^31.
    let bound = (probability * ONE).round() as u32;
    let op = if given.negated { CmpOp::Gte } else { CmpOp::Lt };
    let mask = Bitwise::and(REGISTER, MASK.to_vec());
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

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    if let [field, Expr::Bitwise(Bitwise { op, .. }), Expr::Cmp(Cmp { op: sign, data, .. })] =
        span.exprs
    {
        let BitwiseOp::MaskXor { mask, xor } = op else { return None };
        let negated = match sign {
            CmpOp::Lt => false,
            CmpOp::Gte => true,
            _ => return None,
        };
        let plain = *mask == MASK && xor.iter().all(|byte| *byte == 0);
        let probability = f64::from(network_u32(data)?) / ONE;
        return (is_meta(field, MetaKey::Prandom) && plain).then(|| {
            let probability = Setting::new("probability", format!("{probability:.11}"));
            vec![Setting::new("mode", "random"), probability.negated(negated)]
        });
    }
    let (Expr::Numgen(Numgen { modulus, kind: NumgenKind::Incremental, offset: 0, .. }), test) =
        only_test(span.exprs)?
    else {
        return None;
    };
    let Test::Equal { negated, value } = test else { return None };
    Some(vec![
        Setting::new("mode", "nth"),
        Setting::new("every", modulus.to_string()).negated(negated),
        Setting::new("packet", host_u32(value)?.to_string()),
    ])
}

/// `statistic mode nth ! every 4 packet 2`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let text = |setting: &Setting| {
        let not = if setting.negated { " !" } else { "" };
        format!("{not} {} {}", setting.name, setting.value())
    };
    format!("statistic{}", settings.iter().map(text).collect::<String>())
}

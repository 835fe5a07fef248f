//! `-m helper` and `-m connlabel`: what connection tracking notes of a flow.

use crate::nft::Expr;
use crate::nft::expr::{Bitwise, BitwiseOp, Cmp, CmpOp, CtKey};
use crate::xtables::Error;
use crate::xtables::field::{ct, equal, masked};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::Setting;
use crate::xtables::words::OptionSpec;

/// `ct helper "ftp"`: the flow was opened by one with this helper.
pub(super) static HELPER: Module = Module::new(
    "helper",
    &[OptionSpec::value(&["helper"])],
    build_helper,
)
.read_by(63, read_helper, |settings, _| {
    settings.iter().map(|name| format!("helper match \"{}\"", name.value())).collect()
});

/// `ct label 3`
pub(super) static CONNLABEL: Module = Module::new(
    "connlabel",
    &[
        OptionSpec::value(&["label"]),
        OptionSpec::refused(
            &["set"],
            "a rule that sets a label goes on for packets without a flow too",
        ),
    ],
    build_label,
)
.read_by(62, read_label, |settings, _| {
    settings.iter().map(|label| format!("connlabel {}", label.value())).collect()
});

const WITHOUT_FLOW: &str = "negated it means packets without such a flow too, and nf_tables has \
                            nothing to compare for those";
/// How long names of helpers are, with the zero at the end.
const NAME: usize = 16;
/// Bits of a flow.
const LABELS: u8 = 128;

fn build_helper(helper: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = helper.need("helper", "--helper")?;
    let name = given.value();
    if given.negated {
        return Err(given.unsupported(WITHOUT_FLOW));
    }
    if name.is_empty() {
        return Err(given.unsupported("any helper is no name to compare with"));
    }
    if name.len() >= NAME {
        return Err(given.bad(name, "the name of a helper: it has more than 15 bytes"));
    }
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(NAME, 0);
    Ok(equal(ct(CtKey::Helper), false, bytes))
}

fn read_helper(span: &Span<'_>) -> Option<Vec<Setting>> {
    match span.exprs {
        [load, Expr::Cmp(Cmp { op: CmpOp::Eq, data, .. })] if *load == ct(CtKey::Helper) => {
            let name = data.split(|byte| *byte == 0).next()?;
            Some(vec![Setting::new("helper", std::str::from_utf8(name).ok()?)])
        }
        _ => None,
    }
}

/// As nft does, of all labels the one bit is looked at.
fn build_label(label: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = label.need("label", "--label")?;
    if given.negated {
        return Err(given.unsupported(WITHOUT_FLOW));
    }
    let bit = number8(given.value()).filter(|bit| *bit < LABELS).ok_or_else(|| {
        given.bad(given.value(), "a label: expected 0 to 127 (names of labels are not looked up)")
    })?;
    let mask = (1_u128 << bit).to_le_bytes();
    Ok(masked(ct(CtKey::Labels), mask, true, [0; 16]))
}

fn read_label(span: &Span<'_>) -> Option<Vec<Setting>> {
    match span.exprs {
        [
            load,
            Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, .. }, .. }),
            Expr::Cmp(Cmp { op: CmpOp::Neq, data, .. }),
        ] if *load == ct(CtKey::Labels) && data.iter().all(|byte| *byte == 0) => {
            let bits = u128::from_le_bytes(mask.as_slice().try_into().ok()?);
            let single = bits.is_power_of_two();
            single.then(|| vec![Setting::new("label", bits.trailing_zeros().to_string())])
        }
        _ => None,
    }
}

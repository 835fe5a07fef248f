//! `-j NOTRACK` and `-j CT`: what connection tracking is to do with a packet it has not seen yet.

use crate::nft::Expr;
use crate::nft::expr::{Ct, CtDirection, CtKey, Immediate, Notrack};
use crate::xtables::Error;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::number::number16;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// Why options of a flow that does not exist yet are refused.
const NO_FLOW: &str = "nf_tables gives a flow its properties after connection tracking has made it; \
                       in the raw table there is no flow yet, and the rule would do nothing";

/// `notrack`
pub(super) static NOTRACK: Module = Module::new("NOTRACK", &[], |_| Ok(vec![Notrack.into()]))
    .read_by(
        140,
        |span| matches!(span.exprs, [Expr::Notrack(_)]).then(Vec::new),
        |_, _| "NOTRACK".to_owned(),
    );

/// `notrack`, `ct zone set 3`, `ct original zone set 3`.
pub(super) static CT: Module = Module::new(
    "CT",
    &[
        OptionSpec::flag(&["notrack"]),
        OptionSpec::setting(&["zone"]),
        OptionSpec::setting(&["zone-orig"]),
        OptionSpec::setting(&["zone-reply"]),
        OptionSpec::refused(&["helper"], NO_FLOW),
        OptionSpec::refused(&["timeout"], NO_FLOW),
        OptionSpec::refused(&["ctevents"], NO_FLOW),
        OptionSpec::refused(&["expevents"], NO_FLOW),
    ],
    build,
)
.read_by(141, read, list);

fn build(ct: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = match ct.given.as_slice() {
        [] => return Err(ct.incomplete("--notrack, --zone, --zone-orig or --zone-reply")),
        [only] => only,
        // A zone for each direction would need two templates.
        [first, second, ..] => return Err(conflict(second, first)),
    };
    let direction = match given.spec.name() {
        "notrack" => return Ok(vec![Notrack.into()]),
        "zone-orig" => Some(CtDirection::Original),
        "zone-reply" => Some(CtDirection::Reply),
        _ => None,
    };
    if given.value() == "mark" {
        return Err(given.unsupported("a mark has 32 bits and a zone has 16"));
    }
    let zone = number16(given.value())
        .ok_or_else(|| given.bad(given.value(), "a zone: expected 0 to 65535"))?;
    Ok(vec![
        Immediate::value(REGISTER, zone.to_ne_bytes()).into(),
        Ct::Set { key: CtKey::Zone, direction, sreg: REGISTER }.into(),
    ])
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let setting = match span.exprs {
        [Expr::Notrack(_)] => Setting::flag("notrack"),
        [
            Expr::Immediate(Immediate::Value { dreg, data }),
            Expr::Ct(Ct::Set { key: CtKey::Zone, direction, sreg }),
        ] if dreg == sreg => {
            let name = match direction {
                None => "zone",
                Some(CtDirection::Original) => "zone-orig",
                Some(CtDirection::Reply) => "zone-reply",
                Some(CtDirection::Other(_)) => return None,
            };
            let zone = u16::from_ne_bytes(data.get(..2)?.try_into().ok()?);
            Setting::new(name, zone.to_string())
        }
        _ => return None,
    };
    Some(vec![setting])
}

/// `CT notrack`, `CT zone 3`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let words = settings.iter().map(|setting| match setting.values.as_slice() {
        [zone, ..] => format!("CT {} {zone}", setting.name),
        [] => format!("CT {}", setting.name),
    });
    words.collect::<Vec<_>>().join(" ")
}

//! `-j TEE`: a copy of the packet to another host of the link.

use crate::nft::Expr;
use crate::nft::expr::{Dup, Immediate};
use crate::xtables::Error;
use crate::xtables::base_read::to_ip;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// `dup to 192.0.2.9`
pub(super) static TEE: Module = Module::new(
    "TEE",
    &[
        OptionSpec::setting(&["gateway"]),
        OptionSpec::refused(
            &["oif"],
            "nf_tables takes the number of the interface, which another gets when it is made anew",
        ),
    ],
    build,
)
.read_by(151, read, list);

fn build(tee: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = tee.need("gateway", "--gateway")?;
    let address = crate::xtables::address::address(given, given.value(), tee.context.version)?;
    if address.iter().all(|byte| *byte == 0) {
        return Err(given.bad(given.value(), "the address of a host"));
    }
    Ok(vec![
        Immediate::value(REGISTER, address).into(),
        Dup { address: Some(REGISTER), device: None }.into(),
    ])
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    match span.exprs {
        [
            Expr::Immediate(Immediate::Value { dreg, data }),
            Expr::Dup(Dup { address: Some(address), device: None }),
        ] if dreg == address => Some(vec![Setting::new("gateway", to_ip(data)?.to_string())]),
        _ => None,
    }
}

/// `TEE gw:192.0.2.9`
fn list(settings: &[Setting], _style: &Style) -> String {
    settings.iter().map(|gateway| format!("TEE gw:{}", gateway.value())).collect()
}

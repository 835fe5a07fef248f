//! `-j MASQUERADE`: the source becomes the address of the outgoing interface.

use super::nat::{flags_of, port_exprs, ports_of, read_flags, read_ports};
use crate::nft::Expr;
use crate::nft::expr::Masquerade;
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::OptionSpec;

/// `masquerade`, `masquerade to :1024-65535 fully-random`.
pub(super) static MASQUERADE: Module = Module::new(
    "MASQUERADE",
    &[
        OptionSpec::setting(&["to-ports"]).of_ports(),
        OptionSpec::flag(&["random"]),
        OptionSpec::flag(&["random-fully"]),
    ],
    build,
)
.read_by(131, read, list);

fn build(masquerade: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let ports = masquerade.find("to-ports").map(ports_of).transpose()?;
    let (mut exprs, proto_min, proto_max) = port_exprs(ports, 0);
    let flags = flags_of(masquerade, ports.is_some());
    exprs.push(Masquerade { flags, proto_min, proto_max }.into());
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (Expr::Masquerade(masquerade), constants) = span.exprs.split_last()? else { return None };
    let ports = read_ports(constants, masquerade.proto_min, masquerade.proto_max)?;
    let mut settings = Vec::new();
    settings.extend(ports.map(|ports| Setting::new("to-ports", ports)));
    settings.extend(read_flags(masquerade.flags));
    Some(settings)
}

fn list(settings: &[Setting], _style: &Style) -> String {
    let mut words = Vec::new();
    words.extend(find(settings, "to-ports").map(|ports| format!("masq ports: {}", ports.value())));
    words.extend(find(settings, "random").map(|_| "random".to_owned()));
    words.extend(find(settings, "random-fully").map(|_| "random-fully".to_owned()));
    words.join(" ")
}

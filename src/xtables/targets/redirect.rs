//! `-j REDIRECT`: the destination becomes this host.

use super::nat::{flags_of, port_exprs, ports_of, read_flags, read_ports};
use crate::nft::Expr;
use crate::nft::expr::Redirect;
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// `redirect`, `redirect to :8080-8090 random`.
pub(super) static REDIRECT: Module = Module::new(
    "REDIRECT",
    &[OptionSpec::setting(&["to-ports"]).of_ports(), OptionSpec::flag(&["random"])],
    build,
)
.read_by(137, read, list);

fn build(redirect: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let ports = redirect.find("to-ports").map(ports_of).transpose()?;
    let (mut exprs, proto_min, proto_max) = port_exprs(ports, 0);
    let flags = flags_of(redirect, ports.is_some());
    exprs.push(Redirect { proto_min, proto_max, flags }.into());
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (Expr::Redirect(redirect), constants) = span.exprs.split_last()? else { return None };
    let ports = read_ports(constants, redirect.proto_min, redirect.proto_max)?;
    let mut settings = Vec::new();
    settings.extend(ports.map(|ports| Setting::new("to-ports", ports)));
    settings.extend(read_flags(redirect.flags));
    Some(settings)
}

/// `redir ports 80 random`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let words = settings.iter().map(|setting| match setting.values.as_slice() {
        [ports, ..] => format!("redir ports {ports}"),
        [] => setting.name.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

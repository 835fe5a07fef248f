//! `-m owner`: the user or group of the sending process, in output and postrouting only.

use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{between_u32, meta};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, host_u32, is_meta, network_u32, tests};
use crate::xtables::words::OptionSpec;

/// `meta skuid 1000`, `meta skgid 1000-1999`.
pub(super) static OWNER: Module = Module::new(
    "owner",
    &[
        OptionSpec::refused(
            &["socket-exists"],
            "nftables does not see the kernel's own sockets, which have no user",
        ),
        OptionSpec::value(&["uid-owner"]),
        OptionSpec::value(&["gid-owner"]),
        OptionSpec::refused(&["suppl-groups"], "nftables does not see further groups"),
    ],
    build,
)
.read_by(22, read, list);

fn build(owner: &Options<'_>) -> Result<Vec<Expr>, Error> {
    if owner.given.is_empty() {
        return Err(owner.incomplete("--uid-owner or --gid-owner"));
    }
    let mut exprs = Vec::new();
    for given in &owner.given {
        if given.negated {
            return Err(given.unsupported(
                "negated, it also matches packets without a socket, which nftables cannot say",
            ));
        }
        let key = match given.spec.name() {
            "uid-owner" => MetaKey::Skuid,
            _ => MetaKey::Skgid,
        };
        let value = given.value();
        let bad = || given.bad(value, "a number or a range (names are not looked up)");
        let (first, last) = value.split_once('-').unwrap_or((value, value));
        let first = number32(first).ok_or_else(bad)?;
        let last = number32(last).filter(|last| *last >= first).ok_or_else(bad)?;
        exprs.extend(between_u32(meta(key), false, first, last));
    }
    Ok(exprs)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let owner = |(field, test): &(&Expr, Test<'_>)| {
        let name = match field {
            field if is_meta(field, MetaKey::Skuid) => "uid-owner",
            field if is_meta(field, MetaKey::Skgid) => "gid-owner",
            _ => return None,
        };
        let value = match test {
            Test::Equal { negated: false, value } => host_u32(value)?.to_string(),
            Test::Between { negated: false, first, last } => {
                format!("{}-{}", network_u32(first)?, network_u32(last)?)
            }
            // Negated in iptables would also mean packets without a socket.
            _ => return None,
        };
        Some(Setting::new(name, value))
    };
    let tests = tests(span.exprs)?;
    (!tests.is_empty()).then(|| tests.iter().map(owner).collect())?
}

/// `owner UID match 0-65534`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let text = |setting: &Setting| {
        let kind = if setting.name == "uid-owner" { "UID" } else { "GID" };
        format!("owner {kind} match {}", setting.value())
    };
    settings.iter().map(text).collect::<Vec<_>>().join(" ")
}

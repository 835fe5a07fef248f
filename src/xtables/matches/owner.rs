//! `-m owner`: the user or group of the sending process, in output and postrouting only.

use crate::nft::Expr;
use crate::nft::expr::MetaKey;
use crate::xtables::Error;
use crate::xtables::field::{between_u32, meta};
use crate::xtables::module::{Module, Options};
use crate::xtables::number::number32;
use crate::xtables::words::OptionSpec;

/// `meta skuid 1000`, `meta skgid 1000-1999`.
pub(super) static OWNER: Module = Module::new(
    "owner",
    &[
        OptionSpec::value(&["uid-owner"]),
        OptionSpec::value(&["gid-owner"]),
        OptionSpec::refused(&["socket-exists"], "sockets are not translated"),
        OptionSpec::refused(&["suppl-groups"], "nftables does not see further groups"),
    ],
    build,
);

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

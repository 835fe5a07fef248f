//! `-m socket` and `-m osf`: what takes a packet here, and what sent it.

use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Osf, Socket, SocketKey};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::{Test, tests};
use crate::xtables::words::OptionSpec;

/// `socket transparent 1`
pub(super) static SOCKET: Module = Module::new(
    "socket",
    &[
        OptionSpec::flag(&["transparent"]),
        OptionSpec::flag(&["nowildcard"]),
        OptionSpec::refused(
            &["restore-skmark"],
            "a match that changes the packet is none in nf_tables",
        ),
    ],
    build_socket,
)
.read_by(65, read_socket, |_, _| "socket --transparent --nowildcard".to_owned());

/// Both are needed: of a socket that is being opened or closed nf_tables does not tell whether it
/// listens on any address, and without `--nowildcard` iptables takes those and leaves listeners.
fn build_socket(socket: &Options<'_>) -> Result<Vec<Expr>, Error> {
    match (socket.find("transparent"), socket.find("nowildcard")) {
        (Some(_), Some(_)) => Ok(equal(transparent(), false, [1])),
        (Some(_), None) => Err(Error::UnsupportedMatch {
            name: socket.name.to_owned(),
            reason: "nf_tables does not tell of a socket that is being opened or closed whether \
                     it listens on any address: use --transparent with --nowildcard",
        }),
        (None, _) => Err(Error::UnsupportedMatch {
            name: socket.name.to_owned(),
            reason: "nf_tables asks what a socket is, not whether there is one: use --transparent \
                     with --nowildcard",
        }),
    }
}

fn transparent() -> Expr {
    Socket { key: SocketKey::Transparent, dreg: REGISTER, level: None }.into()
}

fn read_socket(span: &Span<'_>) -> Option<Vec<Setting>> {
    match tests(span.exprs)?.as_slice() {
        [(field, Test::Equal { negated: false, value: [1] })] if **field == transparent() => {
            Some(vec![Setting::flag("transparent"), Setting::flag("nowildcard")])
        }
        _ => None,
    }
}

/// `osf name "Linux"`, `osf ttl loose name "Linux"`; negated `osf name != "unknown" osf name !=
/// "Linux"`, since xt_osf takes no packet that no fingerprint is like; fingerprints are loaded with nfnl_osf(8).
pub(super) static OSF: Module = Module::new(
    "osf",
    &[
        OptionSpec::value(&["genre"]),
        OptionSpec::setting(&["ttl"]),
        OptionSpec::refused(&["log"], "nf_tables does not log what it compares with"),
    ],
    build_osf,
)
.after(&[6], "\"-p tcp\" in the rule")
.only(IpVersion::V4)
// That a TTL was asked for that is the default.
.noted_by(|osf| if osf.find("ttl").is_some() { vec![1] } else { Vec::new() })
.read_by(83, read_osf, list_osf);

/// How long a name of a system is, with the zero at the end.
const NAME: usize = 16;

/// What the kernel calls a system that no fingerprint is like.
const UNKNOWN: &str = "unknown";

fn build_osf(osf: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = osf.need("genre", "--genre")?;
    let ttl = match osf.find("ttl") {
        None => 0,
        Some(ttl) => number8(ttl.value())
            .filter(|ttl| *ttl < 3)
            .ok_or_else(|| ttl.bad(ttl.value(), "a number, 0 to 2"))?,
    };
    let name = given.value();
    if name.len() >= NAME {
        return Err(given.unsupported("nf_tables compares names of up to 15 bytes"));
    }
    let named = |name: &str| {
        let mut bytes = name.as_bytes().to_vec();
        bytes.resize(NAME, 0);
        let load = Osf { dreg: REGISTER, ttl, version: false };
        equal(load.into(), given.negated, bytes)
    };
    let known = if given.negated { named(UNKNOWN) } else { Vec::new() };
    Ok([known, named(name)].concat())
}

fn read_osf(span: &Span<'_>) -> Option<Vec<Setting>> {
    let name = |value: &[u8]| -> Option<String> {
        Some(std::str::from_utf8(value.split(|byte| *byte == 0).next()?).ok()?.to_owned())
    };
    let all = tests(span.exprs)?;
    let (rest, last) = all.split_last().map(|(last, rest)| (rest, last))?;
    let (Expr::Osf(Osf { ttl, version: false, .. }), Test::Equal { negated, value }) = last else {
        return None;
    };
    let known = match (negated, rest) {
        (false, []) => true,
        (true, [(load, Test::Equal { negated: true, value })]) => {
            *load == last.0 && name(value)? == UNKNOWN
        }
        _ => false,
    };
    if !known {
        return None;
    }
    let mut settings = vec![Setting::new("genre", name(value)?).negated(*negated)];
    if *ttl != 0 || !span.note.is_empty() {
        settings.push(Setting::new("ttl", ttl.to_string()));
    }
    Some(settings)
}

/// `OS fingerprint match ! Linux`.
fn list_osf(settings: &[Setting], _style: &Style) -> String {
    let Some(genre) = find(settings, "genre") else { return String::new() };
    let not = if genre.negated { "! " } else { "" };
    format!("OS fingerprint match {not}{}", genre.value())
}

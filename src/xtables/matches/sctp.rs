//! `-m sctp`: ports, and chunks by their being there.

use super::fragment::{is_no_later_fragment, no_later_fragment};
use super::transport::{DESTINATION, SOURCE, list_port, port_settings};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::{Extension, Exthdr, ExthdrOp};
use crate::xtables::Error;
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::ports::{Side, port_match};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::test::{Test, tests};
use crate::xtables::words::{Given, OptionSpec};

/// `sctp dport 9000`, `sctp chunk init exists`.
pub(super) static SCTP: Module = Module::new(
    "sctp",
    &[SOURCE, DESTINATION, OptionSpec::value(&["chunk-types"]).two_values()],
    build,
)
.after(&[132], "\"-p sctp\" in the rule")
.noted_by(note)
.read_by(4, read, list);

/// The chunks that nft 1.0.6 has words for.
const CHUNKS: [(&str, u8); 18] = [
    ("DATA", 0),
    ("INIT", 1),
    ("INIT_ACK", 2),
    ("SACK", 3),
    ("HEARTBEAT", 4),
    ("HEARTBEAT_ACK", 5),
    ("ABORT", 6),
    ("SHUTDOWN", 7),
    ("SHUTDOWN_ACK", 8),
    ("ERROR", 9),
    ("COOKIE_ECHO", 10),
    ("COOKIE_ACK", 11),
    ("ECN_ECNE", 12),
    ("ECN_CWR", 13),
    ("SHUTDOWN_COMPLETE", 14),
    ("ASCONF_ACK", 128),
    ("FORWARD_TSN", 192),
    ("ASCONF", 193),
];

/// Which of the listed chunks are to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    All,
}

impl Wanted {
    fn name(self) -> &'static str {
        match self {
            Wanted::Any => "any",
            Wanted::All => "all",
        }
    }
}

fn build(sctp: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let mut exprs = Vec::new();
    for given in &sctp.given {
        exprs.extend(match given.spec.name() {
            "sport" => port_match(given, Side::Source, sctp.context)?,
            "dport" => port_match(given, Side::Destination, sctp.context)?,
            _ => chunks_match(given, sctp.context.version)?,
        });
    }
    Ok(exprs)
}

/// `--chunk-types all INIT`: `ip frag-off & 8191 == 0 sctp chunk init exists`. A later fragment
/// has no chunks, though it may look so; for iptables it is not without them either.
fn chunks_match(given: &Given<'_>, version: IpVersion) -> Result<Vec<Expr>, Error> {
    let wanted = wanted(given)?;
    let kinds = kinds(given)?;
    match (kinds.len(), wanted, given.negated) {
        (1, _, _) | (_, Wanted::All, false) | (_, Wanted::Any, true) => {}
        (_, Wanted::All, true) | (_, Wanted::Any, false) => {
            return Err(
                given.unsupported("one rule cannot say that one of several chunks is there")
            );
        }
    }
    let mut exprs = no_later_fragment(version);
    for kind in kinds {
        let of = Extension { op: ExthdrOp::SctpChunk, kind };
        let exists = Exthdr::Exists { of, dreg: REGISTER }.into();
        exprs.extend(equal(exists, false, [u8::from(!given.negated)]));
    }
    Ok(exprs)
}

fn wanted(given: &Given<'_>) -> Result<Wanted, Error> {
    let is = |name: &str| given.value().eq_ignore_ascii_case(name);
    if is("only") {
        return Err(given.unsupported("nf_tables does not look for all other chunks"));
    }
    let found = [Wanted::Any, Wanted::All].into_iter().find(|wanted| is(wanted.name()));
    found.ok_or_else(|| given.bad(given.value(), "any, all or only"))
}

/// The chunks of a list, in their order.
fn kinds(given: &Given<'_>) -> Result<Vec<u8>, Error> {
    let kind = |word: &str| {
        let found = CHUNKS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let (word, value) = (given.word.to_owned(), word.to_owned());
            let reason = "it looks for chunks that nft has names for, without their flags";
            Error::UnsupportedValue { word, value, reason }
        })
    };
    let mut kinds: Vec<u8> = given.second().split(',').map(kind).collect::<Result<_, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// Whether any or all: of a single chunk the expressions are the same.
fn note(sctp: &Options<'_>) -> Vec<u8> {
    let wanted = sctp.find("chunk-types").and_then(|given| wanted(given).ok());
    wanted.map(|wanted| vec![u8::from(wanted == Wanted::All)]).unwrap_or_default()
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (mut settings, mut names, mut signs) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_whole = false;
    for (field, test) in tests(span.exprs)? {
        match (field, test) {
            (field, test) if is_no_later_fragment(field, &test) => is_whole = true,
            (
                Expr::Exthdr(Exthdr::Exists {
                    of: Extension { op: ExthdrOp::SctpChunk, kind },
                    ..
                }),
                Test::Equal { negated: false, value: [there @ (0 | 1)] },
            ) => {
                names.push(CHUNKS.iter().find(|(_, number)| number == kind)?.0);
                signs.push(*there == 0);
            }
            (field, test) => settings.extend(port_settings(field, &test)?),
        }
    }
    if is_whole && names.is_empty() {
        return None;
    }
    if let Some(negated) = signs.first().copied() {
        let wanted = match span.note {
            [0] => Wanted::Any,
            [1] => Wanted::All,
            _ if negated => Wanted::Any,
            _ => Wanted::All,
        };
        let same = signs.iter().all(|sign| *sign == negated);
        let chunks = Setting::pair("chunk-types", wanted.name().to_owned(), names.join(","));
        settings.extend(same.then(|| chunks.negated(negated)));
        return same.then_some(settings);
    }
    Some(settings)
}

/// `sctp dpt:9000 ! all 0x0001,0x0003`.
fn list(settings: &[Setting], style: &Style) -> String {
    let number = |word: &str| {
        let found = CHUNKS.iter().find(|(name, _)| *name == word);
        found.map(|(_, kind)| format!("0x{kind:04X}"))
    };
    let word = |setting: &Setting| match setting.values.as_slice() {
        [wanted, chunks] => {
            let numbers: Vec<String> = chunks.split(',').filter_map(number).collect();
            let not = if setting.negated { "! " } else { "" };
            Some(format!("{not}{wanted} {}", numbers.join(",")))
        }
        _ => list_port(setting, style),
    };
    let words = settings.iter().filter_map(word);
    std::iter::once("sctp".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

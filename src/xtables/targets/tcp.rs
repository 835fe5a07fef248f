//! `-j TCPMSS` and `-j TCPOPTSTRIP`: options of TCP, changed or taken away.

use crate::nft::Expr;
use crate::nft::expr::{Byteorder, ByteorderOp, Extension, Exthdr, ExthdrOp, Immediate, Rt, RtKey};
use crate::xtables::Error;
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::{number8, number16};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::{Given, OptionSpec};

/// `tcp option maxseg size set 1400`, `tcp option maxseg size set rt mtu`; never a larger one than
/// is there. iptables adds the option where there is none, nf_tables does not.
pub(super) static TCPMSS: Module = Module::new(
    "TCPMSS",
    &[OptionSpec::setting(&["set-mss"]), OptionSpec::flag(&["clamp-mss-to-pmtu"])],
    build_mss,
)
.after(&[6], "\"-p tcp\" in the rule")
.read_by(144, read_mss, list_mss);

/// `reset tcp option timestamp`: overwritten with no-operations. Needs Linux 5.18.
pub(super) static TCPOPTSTRIP: Module =
    Module::new("TCPOPTSTRIP", &[OptionSpec::setting(&["strip-options"])], build_strip)
        .after(&[6], "\"-p tcp\" in the rule")
        .read_by(145, read_strip, list_strip);

fn write() -> Expr {
    let (offset, len) = Exthdr::MAXSEG_SIZE;
    Exthdr::Write { of: Exthdr::MAXSEG, offset, len, sreg: REGISTER }.into()
}

/// What fits the path, in the order of the header.
fn path() -> Vec<Expr> {
    let swap = Byteorder { sreg: REGISTER, dreg: REGISTER, op: ByteorderOp::Hton, len: 2, size: 2 };
    vec![Rt { key: RtKey::Tcpmss, dreg: REGISTER }.into(), swap.into(), write()]
}

fn build_mss(tcpmss: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = tcpmss.only("--set-mss or --clamp-mss-to-pmtu")?;
    if given.spec.name() == "clamp-mss-to-pmtu" {
        return Ok(path());
    }
    let bad = || given.bad(given.value(), "a number of bytes, 0 to 65535");
    let size = number16(given.value()).ok_or_else(bad)?;
    Ok(vec![Immediate::value(REGISTER, size.to_be_bytes()).into(), write()])
}

fn read_mss(span: &Span<'_>) -> Option<Vec<Setting>> {
    if span.exprs == path() {
        return Some(vec![Setting::flag("clamp-mss-to-pmtu")]);
    }
    match span.exprs {
        [Expr::Immediate(Immediate::Value { data, .. }), last] if *last == write() => {
            let size = u16::from_be_bytes(data.get(..2)?.try_into().ok()?);
            Some(vec![Setting::new("set-mss", size.to_string())])
        }
        _ => None,
    }
}

/// `TCPMSS set 1400`, `TCPMSS clamp to PMTU`.
fn list_mss(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| match setting.name {
        "set-mss" => format!("TCPMSS set {}", setting.value()),
        _ => "TCPMSS clamp to PMTU".to_owned(),
    };
    settings.iter().map(word).collect()
}

/// Options by the names that iptables reads and prints.
const OPTIONS: [(&str, u8); 6] =
    [("wscale", 3), ("mss", 2), ("sack-permitted", 4), ("sack", 5), ("timestamp", 8), ("md5", 19)];

fn reset(kind: u8) -> Expr {
    Exthdr::Reset { of: Extension { op: ExthdrOp::TcpOption, kind } }.into()
}

fn build_strip(strip: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = strip.need("strip-options", "--strip-options")?;
    let mut kinds = Vec::new();
    for word in given.value().split(',') {
        kinds.push(kind(given, word)?);
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds.into_iter().map(reset).collect())
}

fn kind(given: &Given<'_>, word: &str) -> Result<u8, Error> {
    let named = OPTIONS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
    match named.or_else(|| number8(word)) {
        None => Err(given.bad(word, "an option of TCP: its number or one of the usual names")),
        // The end of the options, and what fills them.
        Some(0 | 1) => Err(given.bad(word, "an option that can be taken away: expected 2 or more")),
        Some(kind) if named.is_none() && !OPTIONS.iter().any(|(_, known)| *known == kind) => {
            let reason = "nft 1.0.6 has no word for an option of this number";
            let (word, value) = (given.word.to_owned(), word.to_owned());
            Err(Error::UnsupportedValue { word, value, reason })
        }
        Some(kind) => Ok(kind),
    }
}

fn read_strip(span: &Span<'_>) -> Option<Vec<Setting>> {
    let kind = |expr: &Expr| match expr {
        Expr::Exthdr(Exthdr::Reset { of: Extension { op: ExthdrOp::TcpOption, kind } }) => {
            Some(kind.to_string())
        }
        _ => None,
    };
    let kinds: Vec<String> = span.exprs.iter().map(kind).collect::<Option<_>>()?;
    (!kinds.is_empty()).then(|| vec![Setting::new("strip-options", kinds.join(","))])
}

/// `TCPOPTSTRIP options 5,8`, `TCPOPTSTRIP options sack,timestamp`.
fn list_strip(settings: &[Setting], style: &Style) -> String {
    let name = |number: &str| {
        let known = OPTIONS.iter().find(|(_, kind)| kind.to_string() == number);
        match known.filter(|_| !style.numeric) {
            Some((name, _)) => (*name).to_owned(),
            None => number.to_owned(),
        }
    };
    let options = settings.first().map_or("", Setting::value).split(',').map(name);
    format!("TCPOPTSTRIP options {}", options.collect::<Vec<_>>().join(","))
}

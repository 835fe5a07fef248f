//! `-j NFLOG`: a copy of the packet to the listeners of a netlink group.

use super::log::prefix_of;
use crate::nft::Expr;
use crate::nft::expr::{Log, LogTarget};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::{number16, number32};
use crate::xtables::setting::{Setting, Style};
use crate::xtables::words::OptionSpec;

/// `log prefix "P" group 3 snaplen 64`.
///
/// `--nflog-range` is a number that the kernel keeps and does nothing with; it is kept beside the
/// rule.
pub(super) static NFLOG: Module = Module::new(
    "NFLOG",
    &[
        OptionSpec::setting(&["nflog-prefix"]),
        OptionSpec::setting(&["nflog-group"]),
        OptionSpec::setting(&["nflog-range"]),
        OptionSpec::setting(&["nflog-size"]),
        OptionSpec::setting(&["nflog-threshold"]),
    ],
    build,
)
.noted_by(|nflog| {
    let range = nflog.find("nflog-range").and_then(|given| number32(given.value()));
    range.filter(|range| *range != 0).map_or(Vec::new(), |range| range.to_be_bytes().into())
})
.read_by(136, read, list);

/// How many bytes of a prefix NFLOG takes.
const PREFIX: usize = 127;

fn build(nflog: &Options<'_>) -> Result<Vec<Expr>, Error> {
    // Without a threshold it is up to the listener.
    let short = |name| match nflog.find(name) {
        None => Ok(0),
        Some(given) => {
            number16(given.value()).ok_or_else(|| given.bad(given.value(), "a number, 0 to 65535"))
        }
    };
    let long = |name| match nflog.find(name) {
        None => Ok(None),
        Some(given) => number32(given.value())
            .map(Some)
            .ok_or_else(|| given.bad(given.value(), "a number of bytes")),
    };
    long("nflog-range")?;
    if let (Some(range), Some(size)) = (nflog.find("nflog-range"), nflog.find("nflog-size")) {
        return Err(crate::xtables::module::conflict(size, range));
    }
    let threshold = short("nflog-threshold")?;
    let prefix = nflog.find("nflog-prefix").map(|given| prefix_of(given, PREFIX)).transpose()?;
    let target = LogTarget::Group {
        group: short("nflog-group")?,
        snaplen: long("nflog-size")?,
        threshold: Some(threshold).filter(|threshold| *threshold != 0),
    };
    Ok(vec![Log { prefix: prefix.flatten(), target }.into()])
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Log(Log { prefix, target: LogTarget::Group { group, snaplen, threshold } })] =
        span.exprs
    else {
        return None;
    };
    let mut settings = Vec::new();
    settings.extend(prefix.as_ref().map(|prefix| Setting::new("nflog-prefix", prefix)));
    if *group != 0 {
        settings.push(Setting::new("nflog-group", group.to_string()));
    }
    let range = <[u8; 4]>::try_from(span.note).ok().map(u32::from_be_bytes);
    settings.extend(match snaplen {
        Some(size) => Some(Setting::new("nflog-size", size.to_string())),
        None => range.map(|range| Setting::new("nflog-range", range.to_string())),
    });
    let threshold = threshold.unwrap_or(0);
    if threshold != 0 {
        settings.push(Setting::new("nflog-threshold", threshold.to_string()));
    }
    Some(settings)
}

/// `nflog-prefix "P" nflog-group 3`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| match setting.name {
        "nflog-prefix" => {
            format!("nflog-prefix {}", crate::xtables::quote::quoted(setting.value()))
        }
        name => format!("{name} {}", setting.value()),
    };
    settings.iter().map(word).collect::<Vec<_>>().join(" ")
}

//! `-j LOG` and `-j AUDIT`: a line in the kernel's log, or in that of audit(8).

use crate::nft::Expr;
use crate::nft::expr::{Log, LogTarget};
use crate::xtables::Error;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number8;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::{Given, OptionSpec};

/// `log prefix "P: " level info flags skuid`.
pub(super) static LOG: Module = Module::new(
    "LOG",
    &[
        OptionSpec::setting(&["log-prefix"]),
        OptionSpec::setting(&["log-level"]),
        OptionSpec::flag(&["log-tcp-sequence"]),
        OptionSpec::flag(&["log-tcp-options"]),
        OptionSpec::flag(&["log-ip-options"]),
        OptionSpec::flag(&["log-uid"]),
        OptionSpec::flag(&["log-macdecode"]),
    ],
    build,
)
.read_by(135, read, list);

/// `log level audit`. The audit record does not tell the type; it is kept beside the rule.
pub(super) static AUDIT: Module =
    Module::new("AUDIT", &[OptionSpec::setting(&["type"])], build_audit)
        .noted_by(|audit| audit.find("type").map_or(Vec::new(), |given| given.value().into()))
        .read_by(153, read_audit, |settings, _| {
            format!("AUDIT {}", find(settings, "type").map_or("", Setting::value))
        });

/// Names of syslog(3) as iptables knows them; of two names of a number it prints the first.
const LEVELS: [(&str, u8); 9] = [
    ("alert", 1),
    ("crit", 2),
    ("debug", 7),
    ("emerg", 0),
    ("err", 3),
    ("info", 6),
    ("notice", 5),
    ("warning", 4),
    ("panic", 0),
];
const WARNING: u8 = 4;
const AUDIT_LEVEL: u32 = 8;
/// `NF_LOG_*`, in the order of iptables-save.
const FLAGS: [(&str, u32); 5] = [
    ("log-tcp-sequence", 1),
    ("log-tcp-options", 2),
    ("log-ip-options", 4),
    ("log-uid", 8),
    ("log-macdecode", 32),
];
/// How many bytes of a prefix LOG takes.
const PREFIX: usize = 29;

fn build(log: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let level = log.find("log-level").map_or(Ok(WARNING), level)?;
    let flags = FLAGS.iter().filter(|(name, _)| log.find(name).is_some());
    let flags = flags.fold(0, |flags, (_, bit)| flags | bit);
    let prefix = log.find("log-prefix").map(|given| prefix_of(given, PREFIX)).transpose()?;
    let target = LogTarget::Kernel {
        level: Some(level.into()),
        flags: Some(flags).filter(|flags| *flags != 0),
    };
    Ok(vec![Log { prefix: prefix.flatten(), target }.into()])
}

/// A number or a name.
fn level(given: &Given<'_>) -> Result<u8, Error> {
    let value = given.value();
    if let Some(number) = number8(value).filter(|number| *number < 8) {
        return Ok(number);
    }
    // An old name of "err".
    let known = [("error", 3)];
    let named = LEVELS.iter().chain(&known).find(|(name, _)| *name == value);
    named.map(|(_, number)| *number).ok_or_else(|| {
        let expected = "a level: expected 0 to 7 or one of emerg, alert, crit, err, warning, \
                        notice, info, debug";
        given.bad(value, expected)
    })
}

/// A prefix, cut to so many bytes, as iptables does; an empty one is none.
pub(super) fn prefix_of(given: &Given<'_>, most: usize) -> Result<Option<String>, Error> {
    let value = given.value();
    if value.contains('\n') {
        return Err(given.bad(value, "a prefix: it has more than one line"));
    }
    let most = most.min(value.len());
    let end = (0..=most).rev().find(|end| value.is_char_boundary(*end)).unwrap_or_default();
    Ok((end > 0).then(|| value[..end].to_owned()))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Log(Log { prefix, target: LogTarget::Kernel { level, flags } })] = span.exprs else {
        return None;
    };
    let level = level.unwrap_or(WARNING.into());
    if level > 7 {
        return None;
    }
    let mut settings = Vec::new();
    settings.extend(prefix.as_ref().map(|prefix| Setting::new("log-prefix", prefix)));
    if level != u32::from(WARNING) {
        settings.push(Setting::new("log-level", level.to_string()));
    }
    let flags = flags.unwrap_or(0);
    let of_flags = FLAGS.iter().filter(|(_, bit)| flags & bit != 0);
    settings.extend(of_flags.map(|(name, _)| Setting::flag(name)));
    Some(settings)
}

/// `LOG flags 0 level 4 prefix "P: "`; with names where numbers are not asked for.
fn list(settings: &[Setting], style: &Style) -> String {
    let level = find(settings, "log-level").map_or(Some(WARNING), |level| number8(level.value()));
    let level = level.unwrap_or(WARNING);
    let set = || FLAGS.iter().filter(|(name, _)| find(settings, name).is_some());
    let mut words = vec!["LOG".to_owned()];
    if style.numeric {
        let flags = set().fold(0, |flags, (_, bit)| flags | bit);
        words.push(format!("flags {flags} level {level}"));
    } else {
        let name = LEVELS.iter().find(|(_, number)| *number == level).map_or("", |(name, _)| *name);
        words.push(format!("level {name}"));
        words.extend(set().map(|(name, _)| name.trim_start_matches("log-").to_owned()));
    }
    let prefix = find(settings, "log-prefix");
    words.extend(prefix.map(|prefix| format!("prefix \"{}\"", prefix.value())));
    words.join(" ")
}

fn build_audit(audit: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let given = audit.need("type", "--type")?;
    if !matches!(given.value(), "accept" | "drop" | "reject") {
        return Err(given.bad(given.value(), "accept, drop or reject"));
    }
    let target = LogTarget::Kernel { level: Some(AUDIT_LEVEL), flags: None };
    Ok(vec![Log { prefix: None, target }.into()])
}

fn read_audit(span: &Span<'_>) -> Option<Vec<Setting>> {
    let audit = LogTarget::Kernel { level: Some(AUDIT_LEVEL), flags: None };
    match span.exprs {
        [Expr::Log(Log { prefix: None, target })] if *target == audit && !span.note.is_empty() => {
            Some(vec![Setting::new("type", std::str::from_utf8(span.note).ok()?)])
        }
        _ => None,
    }
}

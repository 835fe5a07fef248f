//! A look at what others have loaded: which of it these programs would refuse if it were loaded
//! again, by `iptables-restore` when the host starts or by a firewall's own `reload`.

use std::fs;
use std::io;

use super::builtin::TABLES;
use super::classic::errno_text;
use super::error::Error;
use super::list_ages::ListAges;
use super::restore::faults;
use super::state::{ListedRule, Said, State, table_id};
use crate::front::{Refused, RefusedLine, RefusedRule};
use crate::net::IpVersion;
use crate::nft::{Expr, Kernel, Rule};
use crate::xtables::{self, Operation};

/// The save files that programs load when the host starts: those of iptables-persistent, of ufw,
/// and of the services of Fedora and its relatives.
const FILES: [(&str, IpVersion); 10] = [
    ("/etc/iptables/rules.v4", IpVersion::V4),
    ("/etc/iptables/rules.v6", IpVersion::V6),
    ("/etc/ufw/before.rules", IpVersion::V4),
    ("/etc/ufw/before6.rules", IpVersion::V6),
    ("/etc/ufw/user.rules", IpVersion::V4),
    ("/etc/ufw/user6.rules", IpVersion::V6),
    ("/etc/ufw/after.rules", IpVersion::V4),
    ("/etc/ufw/after6.rules", IpVersion::V6),
    ("/etc/sysconfig/iptables", IpVersion::V4),
    ("/etc/sysconfig/ip6tables", IpVersion::V6),
];

/// Looks at the tables of this network namespace and at the files. Nothing is changed.
///
/// A rule is judged by its words, and by those of its table that share a list with it. What only the
/// kernel would refuse is not found here, and a rule that has no words of iptables is none that would
/// be loaded.
///
/// # Errors
/// [`Error`], if the tables cannot be read. A file that cannot be read is one of the findings.
pub fn survey() -> Result<Refused, Error> {
    let mut kernel = Kernel::open()?;
    let mut rules = Vec::new();
    for version in [IpVersion::V4, IpVersion::V6] {
        for table in &TABLES {
            rules.extend(refused_rules(&State::read(&mut kernel, table, version, None)?));
        }
    }
    let lines = FILES.iter().flat_map(|(file, version)| match fs::read(file) {
        Ok(text) => refused_lines(file, &text, *version),
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => vec![RefusedLine { file, line: None, reason: unread(&error) }],
    });
    Ok(Refused { rules, lines: lines.collect() })
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unread(error: &io::Error) -> String {
    let why =
        error.raw_os_error().map_or_else(|| error.to_string(), |no| errno_text(no).to_owned());
    format!("it cannot be read: {why}")
}

/// The rules of a table that would be refused.
fn refused_rules(state: &State) -> Vec<RefusedRule> {
    let table = table_id(state.table, state.version).to_string();
    let mut ages = ListAges::default();
    let mut refused = |chain: &str, rule: &ListedRule| {
        let version = state.version;
        let (words, reason) = match &rule.said {
            Said::Words(rule) => (rule.saved(), refusal(chain, &rule.words(), version, &mut ages)?),
            Said::Foreign(rule) => hidden_refusal(chain, rule, version)?,
        };
        let (table, chain) = (table.clone(), chain.to_owned());
        Some(RefusedRule { table, chain, words, reason: reason.to_string() })
    };
    let all = state.chains.iter();
    let all = all.flat_map(|chain| chain.rules.iter().map(|rule| (chain.name.as_str(), rule)));
    all.filter_map(|(chain, rule)| refused(chain, rule)).collect()
}

/// Why `-A CHAIN` with these words behind it would be refused, behind others that want lists.
pub(super) fn refusal(
    chain: &str,
    words: &[String],
    version: IpVersion,
    ages: &mut ListAges,
) -> Option<xtables::Error> {
    let words: Vec<&str> =
        ["-A", chain].into_iter().chain(words.iter().map(String::as_str)).collect();
    let command = match xtables::command(&words, version) {
        Ok(command) => command,
        Err(error) => return Some(error),
    };
    let Operation::Append { rules, .. } = command.operation else { return None };
    ages.note(&rules).err()
}

/// The same for a rule whose words cannot be told, where one of its modules is refused whatever the
/// words are: the kernel keeps the number of an ipset, not its name.
pub(super) fn hidden_refusal(
    chain: &str,
    rule: &Rule,
    version: IpVersion,
) -> Option<(String, xtables::Error)> {
    rule.exprs.iter().find_map(|expr| {
        let Expr::Other(other) = expr else { return None };
        let name = other.xtables_name()?;
        let option = if other.name == "match" { "-m" } else { "-j" };
        let error = refusal(
            chain,
            &[option.to_owned(), name.to_owned()],
            version,
            &mut ListAges::default(),
        )?;
        let is_of_all = matches!(
            error,
            xtables::Error::NoNativeForm { .. }
                | xtables::Error::NoNativeTarget { .. }
                | xtables::Error::UnsupportedMatch { .. }
        );
        is_of_all.then(|| (format!("{option} {name} …"), error))
    })
}

/// The lines of a save file that would be refused.
pub(super) fn refused_lines(
    file: &'static str,
    text: &[u8],
    version: IpVersion,
) -> Vec<RefusedLine> {
    let refused = |fault: Error| {
        let (line, cause) = match fault {
            Error::Line { line, cause } => (Some(line), *cause),
            whole => (None, whole),
        };
        RefusedLine { file, line, reason: reason(&cause) }
    };
    let mut lines: Vec<RefusedLine> = faults(text, version).into_iter().map(refused).collect();
    lines.sort_by_key(|refused| refused.line);
    lines
}

/// An error in one line.
fn reason(error: &Error) -> String {
    let text = match error {
        Error::StrayLine => "it stands outside of a table".to_owned(),
        error => error.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

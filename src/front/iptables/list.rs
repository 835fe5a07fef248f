//! `iptables -L`: chains and rules in columns.

use std::io::{self, Write};

use super::error::Error;
use super::parts::print_each;
use super::show;
use super::state::{Chain, ListedRule, Said, State};
use crate::net::IpVersion;
use crate::xtables::{self, Columns, Listing, Operation, PrintStyle};

/// All chains of a table as it was read, or one rule of one.
pub(super) fn list(
    state: &State,
    number: Option<u32>,
    style: PrintStyle,
    out: &mut impl Write,
) -> Result<(), Error> {
    if let Some(number) = number {
        let chain = state.chains.first();
        let at = (number as usize).wrapping_sub(1);
        let rule = chain.and_then(|chain| chain.rules.get(at));
        let Some(rule) = rule else { return Ok(()) };
        return Ok(line(state, at + 1, rule, style, out)?);
    }
    if state.has_foreign {
        writeln!(out, "{}", show::incompatible(state))?;
    }
    for (at, chain) in state.chains.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        head(chain, style, out)?;
        writeln!(out, "{}", xtables::titles(style))?;
        let numbered = |number, rule: &ListedRule, text: &mut Vec<u8>| {
            Ok(line(state, number, rule, style, text)?)
        };
        print_each(&chain.rules, numbered, out)?;
    }
    Ok(())
}

fn head(chain: &Chain, style: PrintStyle, out: &mut impl Write) -> io::Result<()> {
    let Some(policy) = chain.policy else {
        return writeln!(out, "Chain {} ({} references)", chain.name, chain.references);
    };
    let policy = show::policy_name(policy);
    if style.verbose == 0 {
        return writeln!(out, "Chain {} (policy {policy})", chain.name);
    }
    let count = |count| xtables::count(count, style);
    let (packets, bytes) = (count(chain.counter.packets), count(chain.counter.bytes));
    writeln!(out, "Chain {} (policy {policy} {packets} packets, {bytes} bytes)", chain.name)
}

/// A rule; one that iptables has no words for is a comment in those of nft.
fn line(
    state: &State,
    number: usize,
    rule: &ListedRule,
    style: PrintStyle,
    out: &mut impl Write,
) -> io::Result<()> {
    let version = state.version;
    match &rule.said {
        Said::Words(rule) => {
            let columns = Columns::List;
            writeln!(out, "{}", Listing { rule, version, number, style, columns })
        }
        Said::Foreign(rule) => {
            let text = show::foreign(rule, version);
            writeln!(out, "# {number}: not in the words of iptables: {text}")
        }
    }
}

/// The lines of `iptables -v -A` for the rules of an operation.
pub(super) fn tell_rules(
    operation: &Operation,
    version: IpVersion,
    out: &mut impl Write,
) -> io::Result<()> {
    let rules = match operation {
        Operation::Append { rules, .. }
        | Operation::Insert { rules, .. }
        | Operation::Delete { rules, .. }
        | Operation::Check { rules, .. } => rules.as_slice(),
        Operation::Replace { rule, .. } => std::slice::from_ref(rule.as_ref()),
        Operation::DeleteNumber { .. }
        | Operation::List { .. }
        | Operation::ListRules { .. }
        | Operation::Flush { .. }
        | Operation::Zero { .. }
        | Operation::NewChain { .. }
        | Operation::DeleteChain { .. }
        | Operation::Policy { .. }
        | Operation::Rename { .. }
        | Operation::Version
        | Operation::Help => &[],
    };
    let (style, columns) = (PrintStyle::default(), Columns::Line);
    for compiled in rules {
        if let Some(rule) = xtables::Rule::read(&compiled.rule, version) {
            writeln!(out, "{}", Listing { rule: &rule, version, number: 1, style, columns })?;
        }
    }
    Ok(())
}

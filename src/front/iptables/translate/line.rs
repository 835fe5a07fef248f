//! One operation of iptables as commands of nft.

use super::super::builtin::Table;
use super::super::error::Error as Classic;
use super::super::state::table_id;
use super::error::Error;
use super::word;
use crate::net::IpVersion;
use crate::nft::expr::Log;
use crate::nft::{Change, Expr, Family, Policy, Rule, Transaction, list_rule, list_stateless_rule};
use crate::xtables::{Companion, Compiled, Operation, jump_target};

/// The commands that an operation means, one a line, without `nft` in front.
///
/// Those of iptables-translate 1.8.9 where it has them, and right where it is wrong: `-I CHAIN N`
/// goes to its place (`index`), lists of states stay lists, codes of ICMP stay pairs.
pub(super) fn lines(
    table: &Table,
    version: IpVersion,
    operation: &Operation,
) -> Result<Vec<String>, Error> {
    let id = table_id(table, version);
    let one = |text: String| Ok(vec![text]);
    match operation {
        Operation::Append { chain, rules } => {
            placed(table, version, rules, |_| Ok(format!("add rule {id} {}", word::name(chain)?)))
        }
        Operation::Insert { chain, number: 1, rules } => placed(table, version, rules, |_| {
            Ok(format!("insert rule {id} {}", word::name(chain)?))
        }),
        Operation::Insert { chain, number, rules } => placed(table, version, rules, |nth| {
            // Behind the rule in front of it, whose index counts from 0.
            let index = u64::from(*number) - 2 + nth;
            Ok(format!("add rule {id} {} index {index}", word::name(chain)?))
        }),
        Operation::NewChain { chain } => one(format!("add chain {id} {}", word::name(chain)?)),
        Operation::DeleteChain { chain: Some(chain) } => {
            one(format!("delete chain {id} {}", word::name(chain)?))
        }
        Operation::DeleteChain { chain: None } => {
            Err(none('X', format!("delete each chain of {id} that no rule jumps to by its name")))
        }
        Operation::Rename { from, to } => {
            one(format!("rename chain {id} {} {}", word::name(from)?, word::name(to)?))
        }
        Operation::Flush { chain: Some(chain) } => {
            one(format!("flush chain {id} {}", word::name(chain)?))
        }
        Operation::Flush { chain: None } => one(format!("flush table {id}")),
        Operation::Policy { chain, target, .. } => {
            let policy = match target.as_str() {
                "ACCEPT" => Policy::Accept,
                "DROP" => Policy::Drop,
                _ => return Err(Classic::BadPolicy.into()),
            };
            one(base_chain(table, version, chain, policy)?)
        }
        Operation::List { chain, .. } => one(listing("list", &id.to_string(), chain.as_deref())?),
        Operation::ListRules { chain, .. } => {
            one(listing("-s list", &id.to_string(), chain.as_deref())?)
        }
        Operation::Replace { chain, .. } => Err(by_handle('R', "replace", &id.to_string(), chain)),
        Operation::Delete { chain, .. } | Operation::DeleteNumber { chain, .. } => {
            Err(by_handle('D', "delete", &id.to_string(), chain))
        }
        Operation::Check { chain, .. } => {
            Err(none('C', format!("look for the rule in `nft list chain {id} {chain}`")))
        }
        Operation::Zero { .. } => {
            Err(none('Z', format!("`nft reset rules table {id}` from nft 1.0.8 and Linux 6.2 on")))
        }
        Operation::Version | Operation::Help => Ok(Vec::new()),
    }
}

/// `add chain ip filter INPUT { type filter hook input priority 0; policy drop; }`.
pub(super) fn base_chain(
    table: &Table,
    version: IpVersion,
    chain: &str,
    policy: Policy,
) -> Result<String, Error> {
    let builtin = table.builtin(chain).ok_or(Classic::NotBuiltin)?;
    let mut transaction = Transaction::new();
    transaction.push(Change::AddBaseChain(table_id(table, version), builtin.base_chain(policy)));
    Ok(transaction.to_string().trim_end().to_owned())
}

fn listing(verb: &str, table: &str, chain: Option<&str>) -> Result<String, Error> {
    Ok(match chain {
        Some(chain) => format!("{verb} chain {table} {}", word::name(chain)?),
        None => format!("{verb} table {table}"),
    })
}

fn none(operation: char, instead: String) -> Error {
    Error::NoCommand { operation, instead }
}

fn by_handle(operation: char, verb: &str, table: &str, chain: &str) -> Error {
    none(
        operation,
        format!(
            "`nft -a list chain {table} {chain}` shows the rule's handle for \
             `nft {verb} rule {table} {chain} handle HANDLE`"
        ),
    )
}

/// What must be in the table before the rules, then each rule behind what `place` says of it.
fn placed(
    table: &Table,
    version: IpVersion,
    rules: &[Compiled],
    place: impl Fn(u64) -> Result<String, Error>,
) -> Result<Vec<String>, Error> {
    let id = table_id(table, version);
    let mut beside = Transaction::new();
    for companion in rules.iter().flat_map(|rule| &rule.companions) {
        for change in companion.clone().changes(&id) {
            if !beside.changes().contains(&change) {
                beside.push(change);
            }
        }
    }
    let mut lines: Vec<String> = beside.to_string().lines().map(str::to_owned).collect();
    for (nth, rule) in (0..).zip(rules) {
        lines.push(format!("{} {}", place(nth)?, rule_text(rule, version)?));
    }
    Ok(lines)
}

/// A rule as nft reads it; counts are left out where there are none.
fn rule_text(compiled: &Compiled, version: IpVersion) -> Result<String, Error> {
    if let Some(chain) = jump_target(&compiled.rule) {
        word::name(chain)?;
    }
    for expr in &compiled.rule.exprs {
        if let Expr::Log(Log { prefix: Some(prefix), .. }) = expr
            && prefix.contains('"')
        {
            return Err(Error::Quote { what: "the prefix", text: prefix.clone() });
        }
    }
    let family = Family::of(version);
    let bare = Rule::new(compiled.rule.exprs.clone());
    let sets = |name: &str| {
        let mut known = compiled.companions.iter().filter_map(Companion::set);
        known.find(|set| set.name.as_str() == name).map(|set| (set, [].as_slice()))
    };
    let has_counted = bare.exprs.iter().any(|expr| match expr {
        Expr::Counter(counter) => counter.packets > 0 || counter.bytes > 0,
        _ => false,
    });
    let list = if has_counted { list_rule } else { list_stateless_rule };
    let text = list(family, &bare, &sets);
    Ok(match compiled.rule.userdata.comment() {
        Some(comment) => format!("{text} comment \"{}\"", word::comment(comment)),
        None => text,
    })
}

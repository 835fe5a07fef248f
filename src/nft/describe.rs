//! Changes in nft syntax, for plans and for refusals.

use super::expr::Counter;
use super::listing::{list_element, list_rule, set_lines};
use super::object::type_word;
use super::{Change, Element, Rule, Set, TableId};

/// A change in nft syntax.
pub(super) fn describe(change: &Change, known: &[Set]) -> String {
    let rule_text = |table: &TableId, rule: &Rule| {
        let none: &[Element] = &[];
        let find =
            |name: &str| known.iter().find(|set| set.name.as_str() == name).map(|set| (set, none));
        list_rule(table.family, rule, &find)
    };
    let at = |word: &str, handle: &Option<u64>| {
        handle.map(|handle| format!(" {word} {handle}")).unwrap_or_default()
    };
    match change {
        Change::AddTable(table) => format!("add table {}", table.id),
        Change::DeleteTable(table) => format!("delete table {table}"),
        Change::AddChain(table, chain) => format!("add chain {table} {}", chain.name),
        Change::AddBaseChain(table, chain) => format!(
            "add chain {table} {} {{ type {} hook {} priority {}; policy {}; }}",
            chain.name,
            chain.kind.as_str(),
            chain.hook.word(),
            chain.priority,
            chain.policy.word()
        ),
        Change::FlushChain(table, name) => format!("flush chain {table} {name}"),
        Change::DeleteChain(table, name) => format!("delete chain {table} {name}"),
        Change::RenameChain { table, chain, to } => {
            format!("rename chain {table} {} {to}", chain.value.name())
        }
        Change::SetPolicy(table, name, policy) => {
            format!("add chain {table} {name} {{ policy {}; }}", policy.word())
        }
        Change::SetChainCounters(table, name, counter) => {
            let Counter { packets, bytes } = counter;
            format!("set counters of chain {table} {name} to packets {packets} bytes {bytes}")
        }
        Change::AddRule { table, chain, rule, after } => {
            format!("add rule {table} {chain}{} {}", at("handle", after), rule_text(table, rule))
        }
        Change::InsertRule { table, chain, rule, before } => {
            format!(
                "insert rule {table} {chain}{} {}",
                at("handle", before),
                rule_text(table, rule)
            )
        }
        Change::ReplaceRule { table, chain, old, new } => {
            let text = rule_text(table, new);
            format!("replace rule {table} {chain} handle {} {text}", old.handle)
        }
        Change::DeleteRule(table, chain, rule) => {
            format!("delete rule {table} {chain} handle {}", rule.handle)
        }
        Change::AddSet(table, set) => {
            let lines = set_lines(table.family, set, &[]);
            let [head, body @ .., _] = lines.as_slice() else { return String::new() };
            let body: Vec<String> = body.iter().map(|line| format!("{};", line.trim())).collect();
            let (word, _) = head.split_once(' ').unwrap_or((head, ""));
            format!("add {word} {table} {} {{ {} }}", set.name, body.join(" "))
        }
        Change::DeleteSet(table, name) => format!("delete set {table} {name}"),
        Change::AddElements(table, set, elements) => describe_elements("add", table, set, elements),
        Change::CreateElements(table, set, elements) => {
            describe_elements("create", table, set, elements)
        }
        Change::DeleteElements(table, set, elements) => {
            describe_elements("delete", table, set, elements)
        }
        Change::AddObject(table, object) => {
            format!("add {} {table} {}", type_word(object.kind.number()), object.name)
        }
        Change::DeleteObject(table, object) => {
            format!("delete {} {table} {}", type_word(object.kind.number()), object.name)
        }
    }
}

pub(super) fn describe_elements(
    verb: &str,
    table: &TableId,
    set: &Set,
    elements: &[Element],
) -> String {
    let words: Vec<String> =
        elements.iter().map(|element| list_element(table.family, set, element)).collect();
    format!("{verb} element {table} {} {{ {} }}", set.name, words.join(", "))
}

//! What `iptables-save` says, as a text that two daemons can have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::host::Host;
use crate::lab::{Netns, run};

/// `iptables-save` and `ip6tables-save` of the programs that the daemon has: without comments and
/// counters, the tables sorted by name, the rules as they come.
pub fn saved(host: &Host) -> Vec<String> {
    let programs = ["iptables-save", "ip6tables-save"];
    programs.iter().flat_map(|program| tables(program, &host.inside.run(&[program]))).collect()
}

/// The same for a daemon that has no order of its own: rules that name no network come first and
/// as they come, all others sorted.
pub fn saved_in_any_order(host: &Host) -> Vec<String> {
    let of_a_network = ["docker0", "br-", "172.", "2001:db8:"];
    let names_one = |line: &String| of_a_network.iter().any(|text| line.contains(text));
    let (mut theirs, mut saved): (Vec<_>, Vec<_>) = saved(host).into_iter().partition(names_one);
    theirs.sort();
    saved.extend(theirs);
    saved
}

fn tables(program: &str, text: &str) -> Vec<String> {
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('*') {
            name = table;
            tables.entry(name).or_default();
        } else if !line.is_empty() && !line.starts_with('#') && line != "COMMIT" {
            tables.entry(name).or_default().push(without_counters(line));
        }
    }
    let with_name = |(table, lines): (&str, Vec<String>)| {
        let prefix = format!("{program} {table}");
        lines.into_iter().map(move |line| format!("{prefix} {line}")).collect::<Vec<_>>()
    };
    tables.into_iter().flat_map(with_name).collect()
}

/// `:FORWARD DROP [7:420]` is `:FORWARD DROP`.
fn without_counters(line: &str) -> String {
    match line.rsplit_once(" [") {
        Some((chain, _)) if line.starts_with(':') => chain.to_owned(),
        _ => line.to_owned(),
    }
}

/// The xtables modules that the rules of a namespace need, as `nft -j list ruleset` names them, and
/// its warnings. Native rules need none. Without `-j` nft puts modules into words of its own.
pub fn modules(netns: &Netns) -> BTreeSet<String> {
    let mut nft = Command::new("nft");
    let output = netns.enter(|| run(nft.args(["-j", "list", "ruleset"]), ""));
    let text = String::from_utf8(output.stdout).expect("nft prints UTF-8");
    let listing: Value = serde_json::from_str(&text).expect("nft prints JSON");
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut modules: BTreeSet<String> = warnings.lines().map(str::to_owned).collect();
    collect_modules(&listing, &mut modules);
    modules
}

/// Each `{"xt": {"type": "match", "name": "addrtype"}}` at any depth.
fn collect_modules(value: &Value, modules: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_modules(value, modules)),
        Value::Object(fields) => {
            if let Some(module) = fields.get("xt") {
                modules.insert(format!("xt {module}"));
            }
            fields.values().for_each(|value| collect_modules(value, modules));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

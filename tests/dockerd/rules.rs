//! What `iptables-save` says, as a text that two daemons can have in common.

use std::collections::BTreeMap;

use super::host::Host;
use super::programs::Programs;

/// What `nft list ruleset` shows of a rule that only xtables modules understand.
const FOREIGN: [&str; 4] = ["xt match", "xt target", "managed by iptables-nft", "# xt_"];

/// `iptables-save` and `ip6tables-save` of the programs that the daemon has: without comments and
/// counters, the tables sorted by name, the rules as they come.
pub fn saved(host: &Host) -> Vec<String> {
    let programs = ["iptables-save", "ip6tables-save"];
    programs.iter().flat_map(|program| tables(program, &host.run(&[program]))).collect()
}

/// The same for a daemon that has no order of its own: rules that name no network come first and
/// as they come, all others sorted.
pub fn saved_in_any_order(host: &Host) -> Vec<String> {
    let of_a_network = ["docker0", " br-", " 172.", " 2001:"];
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

/// What is not native in a listing, if all of it should be.
pub fn foreign(programs: Programs, listing: &str) -> Vec<String> {
    let is_foreign = |line: &&str| FOREIGN.iter().any(|text| line.contains(text));
    let lines = listing.lines().filter(is_foreign).map(|line| line.trim().to_owned());
    match programs {
        Programs::Own => lines.collect(),
        Programs::Peer | Programs::Given(_) => Vec::new(),
    }
}

//! Rules out of the grammar: every option with every value, and several at random.

use portcullis::net::IpVersion;

use super::grammar::{self, Choice, Module};
use super::random::Random;
use super::traffic::Tracking;

/// A rule, without its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub table: &'static str,
    pub chain: &'static str,
    pub words: String,
}

impl Rule {
    pub fn new(table: &'static str, chain: &'static str, words: &str) -> Rule {
        Rule { table, chain, words: words.to_owned() }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "-t {} -A {} {}", self.table, self.chain, self.words)
    }
}

/// Chains that a hook calls.
pub const CHAINS: &[&str] = &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// What both hosts have in front: marks, addresses that are rewritten, flows that are not tracked.
pub fn prelude(version: IpVersion, tracking: Tracking) -> Vec<Rule> {
    let raw = |chain, words| Rule::new("raw", chain, words);
    let mut rules = vec![
        raw("PREROUTING", "-p udp --dport 53 -j MARK --set-xmark 0x10/0xffffffff"),
        raw("PREROUTING", "-p tcp --dport 80 -j MARK --set-xmark 0x55/0xffffffff"),
        raw("PREROUTING", "-p udp --dport 80 -j MARK --set-xmark 0x1/0xffffffff"),
        raw("PREROUTING", "-p tcp --dport 443 -j MARK --set-xmark 0xffffffff/0xffffffff"),
        raw("OUTPUT", "-p udp --dport 53 -j MARK --set-xmark 0x10/0xffffffff"),
    ];
    if tracking == Tracking::On {
        let to = match version {
            IpVersion::V4 => "10.88.0.2:80",
            IpVersion::V6 => "[fd00:88::2]:80",
        };
        rules.extend([
            raw("PREROUTING", "-p udp --dport 7777 -j CT --notrack"),
            Rule::new(
                "mangle",
                "PREROUTING",
                "-p tcp --dport 443 -j CONNMARK --set-xmark 0x1/0xffffffff",
            ),
            Rule::new(
                "nat",
                "PREROUTING",
                &format!("-p tcp --dport 8080 -j DNAT --to-destination {to}"),
            ),
            Rule::new("nat", "POSTROUTING", "-o e0 -p udp --dport 9000 -j MASQUERADE"),
        ]);
    }
    rules
}

/// Each option of each module alone, with each value, positive and negated.
pub fn each(version: IpVersion, tracking: Tracking) -> Vec<Rule> {
    let mut rules = Vec::new();
    for module in modules(version, tracking) {
        let chain = *module.chains.first().unwrap_or(&"PREROUTING");
        let protocols: &[&str] = if module.protocols.is_empty() { &[""] } else { module.protocols };
        for (at, protocol) in protocols.iter().enumerate() {
            if module.options.is_empty() {
                rules.push(Rule::new("mangle", chain, &phrase(module, protocol, &[])));
            }
            // All values with the first protocol, one of each with the others.
            for choice in module.options {
                let values = choice.values.split('|').enumerate();
                for (_, value) in values.filter(|(number, _)| at == 0 || *number == at) {
                    for negated in [false, true] {
                        if negated && !choice.not {
                            continue;
                        }
                        let said = vec![say(choice, value, negated)];
                        rules.push(Rule::new("mangle", chain, &phrase(module, protocol, &said)));
                    }
                }
            }
        }
    }
    rules
}

/// Modules that `each` shows to be refused in every form: beside others they would only hide them.
const REFUSED: &[&str] =
    &["string", "physdev", "recent", "cluster", "eui64", "srh", "socket", "bpf", "u32"];

/// Rules of one to three modules with some of their options.
pub fn some(version: IpVersion, tracking: Tracking, random: &mut Random, many: usize) -> Vec<Rule> {
    let all: Vec<&Module> = modules(version, tracking).collect();
    let mut rules = Vec::new();
    while rules.len() < many {
        let chain = *random.pick(CHAINS);
        let protocols: &[&str] = match version {
            IpVersion::V4 => {
                &["", "tcp", "udp", "tcp", "udp", "icmp", "sctp", "dccp", "udplite", "esp", "ah"]
            }
            IpVersion::V6 => {
                &["", "tcp", "udp", "tcp", "udp", "icmpv6", "sctp", "dccp", "udplite", "esp", "mh"]
            }
        };
        let protocol = *random.pick(protocols);
        let fitting: Vec<&&Module> = all
            .iter()
            .filter(|module| module.chains.is_empty() || module.chains.contains(&chain))
            .filter(|module| module.protocols.is_empty() || module.protocols.contains(&protocol))
            .filter(|module| !REFUSED.contains(&module.name))
            .filter(|module| !says_protocol(module) && !module.fixed.starts_with("--dport"))
            .collect();
        let mut parts: Vec<String> = Vec::new();
        let mut used: Vec<String> = Vec::new();
        for _ in 0..=random.below(3) {
            let module = **random.pick(&fitting);
            // Options of the same name twice in a rule are an error of iptables.
            let family = if module.name.is_empty() {
                module.options.first().map_or("", |choice| choice.name)
            } else {
                module.name
            };
            if used.iter().any(|name| name == family) {
                continue;
            }
            used.push(family.to_owned());
            parts.push(phrase(module, "", &pick(module, random)));
        }
        let head = if protocol.is_empty() { String::new() } else { format!("-p {protocol} ") };
        let words = format!("{head}{}", parts.join(" "));
        rules.push(Rule::new("mangle", chain, words.trim()));
    }
    rules
}

fn says_protocol(module: &Module) -> bool {
    module.options.first().is_some_and(|choice| choice.name == "-p")
}

fn pick(module: &Module, random: &mut Random) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let first = random.below(module.options.len().max(1));
    for (at, choice) in module.options.iter().enumerate() {
        if names.contains(&choice.name) || (at != first && !random.once_in(3)) {
            continue;
        }
        // Both mean the flags.
        if choice.name == "--syn" && names.contains(&"--tcp-flags") {
            continue;
        }
        names.push(choice.name);
        let values: Vec<&str> = choice.values.split('|').collect();
        let value = *random.pick(&values);
        said.push(say(choice, value, choice.not && random.once_in(2)));
    }
    said
}

fn say(choice: &Choice, value: &str, negated: bool) -> String {
    let not = if negated { "! " } else { "" };
    format!("{not}{} {value}", choice.name).trim_end().to_owned()
}

fn phrase(module: &Module, protocol: &str, said: &[String]) -> String {
    let mut words = Vec::new();
    if !protocol.is_empty() {
        words.push(format!("-p {protocol}"));
    }
    if !module.name.is_empty() {
        words.push(format!("-m {}", module.name));
    }
    if !module.fixed.trim().is_empty() {
        words.push(module.fixed.to_owned());
    }
    words.extend_from_slice(said);
    words.join(" ")
}

fn modules(version: IpVersion, tracking: Tracking) -> impl Iterator<Item = &'static Module> {
    grammar::modules().filter(move |module| {
        module.version.is_none_or(|only| only == version)
            && (tracking == Tracking::On || !module.tracks)
    })
}

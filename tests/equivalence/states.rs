//! Lists of states and translations, which ours decides by a map: each list, negated and not, with
//! packets that are new, known, related, invalid, not tracked and translated.

use portcullis::net::IpVersion;

use super::compare::{play, report};
use super::generate::{Rule, prelude};
use super::lab::isolate;
use super::traffic::{Tracking, traffic};

const LISTS: &[&str] = &[
    "DNAT",
    "SNAT",
    "SNAT,DNAT",
    "NEW,DNAT",
    "ESTABLISHED,DNAT",
    "RELATED,ESTABLISHED,DNAT",
    "NEW,RELATED,ESTABLISHED,SNAT",
    "INVALID,DNAT",
    "UNTRACKED,SNAT,DNAT",
    "INVALID,UNTRACKED,DNAT",
    "INVALID,NEW,SNAT",
    "NEW,ESTABLISHED,UNTRACKED,SNAT,DNAT",
    "INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,DNAT",
];

/// Each rule in a chain of its own with a rule behind it, which counts what the first leaves.
fn rules(verdict: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, list) in LISTS.iter().enumerate() {
        for negation in ["", "! "] {
            for hook in ["PREROUTING", "POSTROUTING"] {
                let name = format!("{}{at}{hook}", if negation.is_empty() { "is" } else { "not" });
                let chain: &'static str = Box::leak(name.into_boxed_str());
                let words = format!("-m conntrack {negation}--ctstate {list} -j {verdict}");
                rules.push(Rule::new("mangle", hook, &format!("-j {chain}")));
                rules.push(Rule::new("mangle", chain, &words));
                rules.push(Rule::new("mangle", chain, ""));
            }
        }
    }
    rules
}

#[test]
fn lists_of_states_and_translations_when_played_then_count_and_end_the_same() {
    isolate();
    for version in [IpVersion::V4, IpVersion::V6] {
        let (fixed, packets) = (prelude(version, Tracking::On), traffic(version, Tracking::On));
        let rules = rules("RETURN");
        let outcome = play(version, &fixed, &rules, &packets, &Rule::clone);
        let said = report(version, &fixed, &outcome, &packets);
        assert!(said.is_empty(), "{version:?}:\n{said}");
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        let of_lists = outcome.rules.iter().zip(&outcome.counts);
        let never = of_lists.filter(|(rule, (xt, _))| rule.words.contains("ctstate") && xt.0 == 0);
        let never: Vec<String> = never.map(|(rule, _)| rule.to_string()).collect();
        // Nothing is left of all states and a translation.
        let all = "! --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED";
        assert!(never.iter().all(|rule| rule.contains(all)), "{never:#?}");
    }
}

/// What is dropped is dropped, whichever way: by the map, by the rule.
#[test]
fn rule_of_kubelet_when_played_then_drops_and_counts_the_same() {
    isolate();
    for (version, network) in [(IpVersion::V4, "10.88.0.0/24"), (IpVersion::V6, "fd00:88::/64")] {
        let (fixed, packets) = (prelude(version, Tracking::On), traffic(version, Tracking::On));
        let words = format!(
            "! -s {network} -d {network} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
        );
        let rules = ["PREROUTING", "FORWARD", "POSTROUTING"].map(|chain| {
            let chained = Rule::new("mangle", chain, &words);
            [chained, Rule::new("mangle", chain, "")]
        });
        for rules in rules {
            let outcome = play(version, &fixed, &rules, &packets, &Rule::clone);
            let said = report(version, &fixed, &outcome, &packets);
            assert!(said.is_empty(), "{version:?}:\n{said}");
            assert!(outcome.counts[fixed.len()].0.0 > 0, "{version:?}: nothing is dropped");
        }
    }
}

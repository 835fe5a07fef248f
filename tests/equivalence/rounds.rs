//! The rounds: all options one by one, then rules at random.

use std::path::Path;
use std::{env, fs};

use portcullis::net::IpVersion;

use super::compare::{Outcome, play, report};
use super::effects;
use super::generate::{Rule, each, prelude, some};
use super::grammar;
use super::lab::isolate;
use super::random::Random;
use super::refused;
use super::traffic::{Tracking, traffic};

/// Rules at random in a round of CI.
const MANY: usize = 500;

fn seed() -> u64 {
    env::var("PORTCULLIS_TEST_SEED").map_or(1, |seed| seed.parse().expect("a number"))
}

fn round(version: IpVersion, tracking: Tracking, rules: &[Rule]) -> (Outcome, String) {
    let (fixed, packets) = (prelude(version, tracking), traffic(version, tracking));
    let outcome = play(version, &fixed, rules, &packets, &Rule::clone);
    let said = report(version, &fixed, &outcome, &packets);
    (outcome, said)
}

#[test]
fn each_option_when_played_on_both_hosts_then_counts_the_same() {
    isolate();
    let (mut wrong, mut entries) = (String::new(), Vec::new());
    for version in [IpVersion::V4, IpVersion::V6] {
        for tracking in [Tracking::On, Tracking::Off] {
            let (outcome, said) = round(version, tracking, &each(version, tracking));
            entries.extend(outcome.refused.iter().map(|(_, entry)| *entry));
            if !said.is_empty() || !outcome.wrong.is_empty() {
                let invalid = &outcome.wrong;
                wrong += &format!("{version:?}, tracking {tracking:?}: {invalid:?}\n{said}");
            }
        }
    }
    wrong += &refused::idle(refused::MATCHES, &entries);
    assert!(wrong.is_empty(), "{wrong}");
}

/// The names that the sources of `matches` or `targets` give to their modules.
fn named(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/xtables").join(folder);
    let mut names = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for module in text.split("Module::new(").skip(1) {
            let name = module.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            names.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    names
}

#[test]
fn modules_when_written_then_are_all_played() {
    let (matches, targets) = (named("matches"), named("targets"));
    assert!(matches.len() > 30 && targets.len() > 15, "{matches:?} {targets:?}");
    // Debian's iptables has no library for udplite, so there is nothing to compare it with.
    for name in matches.iter().filter(|name| *name != "udplite") {
        assert!(grammar::modules().any(|module| module.name == *name), "no rule has -m {name}");
    }
    for name in targets {
        let jump = format!("-j {name}");
        let mut words = effects::TARGETS.iter().flat_map(|target| target.words);
        let has = |words: &&str| words.ends_with(&jump) || words.contains(&format!("{jump} "));
        assert!(words.any(has), "no rule has {jump}");
    }
}

/// Two rules with one name share one bucket.
const SHARED: &str = "-p udp --dport 9100 -m hashlimit --hashlimit-upto 1/hour \
                      --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name shared";

/// Rules that other programs have translated into something else.
const WILD: &[(&str, &str)] = &[
    ("PREROUTING", "-m conntrack ! --ctstate NEW,INVALID"),
    ("PREROUTING", "-m conntrack ! --ctstate RELATED,ESTABLISHED"),
    ("PREROUTING", "-m conntrack ! --ctstatus SEEN_REPLY"),
    ("PREROUTING", "-m conntrack ! --ctstatus EXPECTED,ASSURED"),
    ("POSTROUTING", "-m conntrack --ctstate DNAT"),
    ("POSTROUTING", "-m conntrack --ctstate DNAT,SNAT"),
    ("PREROUTING", "-p tcp --syn --dport 9101 -m connlimit --connlimit-above 2"),
    ("PREROUTING", "-p tcp --syn --dport 9101 -m connlimit --connlimit-above 4 --connlimit-mask 0"),
    ("PREROUTING", SHARED),
    ("PREROUTING", SHARED),
    ("PREROUTING", "-m mark --mark 3/1"),
    ("PREROUTING", "-m mark ! --mark 0/0"),
    ("PREROUTING", "-m mark --mark 0/0x10"),
    ("FORWARD", "-i e0 ! -o e0"),
    ("FORWARD", "! -i e0 -o e0 -m conntrack --ctstate RELATED,ESTABLISHED"),
    ("OUTPUT", "-m addrtype --dst-type LOCAL"),
    ("PREROUTING", "-m addrtype --dst-type LOCAL"),
    ("POSTROUTING", "-m addrtype --src-type LOCAL -o e1"),
    ("PREROUTING", "-m rpfilter --validmark"),
    ("PREROUTING", "-m rpfilter --invert"),
];

/// The same where the words are of a family.
const WILD4: &[(&str, &str)] = &[
    ("PREROUTING", "-p icmp -m icmp --icmp-type 3/4"),
    ("PREROUTING", "-p icmp -m icmp ! --icmp-type 3/4"),
    ("OUTPUT", "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL"),
    ("FORWARD", "! -s 10.88.0.0/24 -o e1"),
    ("POSTROUTING", "-s 10.88.0.0/24 ! -o e1"),
    ("FORWARD", "-d 10.88.0.2 ! -i e1 -o e1 -p tcp --dport 80"),
];
const WILD6: &[(&str, &str)] = &[
    ("PREROUTING", "-p icmpv6 -m icmp6 --icmpv6-type 1/3"),
    ("PREROUTING", "-p icmpv6 -m icmp6 ! --icmpv6-type 1/3"),
    ("OUTPUT", "! -d ::1 -m addrtype --dst-type LOCAL"),
    ("FORWARD", "! -s fd00:88::/64 -o e1"),
    ("POSTROUTING", "-s fd00:88::/64 ! -o e1"),
    ("FORWARD", "-d fd00:88::2 ! -i e1 -o e1 -p tcp --dport 80"),
];

#[test]
fn rules_that_go_wrong_elsewhere_when_played_then_none_is_refused_and_all_count_the_same() {
    isolate();
    for (version, own) in [(IpVersion::V4, WILD4), (IpVersion::V6, WILD6)] {
        let of = |(chain, words): &(&'static str, &str)| Rule::new("mangle", chain, words);
        let rules: Vec<Rule> = WILD.iter().chain(own).map(of).collect();
        let (outcome, said) = round(version, Tracking::On, &rules);
        assert!(said.is_empty(), "{version:?}:\n{said}");
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        let counted = outcome.counts.iter().filter(|(xt, _)| xt.0 > 0).count();
        assert!(counted > rules.len() / 2, "{counted} of {} rules match at all", rules.len());
    }
}

#[test]
fn each_target_when_played_on_both_hosts_then_does_the_same() {
    isolate();
    let (mut wrong, mut entries) = (String::new(), Vec::new());
    for version in [IpVersion::V4, IpVersion::V6] {
        let (mut rules, mut packets) = (Vec::new(), Vec::new());
        for (some_rules, some_packets) in effects::effects(version) {
            rules.extend(some_rules);
            packets.extend(some_packets);
        }
        let fixed = effects::prelude();
        let outcome = play(version, &fixed, &rules, &packets, &Rule::clone);
        entries.extend(outcome.refused.iter().map(|(_, entry)| *entry));
        let said = report(version, &fixed, &outcome, &packets);
        if !said.is_empty() {
            wrong += &format!("{version:?}:\n{said}");
        }
    }
    wrong += &refused::idle(refused::TARGETS, &entries);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rules_at_random_when_played_on_both_hosts_then_count_the_same() {
    isolate();
    let rounds = env::var("PORTCULLIS_TEST_LONG").map_or(1, |n| n.parse().expect("rounds"));
    for turn in 0..rounds {
        let seed = seed() + turn;
        let mut random = Random::new(seed);
        for version in [IpVersion::V4, IpVersion::V6] {
            for tracking in [Tracking::On, Tracking::Off] {
                let rules = some(version, tracking, &mut random, MANY);
                let (outcome, said) = round(version, tracking, &rules);
                // Options that exclude each other make a few rules that iptables refuses too.
                let wrong = outcome.wrong.len();
                assert!(wrong < MANY / 10, "iptables refuses {wrong}: {:?}", outcome.wrong[0]);
                println!(
                    "seed {seed}, {version:?}, tracking {tracking:?}: {} rules counted, {} refused by \
                     us as listed, {wrong} by iptables",
                    outcome.rules.len(),
                    outcome.refused.len()
                );
                assert!(
                    said.is_empty(),
                    "PORTCULLIS_TEST_SEED={seed}, {version:?}, tracking {tracking:?}:\n{said}"
                );
            }
        }
    }
}

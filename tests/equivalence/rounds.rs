//! The rounds: all options one by one, then rules at random.

use std::env;

use portcullis::net::IpVersion;

use super::compare::{Outcome, play, report};
use super::effects;
use super::generate::{Rule, each, prelude, some};
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

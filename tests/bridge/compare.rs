//! Every configuration under the subject and under Debian's plugins: the same, step by step.

use std::fmt::Write as _;
use std::thread;

use super::cases::cases;
use super::differences::{is_deliberate, is_deliberate_answer};
use super::generate::generated;
use super::play::{Case, Seen, play};
use super::plugins::{Maker, Plugins, subject};

/// What differs between two runs of a case and may not; empty if nothing does.
pub fn differences(case: &Case, ours: &[Seen], theirs: &[Seen], maker: Maker) -> String {
    let mut text = String::new();
    let mut before: &[String] = &[];
    let mut comparable = true;
    for (own, peer) in ours.iter().zip(theirs) {
        let deliberate =
            maker == Maker::Own && is_deliberate_answer(&case.name, &own.said, &peer.said);
        let mut report =
            if deliberate { String::new() } else { diff(case, maker, &own.said, &peer.said) };
        if maker == Maker::Own && own.step.contains(" ADD ") && !own.succeeded {
            // Ours takes a failed ADD back; the peer leaves what it had made, and from then on
            // kernel and disk are not the same.
            if !before.is_empty() {
                // An address that was given and taken back is not the next one to be given again.
                let is_state = |line: &&String| !line.contains("/last_reserved_ip.");
                let state = |lines: &[String]| -> Vec<String> {
                    lines.iter().filter(is_state).cloned().collect()
                };
                report.push_str(&diff(case, maker, &state(&own.state), &state(before)));
            }
            comparable = false;
        }
        if comparable {
            report.push_str(&diff(case, maker, &own.state, &peer.state));
        }
        if !report.is_empty() {
            write!(text, "step {}\n{report}", own.step).expect("a String takes all");
        }
        before = &own.state;
    }
    text
}

/// The lines that are only here (+) or only there (-), as often as they are.
fn diff(case: &Case, maker: Maker, ours: &[String], theirs: &[String]) -> String {
    let may = |line: &str| maker == Maker::Own && is_deliberate(&case.name, line);
    let mut missing: Vec<&String> = theirs.iter().collect();
    let mut text = String::new();
    for line in ours {
        match missing.iter().position(|other| *other == line) {
            Some(place) => drop(missing.swap_remove(place)),
            None if may(line) => {}
            None => writeln!(text, "  + {line}").expect("a String takes all"),
        }
    }
    for line in missing.into_iter().filter(|line| !may(line)) {
        writeln!(text, "  - {line}").expect("a String takes all");
    }
    text
}

/// Plays a case under both, each in a thread of its own.
pub fn compare(case: &Case, maker: Maker, tamper: fn(&Plugins)) -> String {
    let (ours, theirs) = thread::scope(|scope| {
        let ours = scope.spawn(|| play(case, maker, tamper));
        let theirs = scope.spawn(|| play(case, Maker::Peer, |_| {}));
        (ours.join().expect("ours is played"), theirs.join().expect("theirs is played"))
    });
    assert_eq!(ours.len(), case.steps.len(), "{}: not all steps were played", case.name);
    differences(case, &ours, &theirs, maker)
}

/// All cases that `only` (a part of their name) lets through.
fn check_all(cases: &[Case]) {
    let only = std::env::var("PORTCULLIS_TEST_CASE").unwrap_or_default();
    let chosen: Vec<&Case> = cases.iter().filter(|case| case.name.contains(&only)).collect();
    let mut failures = Vec::new();
    for case in &chosen {
        let report = compare(case, subject(), |_| {});
        if !report.is_empty() {
            failures.push(format!("=== {}\n{report}", case.name));
        }
    }
    let (failed, all) = (failures.len(), chosen.len());
    assert!(
        failed == 0,
        "{failed} of {all} cases differ (+ ours, - Debian's)\n{}",
        failures.concat()
    );
}

#[test]
fn cases_when_played_by_both_then_they_differ_only_where_meant() {
    check_all(&cases());
}

#[test]
fn generated_cases_when_played_by_both_then_they_differ_only_where_meant() {
    let long = std::env::var("PORTCULLIS_TEST_LONG").ok();
    let count = long.map_or(12, |count| count.parse().expect("PORTCULLIS_TEST_LONG: a number"));
    let cases: Vec<Case> = (1..=count).map(generated).collect();
    check_all(&cases);
}

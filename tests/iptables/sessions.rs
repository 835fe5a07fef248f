//! Sessions played twice: after each call the exit codes and all that was printed are the same, at
//! the end what both have saved.
//!
//! A session is a file: one call a line; what follows `<<` up to a `.` is its input. A line `~ why`
//! behind a call says that the answer differs on purpose, `~~ why` that the exit code differs too.
//! It must differ then.

use std::fs;
use std::path::Path;

use crate::lab::{Netns, isolate, split};
use crate::world::{Answer, Family};

#[test]
fn words_right_and_wrong_are_answered_as_by_iptables() {
    play("words");
}

#[test]
fn lists_are_those_of_iptables() {
    play("lists");
}

#[test]
fn chains_and_numbers_are_changed_as_by_iptables() {
    play("deeds");
}

#[test]
fn save_files_are_restored_as_by_iptables() {
    play("restore");
}

#[test]
fn rules_with_a_chain_of_their_own_are_those_of_iptables() {
    play("beside");
}

#[test]
fn what_others_are_known_to_call_is_answered_as_by_iptables() {
    play("habits");
}

/// What is expected of the two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Same,
    /// The same exit code, other words.
    OtherWords,
    /// Another exit code.
    Other,
}

struct Call {
    words: Vec<String>,
    text: String,
    input: String,
    likeness: Likeness,
}

fn session(name: &str) -> Vec<Call> {
    let file = Path::new("tests/iptables/sessions").join(name).with_extension("session");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut calls: Vec<Call> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if line.starts_with('~') {
            let likeness =
                if line.starts_with("~~ ") { Likeness::Other } else { Likeness::OtherWords };
            calls.last_mut().expect("a call in front of ~").likeness = likeness;
            continue;
        }
        let (text, input) = match line.strip_suffix("<<") {
            Some(text) => {
                let input = lines.by_ref().take_while(|line| *line != ".");
                (text.trim(), input.map(|line| format!("{line}\n")).collect())
            }
            None => (line, String::new()),
        };
        let (words, text) = (split(text), line.to_owned());
        calls.push(Call { words, text, input, likeness: Likeness::Same });
    }
    assert!(calls.len() > 10, "{}: too short", file.display());
    calls
}

fn play(name: &str) {
    isolate();
    let (real, ours) = (Netns::add("real"), Netns::add("ours"));
    let mut faults = Vec::new();
    for (number, call) in (1..).zip(session(name)) {
        let theirs = Family::Real.call(&real, &call.words, &call.input);
        let mine = Family::Ours.call(&ours, &call.words, &call.input);
        let found = match (dated(&theirs) == dated(&mine), theirs.code == mine.code) {
            (true, _) => Likeness::Same,
            (false, true) => Likeness::OtherWords,
            (false, false) => Likeness::Other,
        };
        if found != call.likeness {
            faults.push(format!(
                "{name} {number}: {}{}\n--- {:?}, expected {:?}\n{theirs:?}\n{mine:?}\n",
                call.text, call.input, found, call.likeness
            ));
        }
    }
    for program in ["iptables-save", "ip6tables-save"] {
        let (theirs, mine) =
            (Family::Real.saved(&real, program), Family::Ours.saved(&ours, program));
        if theirs != mine {
            faults.push(format!("{program}:\n{}\n---\n{}", theirs.join("\n"), mine.join("\n")));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Without the dates of iptables-save.
fn dated(answer: &Answer) -> Answer {
    let undated = |line: &str| match line.starts_with("# ") {
        true => line.split(" on ").next().unwrap_or_default().to_owned(),
        false => line.to_owned(),
    };
    Answer { out: answer.out.lines().map(undated).collect::<Vec<_>>().join("\n"), ..answer.clone() }
}

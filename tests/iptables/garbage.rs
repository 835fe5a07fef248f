//! Words and save files at random: no call panics, and one that fails has changed nothing.

use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::lab::{Netns, isolate, run};
use crate::world::Family;

const WORDS: [&str; 64] = [
    "-A",
    "-I",
    "-D",
    "-R",
    "-C",
    "-L",
    "-S",
    "-F",
    "-Z",
    "-N",
    "-X",
    "-E",
    "-P",
    "-h",
    "-V",
    "-t",
    "nat",
    "filter",
    "mangle",
    "INPUT",
    "FORWARD",
    "OUTPUT",
    "POSTROUTING",
    "A",
    "B",
    "1",
    "2",
    "0",
    "-j",
    "-g",
    "ACCEPT",
    "DROP",
    "RETURN",
    "MASQUERADE",
    "DNAT",
    "--to-destination",
    "192.0.2.1",
    "192.0.2.1:80",
    "-p",
    "tcp",
    "udp",
    "--dport",
    "80",
    "80:90",
    "-s",
    "-d",
    "10.0.0.0/8",
    "!",
    "-i",
    "-o",
    "eth0",
    "-m",
    "comment",
    "--comment",
    "",
    "conntrack",
    "--ctstate",
    "NEW",
    "-c",
    "\u{fc}",
    "-w",
    "-v",
    "--line-numbers",
    "\"",
];

/// What must stay as it is.
const RULES: &str = "*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*filter
:INPUT DROP [3:180]
:A - [0:0]
[1:60] -A INPUT -p tcp -m tcp --dport 22 -j A
[2:120] -A A -s 10.0.0.0/8 -j ACCEPT
COMMIT
";

fn words() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned);
    prop::collection::vec(word, 0..9)
}

fn ruleset(netns: &Netns) -> String {
    let output = netns.enter(|| run(Command::new("nft").args(["-a", "list", "ruleset"]), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// Plays calls with what `input` makes of random words; the table of each begins as [`RULES`].
fn play(cases: u32, call: impl Fn(Vec<String>, &[String]) -> (Vec<String>, String)) {
    isolate();
    let netns = Netns::add("host");
    let mut failed = 0;
    let restore = || {
        let words = ["iptables-restore".to_owned(), "-c".to_owned()];
        let answer = Family::Ours.call(&netns, &words, RULES);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        ruleset(&netns)
    };
    let mut before = restore();
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let lines = prop::collection::vec(words(), 1..6);
    for _ in 0..cases {
        let all = lines.new_tree(&mut runner).unwrap().current();
        let flat: Vec<String> = all.iter().map(|words| words.join(" ")).collect();
        let (words, input) = call(all[0].clone(), &flat);
        let answer = Family::Ours.call(&netns, &words, &input);
        let said = format!("{words:?}\n{input}\n{answer:?}");
        assert!(matches!(answer.code, Some(0..=4)), "{said}");
        assert!(!answer.err.contains("panicked"), "{said}");
        let after = ruleset(&netns);
        if answer.code != Some(0) {
            failed += 1;
            assert!(!answer.err.is_empty(), "{said}");
            assert_eq!(before, after, "{said}");
        } else if after != before {
            before = restore();
        }
    }
    assert!(failed > cases / 10, "only {failed} of {cases} calls failed");
}

#[test]
fn a_command_that_fails_has_changed_nothing() {
    play(250, |words, _| {
        (std::iter::once("iptables".to_owned()).chain(words).collect(), String::new())
    });
}

#[test]
fn a_save_file_that_fails_has_changed_nothing() {
    play(250, |words, lines| {
        // One table: those in front of a fault would stay in force.
        let noflush = words.len() % 2 == 0;
        let mut input = "*filter\n:A - [0:0]\n".to_owned();
        input.extend(lines.iter().map(|line| format!("{line}\n")));
        input += "COMMIT\n";
        let program = ["iptables-restore".to_owned()];
        (program.into_iter().chain(noflush.then(|| "-n".to_owned())).collect(), input)
    });
}

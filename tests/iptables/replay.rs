//! What dockerd 20.10 asked of iptables, asked of ours, call by call.
//!
//! The recordings are those of `tests/captures/docker-2010`; its README says what the lines mean.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::lab::{Netns, isolate, run, split};
use crate::world::{Answer, Family};

/// What has no native form: the call is refused with 2 and says so, and the rule is in no list.
const REFUSED: [(&str, &str); 3] = [
    ("CHECKSUM", "nf_tables has no expression that fills in a checksum"),
    ("--u32", "no expression follows what is read from the packet to another place in it"),
    ("--bytecode", "nf_tables runs no program of BPF within a rule"),
];

#[test]
fn one_daemon_with_its_networks_and_containers() {
    let names = recordings();
    let early: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name < "40").collect();
    assert!(early.len() > 20, "{early:?}");
    replay(&early);
}

#[test]
fn a_daemon_that_is_stopped_killed_and_started() {
    replay(&["40-restart-clean", "41-live-restore", "42-live-restore-flushed", "43-kill9-restart"]);
}

#[test]
fn daemons_with_other_options() {
    let names = recordings();
    let late: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name > "50").collect();
    assert!(late.len() > 9, "{late:?}");
    // Each begins with a daemon of its own; namespaces are a thread's.
    let replayed = late.into_iter().map(|name| {
        let name = name.to_owned();
        std::thread::spawn(move || replay(&[&name])).join()
    });
    let failed = replayed.filter(Result::is_err).count();
    assert_eq!(failed, 0, "recordings with faults");
}

fn recordings() -> Vec<String> {
    let files = fs::read_dir("tests/captures/docker-2010").unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".calls").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A call with what it answered.
struct Recorded<'a> {
    place: &'a str,
    line: &'a str,
    answer: Answer,
}

fn replay(names: &[&str]) {
    isolate();
    let host = Netns::add("host");
    let mut containers = Vec::new();
    let mut faults = Vec::new();
    for name in names {
        let file = Path::new("tests/captures/docker-2010").join(name).with_extension("calls");
        let text = fs::read_to_string(file).unwrap();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (kind, rest) = line.split_at_checked(2).unwrap_or((line, ""));
            match kind {
                "# " => {}
                "@ " => containers.push(Netns::add(&format!("c{}", containers.len()))),
                "% " => {
                    let words = split(rest);
                    host.enter(|| run(Command::new(&words[0]).args(&words[1..]), ""));
                }
                "$ " => {
                    let (place, line) = rest.split_once(' ').unwrap();
                    let mut answer =
                        Answer { code: Some(0), out: String::new(), err: String::new() };
                    while let Some(line) = lines.next_if(|line| line.starts_with(['=', '>', '!'])) {
                        let value = line.get(2..).unwrap_or_default();
                        match &line[..1] {
                            "=" => answer.code = Some(value.parse().unwrap()),
                            ">" => answer.out += &format!("{value}\n"),
                            _ => answer.err += &format!("{value}\n"),
                        }
                    }
                    let netns = if place == "host" { &host } else { containers.last().unwrap() };
                    check(name, netns, &Recorded { place, line, answer }, &mut faults);
                }
                "+ " => {
                    let mut expected = Vec::new();
                    while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                        expected.push(&line[2..]);
                    }
                    compare(name, &host, rest, &expected, &mut faults);
                }
                _ => panic!("{name}: {line}"),
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn check(name: &str, netns: &Netns, recorded: &Recorded<'_>, faults: &mut Vec<String>) {
    let Recorded { place, line, answer } = recorded;
    let ours = Family::Ours.call(netns, &split(line), "");
    if ours == *answer {
        return;
    }
    let refused = REFUSED.iter().any(|(word, _)| line.contains(word));
    let says_so = ["has no native nftables form", "is not supported"];
    if refused && ours.code == Some(2) && says_so.iter().any(|text| ours.err.contains(text)) {
        return;
    }
    faults.push(format!("{name}: {place}: {line}\n  {answer:?}\n  {ours:?}"));
}

fn compare(name: &str, netns: &Netns, program: &str, expected: &[&str], faults: &mut Vec<String>) {
    let is_native = |line: &str| !REFUSED.iter().any(|(word, _)| line.contains(word));
    let expected: Vec<&str> = expected.iter().copied().filter(|line| is_native(line)).collect();
    let saved = Family::Ours.saved(netns, program);
    // No packet came, so what chains have counted is nothing; the recording has none.
    let uncounted = |line: &String| line.strip_suffix(" [0:0]").unwrap_or(line).to_owned();
    let ours: Vec<String> = saved.iter().map(uncounted).filter(|line| is_native(line)).collect();
    // A rule that is refused makes no table either.
    let (ours, expected) = (without_empty_tables(&ours), without_empty_tables(&expected));
    if ours != expected {
        let (theirs, ours) = (expected.join("\n"), ours.join("\n"));
        faults.push(format!("{name}: {program}\n{theirs}\n---\n{ours}"));
    }
}

/// Without the tables that have neither a rule nor a chain of a user's.
fn without_empty_tables(lines: &[impl AsRef<str>]) -> Vec<&str> {
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let is_empty = |table: &&[&str]| {
        table
            .iter()
            .all(|line| line.starts_with('*') || *line == "COMMIT" || line.ends_with("ACCEPT"))
    };
    let tables = lines.split_inclusive(|line| *line == "COMMIT");
    tables.filter(|table| !is_empty(table)).flatten().copied().collect()
}

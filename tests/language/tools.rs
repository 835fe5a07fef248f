//! iptables and nft as programs, in namespaces of the tests' own.

use std::process::{Command, Output};

use nix::sched::{CloneFlags, unshare};
use portcullis::net::IpVersion;

use crate::lab::feed;

/// `iptables-nft`, `ip6tables-nft-save`: the name of a program.
pub fn tool(version: IpVersion, rest: &str) -> String {
    match version {
        IpVersion::V4 => format!("iptables-nft{rest}"),
        IpVersion::V6 => format!("ip6tables-nft{rest}"),
    }
}

/// Runs on a thread in a network namespace of its own.
pub fn in_netns<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("needs CAP_SYS_ADMIN for a network namespace");
            work()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs a tool with this input; it must succeed.
pub fn run(tool: &str, arguments: &[&str], input: &str) -> String {
    let output = try_run(tool, arguments, input);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {complaint}\n{}",
        named_lines(&complaint, input)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The same, but may fail.
pub fn try_run(tool: &str, arguments: &[&str], input: &str) -> Output {
    feed(Command::new(tool).args(arguments), input)
}

/// The lines that a complaint such as `Error occurred at line: 3` names, or none.
fn named_lines(complaint: &str, input: &str) -> String {
    let numbers: Vec<usize> = complaint.split("line").filter_map(first_number).collect();
    let lines = input.lines().enumerate().map(|(at, line)| (at + 1, line));
    let named: Vec<(usize, &str)> = lines.filter(|(at, _)| numbers.contains(at)).collect();
    named.iter().map(|(at, line)| format!("{at:4} {line}\n")).collect()
}

fn first_number(text: &str) -> Option<usize> {
    let text = text.trim_start_matches([':', ' ']);
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `nft list ruleset` says nothing on stderr, knows every word, and reads its own listing back.
pub fn listing_complaints() -> Vec<String> {
    let output = try_run("nft", &["list", "ruleset"], "");
    let listing = String::from_utf8(output.stdout).unwrap();
    let mut wrong = Vec::new();
    if !output.status.success() || !output.stderr.is_empty() {
        wrong.push(format!("nft list ruleset: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let bad = ["\txt ", " xt ", "unknown", "invalid type", "@nh,0,0", "reg "];
    for line in listing.lines() {
        // What nft calls a system without a fingerprint.
        let said = line.replace("osf name != \"unknown\"", "");
        if bad.iter().any(|word| said.contains(word)) && !line.contains("comment") {
            wrong.push(format!("nft lists {}", line.trim()));
        }
    }
    let (reloaded, again) = in_netns(|| {
        let reloaded = try_run("nft", &["-f", "-"], &listing);
        (reloaded, run("nft", &["list", "ruleset"], ""))
    });
    if !reloaded.status.success() {
        let complaint = String::from_utf8_lossy(&reloaded.stderr).into_owned();
        wrong.push(format!("nft cannot read its listing back: {complaint}"));
    } else if again != listing {
        let (first, second): (Vec<&str>, Vec<&str>) =
            (listing.lines().collect(), again.lines().collect());
        for (first, second) in first.iter().zip(&second).filter(|(a, b)| a != b) {
            wrong.push(format!("nft lists\n  {}\n  reloaded {}", first.trim(), second.trim()));
        }
    }
    wrong
}

//! Namespaces, and nft and iptables as processes inside them.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use nix::sched::{CloneFlags, unshare};

/// Gives the calling thread a new network namespace.
pub fn fresh_netns() {
    unshare(CloneFlags::CLONE_NEWNET).expect("needs CAP_SYS_ADMIN for a network namespace");
}

/// Runs a tool with this input and returns what it prints; it must succeed.
pub fn run(tool: &str, arguments: &[&str], input: &str) -> String {
    let output = try_run(tool, arguments, input);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{tool} {arguments:?}: {complaint}\n{input}");
    String::from_utf8(output.stdout).unwrap()
}

/// As [`run`], but may fail.
pub fn try_run(tool: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(tool);
    // nft shows dates in the time zone of its caller.
    command
        .env("TZ", "UTC")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("start {tool}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// `nft -f -`
pub fn nft(script: &str) {
    run("nft", &["-f", "-"], script);
}

/// `nft list table FAMILY NAME`
pub fn nft_list(table: &str) -> String {
    let words: Vec<&str> = ["list", "table"].into_iter().chain(table.split(' ')).collect();
    run("nft", &words, "")
}

/// The bytecode lines of `nft --debug=netlink list table`.
pub fn nft_bytecode(table: &str) -> Vec<String> {
    let words = ["--debug=netlink", "list", "table"].into_iter().chain(table.split(' '));
    let text = run("nft", &words.collect::<Vec<_>>(), "");
    bytecode_lines(&text)
}

/// The lines of expressions in libnftnl's text, without the timeout of 0 that the kernel adds.
pub fn bytecode_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with('['));
    lines.map(|line| line.replace(" timeout 0ms", "")).collect()
}

/// A listing without `expires …`, which moves.
pub fn without_expiry(listing: &str) -> String {
    let mut text = String::new();
    let mut rest = listing;
    while let Some(at) = rest.find(" expires ") {
        text.push_str(&rest[..at]);
        let tail = &rest[at + " expires ".len()..];
        let end = tail.find([' ', ',', '\n']).unwrap_or(tail.len());
        rest = &tail[end..];
    }
    text + rest
}

//! How rules are loaded, and which of them are refused: pairs of a rule's number and the error.

use std::process::{Command, ExitCode};

use portcullis::front::iptables::{Program, run as run_front};
use portcullis::net::IpVersion;

use super::generate::{CHAINS, Rule};
use super::lab::{Netns, feed, split};

const TABLES: &[&str] = &["raw", "mangle", "nat", "filter", "security"];

/// All in one piece, by iptables-legacy or iptables-nft; a rule that is refused is left out of the
/// next try.
pub fn by_restore(
    host: &Netns,
    version: IpVersion,
    variant: &str,
    rules: &[Rule],
) -> Vec<(usize, String)> {
    let ip = match version {
        IpVersion::V4 => "ip",
        IpVersion::V6 => "ip6",
    };
    let program = format!("{ip}tables-{variant}-restore");
    let restore = |numbers: &[usize]| restore(host, &program, rules, numbers);
    let mut refused: Vec<(usize, String)> = Vec::new();
    loop {
        let left = |at: &usize| refused.iter().all(|(other, _)| other != at);
        let numbers: Vec<usize> = (0..rules.len()).filter(left).collect();
        let Err((mut at, said)) = restore(&numbers) else { return refused };
        if at.is_none() {
            // The kernel refuses a table as a whole: the shortest beginning that it refuses
            // ends with the rule.
            let (mut good, mut bad) = (0, numbers.len());
            while good + 1 < bad {
                let middle = usize::midpoint(good, bad);
                match restore(&numbers[..middle]) {
                    Ok(()) => good = middle,
                    Err(_) => bad = middle,
                }
            }
            at = numbers.get(good).copied();
        }
        refused.push((at.unwrap_or_else(|| panic!("{said}")), said));
    }
}

/// Loads some of the rules in the place of all there are; the rule that is refused, if it is
/// named, and the words.
fn restore(
    host: &Netns,
    program: &str,
    rules: &[Rule],
    numbers: &[usize],
) -> Result<(), (Option<usize>, String)> {
    let (mut text, mut lines) = (String::new(), Vec::new());
    for table in TABLES {
        let of_table = |at: &&usize| rules[**at].table == *table;
        if numbers.iter().any(|at| of_table(&at)) {
            text += &format!("*{table}\n");
            lines.push(None);
            for chain in own_chains(rules, table) {
                text += &format!(":{chain} - [0:0]\n");
                lines.push(None);
            }
            for at in numbers.iter().filter(of_table) {
                text += &format!("-A {} {}\n", rules[*at].chain, rules[*at].words);
                lines.push(Some(*at));
            }
            text += "COMMIT\n";
            lines.push(None);
        }
    }
    let output = host.enter(|| feed(&mut Command::new(program), &text));
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let number = said.rsplit("line").find_map(|rest| -> Option<usize> {
        let rest = rest.trim_start_matches([':', ' ']);
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    });
    let at = number.and_then(|line| *lines.get(line.checked_sub(1)?)?);
    Err((at, said))
}

/// Rule by rule with our front, in the calling thread's namespace.
pub fn by_us(version: IpVersion, rules: &[Rule]) -> Vec<(usize, String)> {
    let program = Program::find(match version {
        IpVersion::V4 => "iptables",
        IpVersion::V6 => "ip6tables",
    })
    .unwrap();
    let call = |line: &str| -> Result<(), String> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        match run_front(program, &split(line), &mut out, &mut err) {
            ExitCode::SUCCESS => Ok(()),
            _ => Err(String::from_utf8(err).unwrap().trim().to_owned()),
        }
    };
    for table in TABLES {
        for chain in own_chains(rules, table) {
            call(&format!("-t {table} -N {chain}")).unwrap();
        }
    }
    let mut refused = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let line = format!("-t {} -A {} {}", rule.table, rule.chain, rule.words);
        if let Err(error) = call(&line) {
            refused.push((number, error));
        }
    }
    refused
}

/// Chains that no hook calls.
fn own_chains(rules: &[Rule], table: &str) -> Vec<&'static str> {
    let mut chains = Vec::new();
    for rule in rules.iter().filter(|rule| rule.table == table) {
        if !CHAINS.contains(&rule.chain) && !chains.contains(&rule.chain) {
            chains.push(rule.chain);
        }
    }
    chains
}

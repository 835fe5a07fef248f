//! The judge: a rule in the words of iptables, loaded by iptables-nft itself and by us.
//!
//! Each rule has a chain of its own, which the chain of the case jumps to, so that both checks (of
//! hooks, of tables) and several lines of one rule are seen. All rules of a test share one namespace
//! for iptables-nft and one for us. It needs root, iptables 1.8.9 and nft 1.0.6.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use nix::sched::{CloneFlags, unshare};
use portcullis::net::IpVersion;
use portcullis::nft::expr::{Immediate, Verdict};
use portcullis::nft::{
    BaseChain, Chain, ChainKind, Change, Family, Hook, Kernel, Name, Policy, Rule, Table, TableId,
    Transaction, list_rule,
};
use portcullis::xtables::{self, Companion, Compiled, Operation};

use crate::forget;

/// `filter/INPUT` and a rule.
pub type Case = (&'static str, &'static str);

/// A rule that we print otherwise than iptables-nft-save does, and why.
pub struct Difference {
    pub at: &'static str,
    pub rule: &'static str,
    pub ours: &'static str,
    pub why: &'static str,
}

/// Every rule prints as iptables-nft-save prints it, compiles again to what it is, and lists in
/// `nft list ruleset` as nft can read it.
pub fn judge(version: IpVersion, cases: &[Case]) {
    judge_with(version, cases, &[]);
}

/// The same, with rules that differ.
pub fn judge_with(version: IpVersion, cases: &[Case], differences: &[Difference]) {
    let all: Vec<Case> =
        cases.iter().copied().chain(differences.iter().map(|d| (d.at, d.rule))).collect();
    let mut wrong = Vec::new();
    let theirs = in_netns(|| saved_by_iptables(version, &all));
    let (ours, mut complaints) = in_netns(|| saved_by_us(version, &all));
    wrong.append(&mut complaints);
    for (number, (at, rule)) in all.iter().enumerate() {
        let (expected, found) = (&theirs[number], &ours[number]);
        match differences.get(number.wrapping_sub(cases.len())) {
            None if expected == found => {}
            None => wrong.push(format!(
                "{at} {rule}\n  iptables {}\n  ours     {}",
                expected.join("; "),
                found.join("; ")
            )),
            Some(Difference { ours, why, .. }) => {
                if found.join("; ") != *ours || expected == found {
                    wrong.push(format!(
                        "{at} {rule} ({why})\n  iptables {}\n  ours     {}\n  expected {ours}",
                        expected.join("; "),
                        found.join("; ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules as iptables-nft itself makes them read as iptables-nft-save prints them, but for those
/// that differ: the rule, what we print.
pub fn judge_foreign(version: IpVersion, cases: &[Case], differences: &[(&str, &str)]) {
    let (theirs, ours) = in_netns(|| {
        let theirs = saved_by_iptables(version, cases);
        let mut kernel = Kernel::open().unwrap();
        let read = |(number, (at, _)): (usize, &Case)| read(&mut kernel, version, at, number);
        let ours: Vec<Vec<String>> = cases.iter().enumerate().map(read).collect();
        (theirs, ours)
    });
    let mut wrong = Vec::new();
    for ((at, rule), (theirs, ours)) in cases.iter().zip(theirs.iter().zip(&ours)) {
        let (theirs, ours) = (theirs.join("; "), ours.join("; "));
        let differs = differences.iter().find(|(known, _)| known == rule);
        let expected = differs.map_or(theirs.as_str(), |(_, expected)| expected);
        if ours != expected || (differs.is_some() && ours == theirs) {
            wrong.push(format!("{at} {rule}\n  iptables {theirs}\n  ours     {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Each rule is the same as the one that iptables-nft itself made of it, and as no other, in both
/// ways: the tables are the rules by their meaning, one line each.
pub fn judge_same(version: IpVersion, meanings: &[&[Case]]) {
    let all: Vec<Case> = meanings.iter().flat_map(|cases| cases.iter().copied()).collect();
    let meaning_of = |number: usize| {
        let mut ends = meanings.iter().scan(0, |end, cases| {
            *end += cases.len();
            Some(*end)
        });
        ends.position(|end| number < end)
    };
    let theirs = in_netns(|| {
        saved_by_iptables(version, &all);
        let mut kernel = Kernel::open().unwrap();
        let rules = |(number, (at, _)): (usize, &Case)| listed(&mut kernel, version, at, number);
        all.iter().enumerate().map(rules).collect::<Vec<_>>()
    });
    let ours = in_netns(|| {
        let mut kernel = Kernel::open().unwrap();
        all.iter().for_each(|(at, _)| {
            kernel.commit(&base(version, at), None).unwrap();
        });
        let rules = |(number, (at, rule)): (usize, &Case)| {
            let compiled = compile(version, rule).unwrap();
            kernel.commit(&change(version, at, number, &compiled), None).unwrap();
            (compiled, listed(&mut kernel, version, at, number))
        };
        all.iter().enumerate().map(rules).collect::<Vec<_>>()
    });
    let mut wrong = Vec::new();
    for (number, (compiled, _)) in ours.iter().enumerate() {
        for (other, (theirs, (_, ours))) in theirs.iter().zip(&ours).enumerate() {
            let expected = meaning_of(number) == meaning_of(other);
            let bare = forget::forgotten(&ours[0]);
            let rules = [("of iptables", &theirs[0]), ("of ours", &ours[0]), ("listed", &bare)];
            for (whose, listed) in rules {
                if xtables::same(&compiled[0], listed, version) != expected {
                    let not = if expected { "not " } else { "" };
                    let (rule, other) = (all[number].1, all[other].1);
                    wrong.push(format!("{rule}\n  is {not}the same as {other} {whose}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules that we refuse, with the error's text.
pub fn refused(version: IpVersion, cases: &[(&str, &str)]) {
    let told = |rule: &str| match compile(version, rule) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    };
    let wrong: Vec<String> = cases
        .iter()
        .map(|(rule, expected)| (rule, *expected, told(rule)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(rule, expected, found)| format!("{rule}\n  found    {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What `-A CHAIN` with this rule compiles to.
pub fn compile(version: IpVersion, rule: &str) -> Result<Vec<Compiled>, xtables::Error> {
    compile_words(version, &split(rule))
}

/// Words as a shell splits them: blanks, double quotes, and what they escape.
pub fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => word.get_or_insert_default().extend(chars.next()),
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
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
    let mut command = Command::new(tool);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("start {tool}: {error}"));
    // One that ends without reading its input is judged by its exit code.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
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

fn tool(version: IpVersion, rest: &str) -> String {
    match version {
        IpVersion::V4 => format!("iptables-nft{rest}"),
        IpVersion::V6 => format!("ip6tables-nft{rest}"),
    }
}

fn place(at: &str) -> (&str, &str) {
    at.split_once('/').expect("a case names TABLE/CHAIN")
}

fn chain_name(number: usize) -> String {
    format!("case{number}")
}

/// The chains that rules of the cases name as targets: `-j next`, `-g next`.
const USER_CHAINS: [&str; 2] = ["next", "DOCKER"];

/// Loads all rules by iptables-nft-restore, and gives the lines of each as iptables-nft-save
/// prints them, without `-A CHAIN`.
fn saved_by_iptables(version: IpVersion, cases: &[Case]) -> Vec<Vec<String>> {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for (number, (at, rule)) in cases.iter().enumerate() {
        let (table, chain) = place(at);
        let chains = USER_CHAINS.map(|chain| format!(":{chain} - [0:0]\n")).concat();
        let text = tables.entry(table).or_insert_with(|| format!("*{table}\n{chains}"));
        let own = chain_name(number);
        let _ = writeln!(text, ":{own} - [0:0]\n-A {own} {rule}\n-A {chain} -j {own}");
    }
    let mut saved = vec![Vec::new(); cases.len()];
    for (table, text) in tables {
        run(&tool(version, "-restore"), &[], &format!("{text}COMMIT\n"));
        let save = run(&tool(version, "-save"), &["-t", table], "");
        for line in save.lines() {
            let Some((chain, rule)) =
                line.strip_prefix("-A case").map(|rest| rest.split_once(' ').unwrap_or((rest, "")))
            else {
                continue;
            };
            saved[chain.parse::<usize>().unwrap()].push(rule.to_owned());
        }
    }
    saved
}

/// Commits all rules, and gives what we print of them; and what is wrong with what nft lists and
/// with what the printed words compile to.
fn saved_by_us(version: IpVersion, cases: &[Case]) -> (Vec<Vec<String>>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut kernel = Kernel::open().unwrap();
    for at in cases.iter().map(|(at, _)| at) {
        kernel.commit(&base(version, at), None).unwrap();
    }
    let (mut saved, mut all) = (Vec::new(), Vec::new());
    for (number, (at, rule)) in cases.iter().enumerate() {
        let rules = match compile(version, rule) {
            Ok(rules) => rules,
            Err(error) => {
                saved.push(vec![format!("error: {error}")]);
                continue;
            }
        };
        if let Err(error) = kernel.commit(&change(version, at, number, &rules), None) {
            saved.push(vec![format!("refused: {error:#}")]);
            continue;
        }
        let lines = read(&mut kernel, version, at, number);
        let is_read = |(line, _): &(&String, &Compiled)| !line.starts_with("unread: ");
        for (line, compiled) in lines.iter().zip(&rules).filter(is_read) {
            match compile(version, line) {
                Ok(again) if again.as_slice() == std::slice::from_ref(compiled) => {}
                Ok(again) => {
                    wrong.push(format!("{rule}\n  compiles {compiled:?}\n  again    {again:?}"));
                }
                Err(error) => wrong.push(format!("{rule}\n  printed {line}\n  {error}")),
            }
        }
        saved.push(lines);
        all.extend(rules);
    }
    wrong.extend(forget::complaints(version, &all));
    wrong.extend(listing_complaints());
    (saved, wrong)
}

/// What of chain `caseN` we print.
fn read(kernel: &mut Kernel, version: IpVersion, at: &str, number: usize) -> Vec<String> {
    let family = table(version, at).family;
    let rules = listed(kernel, version, at, number);
    let line = |rule: &Rule| match xtables::Rule::read(rule, version) {
        Some(read) => read.saved(),
        None => format!("unread: {}", list_rule(family, rule, &|_| None)),
    };
    rules.iter().map(line).collect()
}

/// The rules of chain `caseN`, with the sets that are theirs.
fn listed(kernel: &mut Kernel, version: IpVersion, at: &str, number: usize) -> Vec<Rule> {
    let id = table(version, at);
    let chain = Name::new(chain_name(number)).unwrap();
    let rules = kernel.rules(&id, Some(&chain)).unwrap();
    let mut all = Vec::new();
    for (_, listed) in rules {
        let mut own = BTreeMap::new();
        for expr in &listed.value.exprs {
            let portcullis::nft::Expr::Lookup(lookup) = expr else { continue };
            let sets = kernel.sets(&id).unwrap();
            if let Some(set) = sets.iter().find(|set| set.name == *lookup.set.name()) {
                let elements = kernel.elements(&id, &set.name).unwrap();
                own.insert(set.name.clone(), (set.clone(), elements));
            }
        }
        all.push(listed.value.with_own_sets(|name| own.get(name).cloned()));
    }
    all
}

/// `nft list ruleset` says nothing on stderr, knows every word, and reads its own listing back.
fn listing_complaints() -> Vec<String> {
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

fn compile_words(version: IpVersion, words: &[String]) -> Result<Vec<Compiled>, xtables::Error> {
    let words: Vec<String> =
        ["-A".to_owned(), "case".to_owned()].into_iter().chain(words.iter().cloned()).collect();
    match xtables::command(&words, version)?.operation {
        Operation::Append { rules, .. } => Ok(rules),
        other => panic!("-A is {other:?}"),
    }
}

fn table(version: IpVersion, at: &str) -> TableId {
    let family = match version {
        IpVersion::V4 => Family::Ip,
        IpVersion::V6 => Family::Ip6,
    };
    TableId { family, name: Name::new(place(at).0).unwrap() }
}

/// The table, its base chain and the chains that rules jump to.
pub fn base(version: IpVersion, at: &str) -> Transaction {
    let id = table(version, at);
    let (table, chain) = place(at);
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        other => panic!("no chain {other}"),
    };
    let (kind, priority) = match (table, hook) {
        ("filter", _) => (ChainKind::Filter, 0),
        ("nat", Hook::Prerouting | Hook::Output) => (ChainKind::Nat, -100),
        ("nat", _) => (ChainKind::Nat, 100),
        ("mangle", Hook::Output) => (ChainKind::Route, -150),
        ("mangle", _) => (ChainKind::Filter, -150),
        ("raw", _) => (ChainKind::Filter, -300),
        ("security", _) => (ChainKind::Filter, 150),
        (other, _) => panic!("no table {other}"),
    };
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(id.clone())));
    for chain in USER_CHAINS {
        transaction.push(Change::AddChain(id.clone(), Chain::new(Name::literal(chain))));
    }
    let name = Name::new(chain).unwrap();
    let chain = BaseChain {
        name,
        kind,
        hook,
        priority,
        policy: Policy::Accept,
        device: None,
        userdata: Default::default(),
    };
    transaction.push(Change::AddBaseChain(id, chain));
    transaction
}

/// Chain `caseN` with its rules, and the jump to it.
pub fn change(version: IpVersion, at: &str, number: usize, rules: &[Compiled]) -> Transaction {
    let id = table(version, at);
    let chain = Name::new(chain_name(number)).unwrap();
    let mut transaction = Transaction::new();
    transaction.push(Change::AddChain(id.clone(), Chain::new(chain.clone())));
    for Compiled { rule, companions } in rules {
        for companion in companions {
            transaction.push(match companion {
                Companion::Set(set) => Change::AddSet(id.clone(), set.clone()),
                Companion::Object(object) => Change::AddObject(id.clone(), object.clone()),
            });
        }
        let (table, chain, rule) = (id.clone(), chain.clone(), rule.clone());
        transaction.push(Change::AddRule { table, chain, rule, after: None });
    }
    let jump = Rule::new(vec![Immediate::Verdict(Verdict::Jump(chain)).into()]);
    let from = Name::new(place(at).1).unwrap();
    transaction.push(Change::AddRule { table: id, chain: from, rule: jump, after: None });
    transaction
}

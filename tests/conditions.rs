//! Conditions mean what iptables means: the same packets, the same counts.
//!
//! In the host of a laboratory each condition is loaded twice, by iptables-nft into table `mangle`
//! and by `portcullis::xtables` into an inet table at the same hook. Crafted packets of several
//! protocols, ports, sources, flags and states then pass both, and every pair of counters must be
//! equal. Some conditions must also count something and not everything, else the test shows nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conditions/cases.rs"]
mod cases;
#[path = "conditions/headers.rs"]
mod headers;
mod lab;
#[path = "conditions/traffic.rs"]
mod traffic;

use std::process::Command;

use cases::At;
use lab::{Lab, Netns};
use portcullis::net::IpVersion;
use portcullis::nft::expr::Counter;
use portcullis::nft::{
    BaseChain, ChainKind, Change, Expr, Family, Hook, Kernel, Name, Policy, Rule, Table, TableId,
    Transaction, Userdata,
};
use portcullis::xtables::conditions;
use traffic::traffic;

#[test]
fn ipv4_conditions_when_packets_pass_then_count_as_iptables() {
    compare("iptables", IpVersion::V4);
}

#[test]
fn ipv6_conditions_when_packets_pass_then_count_as_ip6tables() {
    compare("ip6tables", IpVersion::V6);
}

/// A hook and its names on both sides.
struct Side {
    hook: Hook,
    theirs: &'static str,
    ours: &'static str,
    not: At,
}

const SIDES: [Side; 2] = [
    Side { hook: Hook::Prerouting, theirs: "PREROUTING", ours: "in", not: At::Out },
    Side { hook: Hook::Output, theirs: "OUTPUT", ours: "out", not: At::In },
];

fn compare(tool: &str, version: IpVersion) {
    let lab = Lab::new();
    prepare(&lab, tool, version);
    // What neighbours say while the rules are loaded must not reach one counter and not the other.
    let close = "add table inet gate
        add chain inet gate in { type filter hook prerouting priority -450; policy drop; }
        add chain inet gate out { type filter hook output priority -450; policy drop; }";
    lab.host.nft(close);
    for side in &SIDES {
        let cases = cases(side, version);
        load_theirs(&lab.host, tool, side, &cases);
        lab.host.enter(|| load_ours(side, version, &cases));
    }
    lab.host.nft("delete table inet gate");
    traffic(&lab, version);
    lab.host.nft(close);
    let mut wrong = Vec::new();
    for side in &SIDES {
        let theirs = their_counts(&lab.host, tool, side);
        let ours = lab.host.enter(|| our_counts(side));
        let cases = cases(side, version);
        assert_eq!((theirs.len(), ours.len()), (cases.len(), cases.len()));
        let telling = theirs.iter().filter(|count| **count != 0 && **count != theirs[0]).count();
        println!(
            "{tool} {}: {} packets, {} conditions, {telling} match some and not all",
            side.theirs,
            theirs[0],
            cases.len()
        );
        assert!(telling * 2 > cases.len(), "the packets tell too few conditions apart");
        for ((case, theirs), ours) in cases.iter().zip(theirs).zip(ours) {
            println!("{theirs:6} {ours:6}  {tool} {} {case}", side.theirs);
            if theirs != ours {
                wrong.push(format!("{} {case}: {theirs} in {tool}, {ours} here", side.theirs));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.host.ruleset());
}

fn cases(side: &Side, version: IpVersion) -> Vec<&'static str> {
    cases::of(version).filter(|(at, _)| *at != side.not).map(|(_, words)| words).collect()
}

/// A known hardware address, published ports, marks on some packets, a flow without tracking.
fn prepare(lab: &Lab, tool: &str, version: IpVersion) {
    lab.outside.ip("link set eth0 address 02:00:00:00:00:99\n");
    let to = match version {
        IpVersion::V4 => "10.88.0.2:80",
        IpVersion::V6 => "[fd00:88::2]:80",
    };
    for rule in [
        "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination @",
        "-t nat -A OUTPUT -p tcp --dport 8081 -j DNAT --to-destination @",
        "-t nat -A POSTROUTING -o cni0 -p tcp -j MASQUERADE",
        "-t raw -A PREROUTING -p udp --dport 7777 -j CT --notrack",
        "-t raw -A PREROUTING -p udp --dport 53 -j MARK --set-mark 0x10",
        "-t raw -A PREROUTING -p tcp --dport 80 -j MARK --set-mark 0x55",
        "-t raw -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 0x10",
        "-t raw -A OUTPUT -p udp -j MARK --set-mark 0x50",
        "-t mangle -A INPUT -p tcp --dport 443 -j CONNMARK --set-mark 1",
    ] {
        let words = rule.replace('@', to);
        iptables(&lab.host, tool, words.split(' '));
    }
}

fn iptables<'a>(netns: &Netns, tool: &str, words: impl Iterator<Item = &'a str> + Send) -> String {
    let output = netns.enter(|| Command::new(tool).args(words).output().expect("iptables starts"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("iptables prints UTF-8")
}

/// One chain for each condition: a list of addresses makes several rules.
fn load_theirs(netns: &Netns, tool: &str, side: &Side, cases: &[&str]) {
    for (number, case) in cases.iter().enumerate() {
        let chain = format!("{}{number}", side.ours);
        iptables(netns, tool, ["-t", "mangle", "-N", &chain].into_iter());
        let words = ["-t", "mangle", "-A", side.theirs, "-j", &chain];
        iptables(netns, tool, words.into_iter());
        // Conditions of a hook are checked where the chain is the hook's own.
        let words = ["-t", "mangle", "-A", &chain].into_iter();
        iptables(netns, tool, words.chain(case.split_whitespace()));
    }
}

fn their_counts(netns: &Netns, tool: &str, side: &Side) -> Vec<u64> {
    let output = netns.enter(|| {
        Command::new(format!("{tool}-save")).args(["-c", "-t", "mangle"]).output().expect("starts")
    });
    let text = String::from_utf8(output.stdout).expect("iptables-save prints UTF-8");
    let mut counts = Vec::new();
    for line in text.lines() {
        let Some((count, rule)) = line.strip_prefix('[').and_then(|line| line.split_once("] -A "))
        else {
            continue;
        };
        let chain = rule.split(' ').next().unwrap();
        let number = chain.strip_prefix(side.ours).and_then(|n| n.parse::<usize>().ok());
        if let Some(number) = number {
            counts.resize(counts.len().max(number + 1), 0);
            counts[number] += count.split(':').next().unwrap().parse::<u64>().unwrap();
        }
    }
    counts
}

fn table() -> TableId {
    TableId { family: Family::Inet, name: Name::literal("conditions") }
}

fn load_ours(side: &Side, version: IpVersion, cases: &[&str]) {
    let mut kernel = Kernel::open().unwrap();
    let chain = BaseChain {
        name: Name::literal(side.ours),
        kind: ChainKind::Filter,
        hook: side.hook,
        // Right behind mangle.
        priority: -149,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(table())));
    transaction.push(Change::AddBaseChain(table(), chain));
    kernel.commit(&transaction, None).unwrap();
    for case in cases {
        let words: Vec<String> = case.split_whitespace().map(str::to_owned).collect();
        let mut exprs = conditions(&words, version).unwrap_or_else(|e| panic!("{case}: {e}"));
        exprs.push(Expr::Counter(Counter::default()));
        let mut transaction = Transaction::new();
        let chain = Name::literal(side.ours);
        let rule = Rule::new(exprs);
        transaction.push(Change::AddRule { table: table(), chain, rule: rule.into(), after: None });
        kernel.commit(&transaction, None).unwrap_or_else(|e| panic!("{case}: {e}"));
    }
}

fn our_counts(side: &Side) -> Vec<u64> {
    let mut kernel = Kernel::open().unwrap();
    let rules = kernel.rules(&table(), Some(&Name::literal(side.ours))).unwrap();
    let count = |rule: &Rule| {
        rule.exprs.iter().find_map(|expr| match expr {
            Expr::Counter(counter) => Some(counter.packets),
            _ => None,
        })
    };
    rules.iter().map(|(_, rule)| count(&rule.value).expect("each rule counts")).collect()
}

//! The comparison can see: rules of ours that are wrong on purpose are found, each of them.

use std::fmt::Write as _;

use portcullis::net::IpVersion;

use super::compare::{Outcome, play};
use super::effects;
use super::generate::{Rule, each, prelude};
use super::lab::isolate;
use super::traffic::{Tracking, traffic};

/// Without fingerprints in the kernel no system is known, and neither form takes a packet.
const BLIND: &[&str] = &["-m osf"];

/// What is written, and the fault: off by one, a bit of a mask, the other end, the other field.
const FAULTS4: &[(&str, &str)] = &[
    ("-p tcp -m tcp --dport 79:91", "-p tcp -m tcp --dport 79:90"),
    ("-p tcp -m tcp --dport :79", "-p tcp -m tcp --dport :80"),
    ("-p tcp -m tcp --sport 1024:", "-p tcp -m tcp --sport 1025:"),
    ("-p tcp -m tcp --sport 80", "-p tcp -m tcp --dport 80"),
    ("-p tcp -m tcp --tcp-flags SYN,ACK SYN", "-p tcp -m tcp --tcp-flags SYN,RST SYN"),
    ("-p tcp -m tcp --tcp-flags ALL NONE", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK NONE"),
    ("-p tcp -m tcp --syn", "-p tcp -m tcp --tcp-flags FIN,SYN,ACK SYN"),
    ("-m mark --mark 0x10/0xf0", "-m mark --mark 0x10/0xe0"),
    ("-m mark ! --mark 0x55/0xff", "-m mark ! --mark 0x55/0xaa"),
    ("-m mark ! --mark 3/1", "-m mark ! --mark 1/1"),
    ("-m conntrack ! --ctstate NEW,INVALID", "-m conntrack ! --ctstate NEW"),
    ("-m conntrack --ctstate RELATED,ESTABLISHED", "-m conntrack --ctstate ESTABLISHED"),
    ("-m conntrack ! --ctstatus CONFIRMED", "-m conntrack ! --ctstatus SEEN_REPLY"),
    ("-m conntrack --ctstatus NONE", "-m conntrack --ctstatus CONFIRMED"),
    ("-m conntrack --ctstate DNAT", "-m conntrack --ctstate SNAT"),
    ("-p icmp -m icmp ! --icmp-type 3/3", "-p icmp -m icmp ! --icmp-type 3"),
    ("-p icmp -m icmp --icmp-type 3/4", "-p icmp -m icmp --icmp-type 3/3"),
    ("-p icmp -m icmp --icmp-type any", "-p icmp -m icmp --icmp-type 8"),
    ("-m length --length 60:", "-m length --length 61:"),
    ("-m ttl --ttl-gt 254", "-m ttl --ttl-gt 255"),
    ("-m ttl --ttl-lt 5", "-m ttl --ttl-lt 6"),
    ("-m dscp --dscp 0x2e", "-m dscp --dscp 0x2f"),
    ("-s 192.0.2.0/24", "-s 192.0.2.0/27"),
    ("-d 10.88.0.0/31", "-d 10.88.0.0/30"),
    ("-i e+", "-i e"),
    ("! -i e0", "! -i e"),
    ("-p udp", "-p udplite"),
    ("-f", "! -f"),
    ("-m addrtype --dst-type LOCAL", "-m addrtype --src-type LOCAL"),
    (
        "-m iprange --src-range 192.0.2.10-192.0.2.20",
        "-m iprange --src-range 192.0.2.11-192.0.2.20",
    ),
    ("-p tcp -m multiport --sports 80,443", "-p tcp -m multiport --ports 80,443"),
    ("-m connmark --mark 1", "-m connmark --mark 0"),
    ("-m pkttype --pkt-type multicast", "-m pkttype --pkt-type broadcast"),
    ("-m limit --limit 1/hour --limit-burst 5", "-m limit --limit 1/hour --limit-burst 6"),
    (
        "-m statistic --mode nth --every 3 --packet 2",
        "-m statistic --mode nth --every 4 --packet 2",
    ),
];

/// The same for targets.
const FAULTS_OF_TARGETS: &[(&str, &str)] = &[
    ("-j DROP", "-j ACCEPT"),
    ("-j RETURN", ""),
    ("-j REJECT", "-j DROP"),
    ("--reject-with icmp-net-prohibited", "--reject-with icmp-host-prohibited"),
    ("--reject-with tcp-reset", ""),
    ("--set-mark 0x10/0xf0", "--set-mark 0x10/0xf1"),
    ("--set-xmark 0x1f/0xf", "--set-mark 0x1f/0xf"),
    ("--and-mark 0x5", "--or-mark 0x5"),
    ("--xor-mark 0xffffffff", "--xor-mark 0xfffffffe"),
    ("CONNMARK --save-mark", "CONNMARK --restore-mark"),
    ("--set-dscp 0x10", "--set-dscp 0x11"),
    ("--set-dscp-class AF41", "--set-dscp-class AF42"),
    ("--ttl-set 64", "--ttl-set 65"),
    ("--set-class 1:ffff", "--set-class 1:fffe"),
    ("--set-mss 1400", "--set-mss 1401"),
    ("--strip-options timestamp", "--strip-options wscale"),
    ("TEE --gateway 10.88.0.3", "TEE --gateway 192.0.2.2"),
    ("CT --notrack", "CT --zone 7"),
    ("CT --zone 5", "CT --zone 6"),
    ("--to-destination 10.88.0.2:80", "--to-destination 10.88.0.2:81"),
    ("--to-destination :8081", "--to-destination :8082"),
    ("--to-ports 8082", "--to-ports 8083"),
    ("MASQUERADE --to-ports 2000", "MASQUERADE --to-ports 2001"),
    ("-j MASQUERADE", "-j SNAT --to-source 192.0.2.77"),
    ("SNAT --to-source 192.0.2.1:2001", "SNAT --to-source 192.0.2.1:2002"),
    ("NETMAP --to 10.88.0.0/24", "NETMAP --to 10.88.0.0/30"),
];

fn with_fault(rules: &[Rule], fault: &dyn Fn(&Rule) -> Rule) -> Outcome {
    let (version, tracking) = (IpVersion::V4, Tracking::On);
    let (fixed, packets) = (prelude(version, tracking), traffic(version, tracking));
    play(version, &fixed, rules, &packets, fault)
}

/// Rules of which both hosts count the same although ours means something else.
fn unseen(outcome: &Outcome, rules: &[Rule]) -> String {
    let different = outcome.different();
    let seen = |rule: &Rule| different.iter().any(|at| outcome.rules[*at] == *rule);
    let mut text = String::new();
    for (rule, error) in outcome.unexpected.iter().chain(&outcome.wrong) {
        let _ = writeln!(text, "refused: {rule}: {error}");
    }
    for rule in rules.iter().filter(|rule| !seen(rule)) {
        let _ = writeln!(text, "not seen: {rule}");
    }
    text
}

#[test]
fn negations_when_ours_loses_them_then_each_is_seen() {
    isolate();
    let negated = |rule: &Rule| rule.words.contains("! ");
    let plain = |rule: &Rule| Rule { words: rule.words.replace("! ", ""), ..rule.clone() };
    let rules: Vec<Rule> = each(IpVersion::V4, Tracking::On).into_iter().filter(negated).collect();
    let outcome = with_fault(&rules, &plain);
    // What we refuse negated or not is no rule of ours.
    let kept: Vec<Rule> = rules
        .into_iter()
        .filter(|rule| outcome.rules.contains(rule))
        .filter(|rule| !BLIND.iter().any(|part| rule.words.contains(part)))
        .collect();
    assert!(kept.len() > 150, "{} negated rules", kept.len());
    let said = unseen(&outcome, &kept);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn values_when_ours_has_others_then_each_is_seen() {
    isolate();
    let rules: Vec<Rule> =
        FAULTS4.iter().map(|(rule, _)| Rule::new("mangle", "PREROUTING", rule)).collect();
    let changed = |rule: &Rule| {
        let (_, fault) = FAULTS4.iter().find(|(right, _)| *right == rule.words).unwrap();
        Rule { words: (*fault).to_owned(), ..rule.clone() }
    };
    let outcome = with_fault(&rules, &changed);
    let said = unseen(&outcome, &rules);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn targets_when_ours_does_something_else_then_each_is_seen() {
    isolate();
    let (mut rules, mut packets, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut cases = Vec::new();
    for (of_case, to_it) in effects::effects(IpVersion::V4) {
        let rule = of_case[0].clone();
        let found = FAULTS_OF_TARGETS.iter().find(|(right, _)| {
            rule.words.ends_with(right) && !faults.iter().any(|(_, other)| other == right)
        });
        if let Some((right, wrong)) = found {
            faults.push((rule.words.clone(), *right));
            let changed = rule.words.replace(right, wrong);
            rules.extend(of_case.clone());
            packets.extend(to_it.clone());
            cases.push((of_case, to_it));
            assert_ne!(rule.words, changed);
        }
    }
    assert_eq!(faults.len(), FAULTS_OF_TARGETS.len(), "{faults:#?}");
    let changed = |rule: &Rule| {
        let Some((_, right)) = faults.iter().find(|(words, _)| *words == rule.words) else {
            return rule.clone();
        };
        let (_, wrong) = FAULTS_OF_TARGETS.iter().find(|(other, _)| other == right).unwrap();
        Rule { words: rule.words.replace(right, wrong).trim().to_owned(), ..rule.clone() }
    };
    let outcome = play(IpVersion::V4, &effects::prelude(), &rules, &packets, &changed);
    let mut text = String::new();
    for (rule, error) in outcome.unexpected.iter().chain(&outcome.wrong) {
        let _ = writeln!(text, "refused: {rule}: {error}");
    }
    let different = outcome.different();
    for ((words, _), (alone, to_it)) in faults.iter().zip(&cases) {
        let port = words.split(' ').nth(3).unwrap();
        let hex = format!("{:04x}", port.parse::<u16>().unwrap());
        let seen = outcome.frames.iter().any(|said| said.contains(&hex) || said.contains(port))
            || different.iter().any(|at| outcome.rules[*at].words.contains(port))
            // Behind a rewritten port the rule is known only where it is alone.
            || !play(IpVersion::V4, &effects::prelude(), alone, to_it, &changed).frames.is_empty();
        if !seen {
            let _ = writeln!(text, "not seen: {words}");
        }
    }
    assert!(text.is_empty(), "{text}");
}

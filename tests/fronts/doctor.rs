//! `portcullis doctor`.

use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Netns, isolate, run};

use super::call::Answer;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

fn doctor(netns: &Netns, words: &[&str]) -> Answer {
    let mut command = Command::new(BINARY);
    command.arg("doctor").args(words).env("PATH", "/usr/sbin:/usr/bin");
    netns.enter(|| Answer::of(&mut command, ""))
}

fn found(netns: &Netns) -> Value {
    serde_json::from_str(&doctor(netns, &["--json"]).success()).unwrap()
}

#[test]
fn doctor_when_the_namespace_is_empty_then_finds_nothing_in_it() {
    isolate();
    let netns = Netns::add("host");
    let found = found(&netns);
    assert_eq!(found["legacyTables"], json!({"ip": [], "ip6": []}));
    assert_eq!((&found["wrapped"], &found["forwardDropped"]), (&json!([]), &json!([])));
    let text = doctor(&netns, &[]).success();
    assert!(text.contains("legacy tables: none\n"), "{text}");
    assert!(text.contains("rules through nft_compat: none\n"), "{text}");
}

#[test]
fn doctor_when_others_filter_then_says_where() {
    isolate();
    let netns = Netns::add("host");
    let script = "
        iptables-legacy -A INPUT -s 192.0.2.1 -j DROP
        ip6tables-legacy -t mangle -A INPUT -s 2001:db8::1 -j DROP
        iptables-nft -A INPUT -m conntrack --ctstate NEW -m addrtype --dst-type LOCAL
        iptables-nft -A INPUT -m conntrack --ctstate NEW
        iptables-nft -t nat -A POSTROUTING -j MASQUERADE
        iptables-nft -P FORWARD DROP
        iptables-nft -P INPUT DROP
    ";
    netns.enter(|| run(Command::new("sh").arg("-e"), script));
    let before = netns.ruleset();
    let found = found(&netns);
    assert_eq!(found["legacyTables"], json!({"ip": ["filter"], "ip6": ["mangle"]}));
    assert_eq!(found["forwardDropped"], json!([{"table": "ip filter", "chain": "FORWARD"}]));
    assert_eq!(
        found["wrapped"],
        json!([
            {"table": "ip filter", "chain": "INPUT", "rules": 2,
             "extensions": {"conntrack": 2, "addrtype": 1}},
            {"table": "ip nat", "chain": "POSTROUTING", "rules": 1,
             "extensions": {"MASQUERADE": 1}},
        ])
    );
    let text = doctor(&netns, &[]).success();
    for line in [
        "  ip filter",
        "  ip6 mangle",
        "  ip filter INPUT: 2 rules: addrtype 1, conntrack 2",
        "  ip nat POSTROUTING: 1 rule: MASQUERADE 1",
        "  ip filter FORWARD",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is missing in\n{text}");
    }
    assert_eq!(netns.ruleset(), before);
}

#[test]
fn doctor_when_the_path_leads_to_other_programs_then_names_them() {
    isolate();
    let netns = Netns::add("host");
    std::fs::create_dir("/run/bin").unwrap();
    std::os::unix::fs::symlink("/usr/sbin/iptables-legacy", "/run/bin/iptables").unwrap();
    std::os::unix::fs::symlink(BINARY, "/run/bin/ip6tables").unwrap();
    let mut command = Command::new(BINARY);
    command.args(["doctor", "--json"]).env("PATH", "/run/bin");
    let answer = netns.enter(|| Answer::of(&mut command, "")).success();
    let found: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(found["programs"]["iptables"]["kind"], "legacy");
    assert_eq!(found["programs"]["iptables"]["path"], "/run/bin/iptables");
    assert_eq!(found["programs"]["ip6tables"]["kind"], "portcullis");
}

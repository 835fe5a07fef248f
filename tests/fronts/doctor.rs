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
    assert_eq!(found["refused"]["rules"], json!([]));
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

/// Lets the calling thread see no rules that the machine itself loads when it starts, and write some.
const OWN_FILES: &str = "
mkdir -p /run/etc/upper /run/etc/work
mount -t overlay layer -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
rm -rf /etc/iptables /etc/ufw /etc/sysconfig
mkdir /etc/iptables /etc/ufw /etc/sysconfig
";

/// What `ufw limit 22/tcp` writes.
const LIMITED: &str = "*filter
:ufw-user-input - [0:0]
-A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set
-A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j DROP
-A ufw-user-input -p tcp --dport 22 -j ACCEPT
COMMIT
";

const HITCOUNT: &str =
    "option --hitcount is not supported: a set remembers the last time only, not how often";

fn isolate_with_files() {
    isolate();
    run(Command::new("sh").args(["-ec", OWN_FILES]), "");
}

#[test]
fn doctor_when_rules_would_be_refused_then_names_them_and_no_others() {
    isolate_with_files();
    let netns = Netns::add("host");
    netns.enter(|| run(&mut Command::new("iptables-nft-restore"), LIMITED));
    let others = "
        ip6tables-nft -t raw -A PREROUTING -m recent --name x --rcheck --hitcount 2
        ip6tables-nft -t raw -A PREROUTING -m recent --name y --rcheck --seconds 2
        ip6tables-nft -t raw -A PREROUTING -m recent --name y --rcheck --seconds 3
        iptables-nft -t nat -A POSTROUTING -m addrtype --src-type LOCAL -j MASQUERADE
        nft add rule ip filter ufw-user-input meta nftrace set 1
    ";
    netns.enter(|| run(Command::new("sh").arg("-e"), others));
    let before = netns.ruleset();
    let found = found(&netns);
    let rules = found["refused"]["rules"].as_array().unwrap();
    let rule = |at: usize| {
        let rule = &rules[at];
        ["table", "chain", "rule", "reason"].map(|key| rule[key].as_str().unwrap())
    };
    let limit = "-p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j DROP";
    assert_eq!(rule(0), ["ip filter", "ufw-user-input", limit, HITCOUNT]);
    let mask = "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource";
    let counts = format!("-m recent --rcheck --hitcount 2 --name x {mask}");
    assert_eq!(rule(1), ["ip6 raw", "PREROUTING", &counts, HITCOUNT]);
    // A list has one time, that of the rule in front.
    let other_time = format!("-m recent --rcheck --seconds 3 --name y {mask}");
    assert_eq!(rule(2)[..3], ["ip6 raw", "PREROUTING", &other_time]);
    assert!(rule(2)[3].starts_with("the list in the set \"recent-y\""), "{rules:#?}");
    assert_eq!((rules.len(), &found["refused"]["lines"]), (3, &json!([])));
    let text = doctor(&netns, &[]).success();
    let refused = text.lines().filter(|line| line.ends_with(HITCOUNT)).count();
    assert_eq!(refused, 2, "{text}");
    // It is so: what the kernel has, this program does not load.
    let saved = netns.enter(|| Answer::of(&mut Command::new("iptables-nft-save"), "")).success();
    let mut restore = Command::new(BINARY);
    restore.args(["iptables-restore", "--test"]);
    let answer = netns.enter(|| Answer::of(&mut restore, &saved));
    assert!(answer.stderr.contains("--hitcount"), "{answer:?}");
    assert_eq!(netns.ruleset(), before);
}

#[test]
fn doctor_when_lines_of_files_would_be_refused_then_names_each() {
    isolate_with_files();
    let netns = Netns::add("host");
    std::fs::write("/etc/ufw/user.rules", LIMITED).unwrap();
    let v6 = "*filter\n-A INPUT -p icmpv6 -j ACCEPT\n-A INPUT -m physdev --physdev-in x\nCOMMIT\n";
    std::fs::write("/etc/iptables/rules.v6", v6).unwrap();
    std::fs::write("/etc/sysconfig/iptables", "*filter\n-A INPUT -j DROP\nCOMMIT\n").unwrap();
    std::fs::create_dir("/etc/iptables/rules.v4").unwrap();
    let physdev = "match \"physdev\" has no native nftables form: ports of a bridge are matched in tables of the bridge family";
    assert_eq!(
        found(&netns)["refused"],
        json!({
            "rules": [],
            "lines": [
                {"file": "/etc/iptables/rules.v4", "line": null,
                 "reason": "it cannot be read: Is a directory"},
                {"file": "/etc/iptables/rules.v6", "line": 3, "reason": physdev},
                {"file": "/etc/ufw/user.rules", "line": 4, "reason": HITCOUNT},
            ],
        })
    );
    let text = doctor(&netns, &[]).success();
    let line = format!("  /etc/ufw/user.rules line 4: {HITCOUNT}");
    assert!(text.lines().any(|found| found == line), "{text}");
    assert!(text.contains("rules that this program would refuse: none\n"), "{text}");
}

#[test]
fn install_iptables_when_something_would_be_refused_then_warns_and_installs() {
    isolate_with_files();
    let install = || {
        let mut command = Command::new(BINARY);
        command.args(["install", "iptables", "--bin-dir", "/run/programs"]);
        Answer::of(&mut command, "")
    };
    let quiet = install();
    assert_eq!((quiet.status.code(), quiet.stderr.as_str()), (Some(0), ""));
    std::fs::write("/etc/ufw/user.rules", LIMITED).unwrap();
    run(&mut Command::new("iptables-nft-restore"), LIMITED);
    let warned = install();
    assert_eq!(warned.status.code(), Some(0), "{warned:?}");
    let of_each = warned.stderr.lines().filter(|line| line.ends_with(HITCOUNT)).count();
    assert_eq!(of_each, 2, "{warned:?}");
    assert!(warned.stderr.contains("`portcullis doctor`"), "{warned:?}");
    assert_eq!(warned.stdout.lines().count(), 10, "{warned:?}");
}

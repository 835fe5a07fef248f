//! Rules that iptables-nft itself made, native and not, and those of nft.

use portcullis::net::IpVersion::{self, V4, V6};

use crate::judge::judge_foreign;
use crate::rules::Case;

/// `CHAIN RULE [;; WORDS]` under `*TABLE`.
const RULES4: &str = include_str!("../compat/ipv4.rules");
/// The same for IPv6.
const RULES6: &str = include_str!("../compat/ipv6.rules");

/// Rules that iptables-nft-save prints otherwise than they are, and what we print.
const MORE_EXACT: &[(&str, &str)] = &[
    (
        "-m hashlimit --hashlimit-upto 100b/s --hashlimit-burst 1500b --hashlimit-mode srcip --hashlimit-name i",
        "-m hashlimit --hashlimit-upto 96b/s --hashlimit-burst 1536b --hashlimit-mode srcip --hashlimit-name i",
    ),
    ("-p esp -m esp ! --espspi 0:4294967295", "-p esp -m esp ! --espspi 0:4294967295"),
];

fn cases(text: &'static str) -> Vec<Case> {
    let mut table = "";
    let mut cases = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
            continue;
        }
        let rule = line.split(" ;; ").next().unwrap_or_default();
        let Some((chain, rule)) = rule.split_once(' ') else { continue };
        let at: &'static str = Box::leak(format!("{table}/{chain}").into_boxed_str());
        cases.push((at, rule));
    }
    cases
}

fn check(version: IpVersion, text: &'static str) {
    let cases = cases(text);
    assert!(cases.len() > 100, "{}", cases.len());
    judge_foreign(version, &cases, MORE_EXACT);
}

#[test]
fn rules_of_iptables_when_read_then_print_as_iptables_does() {
    check(V4, RULES4);
}

#[test]
fn rules_of_ip6tables_when_read_then_print_as_ip6tables_does() {
    check(V6, RULES6);
}

#[test]
fn native_rules_of_iptables_when_read_then_print_as_iptables_does() {
    judge_foreign(
        V4,
        &[
            ("filter/FORWARD", "-i + -o + -j DROP"),
            ("filter/FORWARD", "! -i + -o + -j DROP"),
            ("filter/FORWARD", "-i eth+ -o + -j DROP"),
            ("filter/FORWARD", "! -f -s 10.0.0.0/12 -d 10.0.0.0/24 -p tcp -i docker0"),
            ("filter/INPUT", "-p tcp --sport 5 --dport 6 --syn"),
            ("filter/INPUT", "-p udp ! --sport 5 --dport 6"),
            ("filter/INPUT", "-p udp --sport :100 ! --dport 0:100"),
            ("filter/INPUT", "-p tcp --sport 100: --dport 80:90"),
            ("filter/INPUT", "-m mark --mark 1/3 -m limit --limit 5/s -p tcp ! --syn -g next"),
            ("filter/INPUT", "-p tcp -m tcp -m comment --comment x -j DROP"),
            ("filter/INPUT", "-m state --state NEW -j ACCEPT"),
            ("raw/PREROUTING", "-j TRACE"),
            ("raw/PREROUTING", "-j NOTRACK"),
        ],
        &[],
    );
}

//! `-j TPROXY`, which is a rule and a chain: both ways, beside iptables-nft.

use portcullis::net::IpVersion::{V4, V6};
use portcullis::nft::Name;
use portcullis::xtables::{self, is_companion_chain};

use crate::judge::{judge, judge_foreign, judge_same, refused};
use crate::rules::{Case, compile};

/// Rules that are printed as iptables-nft prints them.
const RULES4: &[Case] = &[
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port 15001"),
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port 0"),
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port 65535 --on-ip 127.0.0.1"),
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port http --on-ip 0.0.0.0"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 1"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 0x1/0x1"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 3/1"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 0/0xf0"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 0xff/0"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 0/0"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --tproxy-mark 0xffffffff"),
    (
        "mangle/PREROUTING",
        "-i eth0 -d 10.0.0.0/8 -p tcp --dport 80 -m comment --comment \"to the proxy\" -j TPROXY \
         --tproxy-mark 0x1/0x1 --on-ip 127.0.0.1 --on-port 3129",
    ),
    // The same chain again.
    ("mangle/PREROUTING", "-p tcp --dport 81 -j TPROXY --on-port 15001"),
];

const RULES6: &[Case] = &[
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port 15001"),
    ("mangle/PREROUTING", "-p udp -j TPROXY --on-port 53 --on-ip ::1 --tproxy-mark 5"),
    ("mangle/PREROUTING", "-p tcp -j TPROXY --on-port 0 --on-ip fd00::2 --tproxy-mark 0x1/0xff"),
    ("mangle/PREROUTING", "-s fd00::/8 -p tcp -j TPROXY --on-port 1 --on-ip ::"),
];

#[test]
fn tproxy_when_appended_then_saved_as_iptables_does() {
    judge(V4, RULES4);
    judge(V6, RULES6);
}

#[test]
fn tproxy_when_iptables_nft_has_made_it_then_reads_the_same() {
    judge_foreign(V4, RULES4, &[]);
    judge_foreign(V6, RULES6, &[]);
}

#[test]
fn tproxy_when_compared_then_is_the_same_by_meaning() {
    let at = "mangle/PREROUTING";
    judge_same(
        V4,
        &[
            &[
                (at, "-p tcp -j TPROXY --on-port 80"),
                (at, "-p tcp -j TPROXY --on-port http --on-ip 0.0.0.0 --tproxy-mark 0/0"),
            ],
            &[(at, "-p tcp -j TPROXY --on-port 81")],
            &[(at, "-p udp -j TPROXY --on-port 80")],
            &[(at, "-p tcp -j TPROXY --on-port 80 --on-ip 127.0.0.1")],
            &[(at, "-p tcp -j TPROXY --on-port 80 --tproxy-mark 1")],
            &[(at, "-p tcp -j TPROXY --on-port 80 --tproxy-mark 1/1")],
        ],
    );
}

#[test]
fn tproxy_when_wrong_then_error_says_why() {
    refused(
        V4,
        &[
            (
                "-j TPROXY --on-port 80",
                "match \"TPROXY\" needs \"-p tcp\" or \"-p udp\" in the rule",
            ),
            (
                "! -p tcp -j TPROXY --on-port 80",
                "match \"TPROXY\" needs \"-p tcp\" or \"-p udp\" in the rule",
            ),
            ("-p tcp -j TPROXY", "match \"TPROXY\" needs --on-port"),
            ("-p tcp -j TPROXY --on-port 70000", "option --on-port: \"70000\" is not a port"),
            (
                "-p tcp -j TPROXY --on-port 80 --on-ip ::1",
                "option --on-ip: \"::1\" is not an address",
            ),
            (
                "-p tcp -j TPROXY --on-port 80 --tproxy-mark x",
                "option --tproxy-mark: \"x\" is not a mark: expected VALUE or VALUE/MASK of 32 bits",
            ),
        ],
    );
}

#[test]
fn chain_when_named_as_one_that_came_with_a_rule_then_is_no_chain_of_a_users() {
    let name = "tproxy-tcp-15001-7f000001-00000001-ffffffff";
    assert!(is_companion_chain(&Name::literal(name)));
    for (words, says) in [
        (vec!["-N", name], "expected 1 to 28 bytes"),
        (vec!["-X", name], "expected 1 to 28 bytes"),
        (vec!["-F", name], "expected 1 to 28 bytes"),
        (vec!["-A", name], "expected 1 to 28 bytes"),
        (vec!["-E", "a", name], "expected 1 to 28 bytes"),
        (vec!["-A", "a", "-j", name], "is not the name of a chain"),
    ] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let said = xtables::command(&words, V4).unwrap_err().to_string();
        assert!(said.contains(says), "{words:?}: {said}");
    }
    // Another way to write it is none of them.
    for name in [
        "tproxy-tcp-015001-7f000001-00000001-ffffffff",
        "tproxy-tcp-15001-7F000001-00000001-ffffffff",
        "tproxy-tcp-15001-7f000001-1-ffffffffffffffff",
        "tproxy-sctp-15001-7f000001-00000001-ffffffff",
        "tproxy-tcp-15001-7f000001-00000001-ffffffff-",
        "a-chain-of-somebody-who-uses-nft",
    ] {
        assert!(!is_companion_chain(&Name::literal(name)), "{name}");
    }
}

/// nft keeps no userdata but comments: a listing that it has loaded again is read all the same.
#[test]
fn tproxy_when_reloaded_by_nft_then_reads_the_same() {
    for (_, words) in RULES4 {
        let compiled = compile(V4, words).unwrap();
        let bare = portcullis::nft::Rule::new(compiled[0].rule.exprs.clone());
        let read = |rule| xtables::Rule::read(rule, V4).map(|rule| rule.words());
        let without_comment = |words: Vec<String>| -> Vec<String> {
            let at = words.iter().position(|word| word == "comment");
            let comment = at.map_or(0..0, |at| at - 1..at + 3);
            words
                .iter()
                .enumerate()
                .filter(|(n, _)| !comment.contains(n))
                .map(|(_, w)| w.clone())
                .collect()
        };
        let expected = read(&compiled[0].rule).map(without_comment);
        assert_eq!(read(&bare), expected, "{words}");
    }
}

//! Options that no other case names.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::judge;
use crate::rules::compile;

#[test]
fn rest_when_appended_then_saved_as_iptables_does() {
    judge(V6, &[("filter/INPUT", "-m hl --hl-gt 5")]);
}

/// iptables 1.8.9 has no file for udplite, and prints a date that nobody gave beside `--utc`.
#[test]
fn rest_when_iptables_cannot_judge_then_means_what_another_spelling_means() {
    for (rule, other) in [
        (
            "-p udplite --sport 1 --dport 2:3 -j ACCEPT",
            "-p 136 -m udplite --sport 1 --dport 2:3 -j ACCEPT",
        ),
        (
            "-m time --timestart 10:00 --timestop 11:00 --utc",
            "-m time --timestart 10:00 --timestop 11:00",
        ),
    ] {
        assert_eq!(compile(V4, rule).unwrap(), compile(V4, other).unwrap(), "{rule}");
    }
}

//! Options that no other case names.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::judge;

#[test]
fn rest_when_appended_then_saved_as_iptables_does() {
    judge(V4, &[("filter/INPUT", "-p udplite --sport 1 --dport 2:3 -j ACCEPT")]);
    judge(V6, &[("filter/INPUT", "-m hl --hl-gt 5")]);
    judge(V4, &[("filter/INPUT", "-m time --timestart 10:00 --timestop 11:00 --utc")]);
}

//! `-m recent`, whose lists are sets: both ways, beside iptables-nft.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{judge, judge_same, refused};
use crate::rules::Case;

const RULES4: &[Case] = &[
    ("filter/INPUT", "-m recent --set"),
    ("filter/INPUT", "-m recent --set --name X -j ACCEPT"),
    ("filter/INPUT", "-m recent --rcheck --name X --rsource -j ACCEPT"),
    ("filter/INPUT", "-m recent ! --rcheck --name X --rdest"),
    ("filter/INPUT", "-m recent --update --name X --mask 255.255.255.0"),
    ("filter/INPUT", "-m recent ! --update --name X --mask 255.0.255.0"),
    ("filter/INPUT", "-m recent --set --name X --mask 0.0.0.0 --rdest"),
    ("filter/INPUT", "-p tcp --dport 22 -m recent --rcheck --seconds 60 --name ssh.22 -j DROP"),
    ("filter/INPUT", "-m recent ! --rcheck --seconds 60 --name ssh.22"),
    ("filter/INPUT", "-m recent --update --seconds 0x3c --reap --name ssh.22"),
    ("filter/INPUT", "-m recent --rcheck --seconds 2147483647 --name ever"),
    (
        "nat/PREROUTING",
        "-m comment --comment \"default/web -> 10.1.1.2:80\" -m recent --rcheck --seconds 10800 --reap \
         --name KUBE-SEP-LONGNAMEOFABC --rsource -j next",
    ),
];

const RULES6: &[Case] = &[
    ("filter/INPUT", "-m recent --set --rdest"),
    ("filter/INPUT", "-m recent --rcheck --mask ffff:ffff::"),
    ("filter/INPUT", "-m recent ! --rcheck --seconds 5 --reap --name y"),
    ("filter/INPUT", "-m recent --update --seconds 5 --name y --rdest"),
];

#[test]
fn recent_when_appended_then_saved_as_iptables_does() {
    judge(V4, RULES4);
    judge(V6, RULES6);
}

#[test]
fn recent_when_compared_then_is_the_same_by_meaning() {
    let at = "filter/INPUT";
    judge_same(
        V4,
        &[
            &[
                (at, "-m recent --rcheck --name a"),
                (at, "-m recent --name a --rsource --mask 255.255.255.255 --rcheck"),
            ],
            &[(at, "-m recent ! --rcheck --name a")],
            &[(at, "-m recent --update --name a")],
            &[(at, "-m recent ! --update --name a")],
            &[(at, "-m recent --set --name a")],
            &[(at, "-m recent --rcheck --name b")],
            &[(at, "-m recent --rcheck --name a --rdest")],
            &[(at, "-m recent --rcheck --name a --mask 255.255.0.0")],
            &[(at, "-m recent --rcheck --seconds 60 --name c")],
            &[(at, "-m recent --rcheck --seconds 60 --reap --name c")],
            &[(at, "-m recent --update --seconds 60 --name c")],
        ],
    );
}

#[test]
fn recent_when_a_list_cannot_say_it_then_error_says_why() {
    let age = "a set remembers the last time only, not how often";
    let cases = [
        ("--rcheck --hitcount 3", format!("option --hitcount is not supported: {age}")),
        (
            "--rcheck --rttl",
            "option --rttl is not supported: a set remembers addresses, not what else came with them"
                .to_owned(),
        ),
        (
            "! --set",
            "option ! --set is not supported: it never matches, and adds the address all the same"
                .to_owned(),
        ),
        (
            "--remove",
            "option --remove is not supported: what a rule deletes stays in the set's hash \
             table until that is cleaned, and may keep the same address from being added again"
                .to_owned(),
        ),
        (
            "! --update --seconds 5",
            "option ! --update is not supported: an address that is too old would have to be \
             renewed, which is gone by then"
                .to_owned(),
        ),
        ("--name X", "match \"recent\" needs --set, --rcheck or --update".to_owned()),
        (
            "--set --rcheck",
            "option --rcheck cannot be used together with --set".to_owned(),
        ),
        (
            "--set --seconds 5",
            "match \"recent\" needs --rcheck or --update for --seconds".to_owned(),
        ),
        ("--rcheck --reap", "match \"recent\" needs --seconds for --reap".to_owned()),
        (
            "--rcheck --seconds 0",
            "option --seconds: \"0\" is not a number of seconds, 1 or more".to_owned(),
        ),
        (
            "--rcheck --name a/b",
            "option --name: \"a/b\" is not a name of letters, digits, \"-\", \"_\" and \".\"".to_owned(),
        ),
    ];
    for (words, says) in cases {
        refused(V4, &[(format!("-m recent {words}").as_str(), says.as_str())]);
    }
}

//! Lists of states and translations, by which a map decides: both ways, beside iptables-nft.

use portcullis::net::IpVersion::{V4, V6};

use crate::judge::{judge, judge_foreign, judge_same, refused};
use crate::rules::Case;

const RULES: &[Case] = &[
    ("filter/INPUT", "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"),
    ("filter/INPUT", "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT"),
    ("filter/INPUT", "-m conntrack ! --ctstate DNAT -j ACCEPT"),
    ("filter/INPUT", "-m conntrack ! --ctstate SNAT,DNAT -j RETURN"),
    ("filter/INPUT", "-m conntrack ! --ctstate INVALID,SNAT -j RETURN"),
    ("filter/INPUT", "-m conntrack ! --ctstate NEW,RELATED,ESTABLISHED,SNAT -j DROP"),
    ("filter/INPUT", "-m conntrack --ctstate NEW,DNAT -j ACCEPT"),
    ("filter/INPUT", "-m conntrack --ctstate INVALID,SNAT,DNAT -j DROP"),
    ("filter/INPUT", "-m conntrack --ctstate NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT -j ACCEPT"),
    ("nat/PREROUTING", "-m conntrack --ctstate DNAT,NEW -j RETURN"),
    (
        "filter/INPUT",
        "-p tcp -m mark --mark 1 -m conntrack ! --ctstate DNAT -m comment --comment \"a b\" -j DROP",
    ),
];

/// The rule of kubelet against what comes from elsewhere to addresses of 127.0.0.0/8.
const KUBELET: &str = "! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming \
                       localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";

#[test]
fn states_and_translations_when_appended_then_saved_as_iptables_does() {
    judge(V4, RULES);
    judge(V4, &[("filter/INPUT", KUBELET)]);
    judge(V6, RULES);
}

#[test]
fn states_and_translations_when_iptables_nft_has_made_them_then_read_the_same() {
    judge_foreign(V4, RULES, &[]);
}

#[test]
fn states_and_translations_when_compared_then_are_the_same_by_meaning() {
    let at = "filter/INPUT";
    judge_same(
        V4,
        &[
            &[
                (at, "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"),
                (at, "-m conntrack ! --ctstate DNAT,ESTABLISHED,RELATED -j DROP"),
            ],
            &[(at, "-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j DROP")],
            &[(at, "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j RETURN")],
            &[(at, "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT")],
            &[(at, "-m conntrack ! --ctstate RELATED,ESTABLISHED,SNAT -j DROP")],
            &[(at, "-m conntrack ! --ctstate RELATED,DNAT -j DROP")],
            &[(at, "-m conntrack ! --ctstate DNAT -j DROP")],
            &[(at, "-m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP")],
        ],
    );
}

#[test]
fn states_and_translations_when_a_map_cannot_decide_then_error_says_why() {
    const TARGET: &str = "SNAT or DNAT beside other states, or negated, can have ACCEPT, DROP or \
                          RETURN behind it, negated no target too: a map decides of packets by \
                          their states, and can say no more";
    const BEHIND: &str = "the states in front of it decide of some packets alone, so that it would \
                          not be asked: put it in front of them";
    let behind = |name: &str| format!("match \"{name}\" is not supported: {BEHIND}");
    let alone = |value: &str| {
        format!(
            "option --ctstate: \"{value}\" has no native nftables form: SNAT and DNAT are no states, \
             and beside others a map decides, behind which the other options of this match are not \
             asked: give those a \"-m conntrack\" of their own in front"
        )
    };
    for (rule, says) in [
        ("-m conntrack ! --ctstate DNAT -j next", TARGET.to_owned()),
        ("-m conntrack ! --ctstate DNAT -g next", TARGET.to_owned()),
        ("-m conntrack ! --ctstate DNAT -j LOG", TARGET.to_owned()),
        ("-m conntrack ! --ctstate DNAT -j REJECT", TARGET.to_owned()),
        ("-m conntrack --ctstate NEW,DNAT", TARGET.to_owned()),
        ("-m conntrack ! --ctstate DNAT -m mark --mark 1 -j DROP", behind("mark")),
        ("-m conntrack ! --ctstate DNAT -m conntrack --ctstate NEW -j DROP", behind("conntrack")),
        ("-m conntrack --ctstate NEW,DNAT --ctproto tcp -j DROP", alone("NEW,DNAT")),
    ] {
        refused(V4, &[(rule, says.as_str())]);
    }
}

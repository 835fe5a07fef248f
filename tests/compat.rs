//! Expressions of nft_compat in words: what iptables-nft and ip6tables-nft leave behind reads as
//! iptables-nft-save prints it.
//!
//! The real tools load a list of rules into a network namespace. Each rule is then read back by
//! portcullis, and its expressions `match` and `target` must give the words that iptables-nft-save
//! prints of the same rule, word for word and in order. What is left of the saved rule is what
//! iptables made of native expressions, and the list says for each rule what that is: so a module
//! that becomes native, or ceases to be, fails here. It needs root and iptables 1.8.9.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use lab::{feed, split};
use nix::sched::{CloneFlags, unshare};
use portcullis::net::IpVersion;
use portcullis::nft::{Expr, Family, Kernel, Name, TableId};
use portcullis::xtables::compat::words;

/// `CHAIN RULE [;; WORDS]` under `*TABLE`: the words are those that iptables made native.
const RULES4: &str = include_str!("compat/ipv4.rules");
/// The same for IPv6.
const RULES6: &str = include_str!("compat/ipv6.rules");

/// Where iptables-nft-save prints something else than the rule holds: the rule, what it prints, what
/// we print instead. A burst is cut down to a whole unit, "never" is left out like "always", and a
/// blank is not quoted.
const MORE_EXACT: &[(&str, &str, &str)] = &[
    ("--hashlimit-burst 1500b", "--hashlimit-burst 1kb", "--hashlimit-burst 1536b"),
    ("! --espspi 0:4294967295", "-m esp", "-m esp ! --espspi 0:4294967295"),
    ("--genre \"a b\" --ttl 2", "--genre a b", "--genre \"a b\""),
];

/// What iptables 1.8.9 writes as native expressions, verdicts included. `tcp` and `udp` are in the
/// other list too: with `--tcp-option`, or where they exclude nothing, they stay structures.
const NATIVE: Modules = Modules {
    both: &["NFLOG", "TRACE", "limit", "mark", "tcp", "udp"],
    v4: &["ACCEPT", "DROP", "RETURN"],
    v6: &[],
};

/// What it leaves as structures.
const COMPAT: Modules = Modules {
    both: &[
        "AUDIT",
        "CHECKSUM",
        "CLASSIFY",
        "CONNMARK",
        "CONNSECMARK",
        "CT",
        "DNAT",
        "DSCP",
        "HMARK",
        "IDLETIMER",
        "LOG",
        "MARK",
        "MASQUERADE",
        "NETMAP",
        "NFQUEUE",
        "NOTRACK",
        "REDIRECT",
        "REJECT",
        "SNAT",
        "SYNPROXY",
        "TCPMSS",
        "TCPOPTSTRIP",
        "TEE",
        "TOS",
        "TPROXY",
        "addrtype",
        "ah",
        "bpf",
        "cgroup",
        "cluster",
        "comment",
        "connbytes",
        "connlabel",
        "connlimit",
        "connmark",
        "conntrack",
        "cpu",
        "devgroup",
        "dscp",
        "ecn",
        "esp",
        "hashlimit",
        "helper",
        "iprange",
        "length",
        "mac",
        "multiport",
        "owner",
        "physdev",
        "pkttype",
        "policy",
        "quota",
        "recent",
        "rpfilter",
        "sctp",
        "socket",
        "state",
        "statistic",
        "string",
        "tcp",
        "tcpmss",
        "time",
        "tos",
        "udp",
    ],
    v4: &[
        "ECN", "RATEEST", "TTL", "dccp", "icmp", "ipcomp", "osf", "rateest", "realm", "ttl", "u32",
    ],
    v6: &[
        "DNPT",
        "HL",
        "SNPT",
        "dst",
        "eui64",
        "frag",
        "hbh",
        "hl",
        "icmp6",
        "ipv6header",
        "mh",
        "rt",
        "srh",
    ],
};

/// Modules that have only one form.
const FEW_FORMS: &[&str] = &["NOTRACK", "eui64"];

/// Modules whose structures the lists cannot show here, with what is missing: the unit tests of the
/// decoder have them.
const REFUSED: &[(&str, &str, &str)] = &[
    ("filter", "-A INPUT -m ipvs --ipvs", "Extension ipvs revision 0 not supported"),
    ("mangle", "-A INPUT -j LED --led-trigger-id a", "Extension LED revision 0 not supported"),
    ("filter", "-A INPUT -p udplite -m udplite --dport 53", "Couldn't load match `udplite'"),
    ("filter", "-A INPUT -m set --match-set portcullis src", "doesn't exist"),
    // There is no such object, and nothing here that makes one.
    ("filter", "-A INPUT -m nfacct --nfacct-name portcullis", "No such file or directory"),
    ("raw", "-A PREROUTING -p tcp -j CT --timeout portcullis", "No such file or directory"),
    ("filter", "-A OUTPUT -m cgroup --path portcullis/none", "Invalid argument"),
    // The kernel has no security module.
    ("mangle", "-A INPUT -j SECMARK --selctx a:b:c", "No such file or directory"),
];

/// Modules of both families and of one.
struct Modules {
    both: &'static [&'static str],
    v4: &'static [&'static str],
    v6: &'static [&'static str],
}

impl Modules {
    fn of(&self, version: IpVersion) -> BTreeSet<&'static str> {
        let own = match version {
            IpVersion::V4 => self.v4,
            IpVersion::V6 => self.v6,
        };
        self.both.iter().chain(own).copied().collect()
    }
}

struct Case {
    table: &'static str,
    chain: &'static str,
    rule: &'static str,
    native: Vec<String>,
}

fn tool(version: IpVersion, suffix: &str) -> String {
    let name = match version {
        IpVersion::V4 => "iptables-nft",
        IpVersion::V6 => "ip6tables-nft",
    };
    format!("{name}{suffix}")
}

fn fresh_netns() {
    unshare(CloneFlags::CLONE_NEWNET).expect("needs CAP_SYS_ADMIN for a network namespace");
}

fn cases(rules: &'static str) -> Vec<Case> {
    let mut table = "";
    let mut cases = Vec::new();
    for line in rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
            continue;
        }
        let (rule, native) = line.split_once(" ;; ").unwrap_or((line, ""));
        let (chain, rule) = rule.split_once(' ').unwrap();
        cases.push(Case { table, chain, rule, native: split(native) });
    }
    cases
}

fn restore(version: IpVersion, cases: &[Case]) {
    let mut input = String::new();
    let mut table = "";
    for case in cases {
        if case.table != table {
            if !table.is_empty() {
                input.push_str("COMMIT\n");
            }
            table = case.table;
            input.push_str(&format!("*{table}\n"));
        }
        input.push_str(&format!("-A {} {}\n", case.chain, case.rule));
    }
    input.push_str("COMMIT\n");
    let output = feed(&mut Command::new(tool(version, "-restore")), &input);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{input}");
}

/// Each rule of a chain as it is saved.
fn saved(version: IpVersion, table: &str, chain: &str) -> Vec<String> {
    let output = feed(Command::new(tool(version, "-save")).args(["-t", table]), "");
    let start = format!("-A {chain}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rules = text.lines().filter_map(|line| line.strip_prefix(start.as_str()));
    rules.map(str::to_owned).collect()
}

/// The saved rule, save where [`MORE_EXACT`] says that it is not what the rule holds.
fn exact(rule: &str, saved: String) -> String {
    match MORE_EXACT.iter().find(|(of, _, _)| rule.contains(of)) {
        Some((_, printed, held)) => {
            assert!(saved.contains(printed), "{rule}: {saved}");
            saved.replace(printed, held)
        }
        None => saved,
    }
}

/// The words of each expression of nft_compat of each rule of a chain.
fn decoded(version: IpVersion, table: &str, chain: &str) -> Vec<Vec<Vec<String>>> {
    let id = TableId { family: Family::of(version), name: Name::new(table).unwrap() };
    let mut kernel = Kernel::open().unwrap();
    let rules = kernel.rules(&id, Some(&Name::new(chain).unwrap())).unwrap();
    let compat = |expr: &Expr| match expr {
        Expr::Other(other) if matches!(other.name.as_str(), "match" | "target") => Some(
            words(other, version)
                .unwrap_or_else(|error| vec![format!("{error}: {:x?}", other.data)]),
        ),
        _ => None,
    };
    rules.iter().map(|(_, rule)| rule.value.exprs.iter().filter_map(compat).collect()).collect()
}

/// Takes the words of each expression out of the saved rule, in order; `None` if one is not there.
fn rest(saved: &[String], decoded: &[Vec<String>]) -> Option<Vec<String>> {
    let (mut left, mut right) = (Vec::new(), saved.to_vec());
    for words in decoded {
        let at = right.windows(words.len()).position(|window| window == words.as_slice())?;
        // An option behind it would belong to the same module: then words were missing.
        let tail = right.split_off(at + words.len());
        let ends = tail.first().is_none_or(|word| matches!(word.as_str(), "-m" | "-j" | "-g"));
        if !ends {
            return None;
        }
        left.extend(right.drain(..at));
        right = tail;
    }
    left.extend(right);
    Some(left)
}

/// What a list of rules showed.
struct Seen {
    /// Modules and verdicts that left no expression of nft_compat in some rule.
    native: BTreeSet<String>,
    /// How many expressions each module left.
    compat: BTreeMap<String, usize>,
}

/// Compares all rules of a list.
fn check(version: IpVersion, rules: &'static str) -> Seen {
    fresh_netns();
    let cases = cases(rules);
    restore(version, &cases);
    let mut faults = Vec::new();
    let mut seen = Seen { native: BTreeSet::new(), compat: BTreeMap::new() };
    let places: BTreeSet<_> = cases.iter().map(|case| (case.table, case.chain)).collect();
    for (table, chain) in places {
        let here: Vec<_> =
            cases.iter().filter(|case| (case.table, case.chain) == (table, chain)).collect();
        let (saved, decoded) = (saved(version, table, chain), decoded(version, table, chain));
        assert_eq!((here.len(), here.len()), (saved.len(), decoded.len()), "{table} {chain}");
        for ((case, saved), decoded) in here.iter().zip(saved).zip(decoded) {
            let saved = split(&exact(case.rule, saved));
            if rest(&saved, &decoded).as_ref() != Some(&case.native) {
                faults.push(format!("{}\n  saved {saved:?}\n  words {decoded:?}", case.rule));
            }
            for words in decoded {
                *seen.compat.entry(words[1].clone()).or_default() += 1;
            }
            let pairs = case.native.windows(2).filter(|pair| pair[0] == "-m" || pair[0] == "-j");
            seen.native.extend(pairs.map(|pair| pair[1].clone()));
        }
    }
    let (count, all) = (faults.len(), cases.len());
    assert!(faults.is_empty(), "{version}: {count} of {all}\n{}", faults.join("\n"));
    seen
}

/// Compares all rules of a list, which must show all modules there are.
fn check_all(version: IpVersion, rules: &'static str) {
    let seen = check(version, rules);
    let native: BTreeSet<&str> = seen.native.iter().map(String::as_str).collect();
    let compat: BTreeSet<&str> = seen.compat.keys().map(String::as_str).collect();
    assert_eq!((native, compat), (NATIVE.of(version), COMPAT.of(version)));
}

#[test]
fn rules_of_iptables_when_read_back_have_the_words_that_it_saves() {
    check_all(IpVersion::V4, RULES4);
}

#[test]
fn rules_of_ip6tables_when_read_back_have_the_words_that_it_saves() {
    check_all(IpVersion::V6, RULES6);
}

#[test]
fn modules_when_counted_over_both_lists_have_three_rules_each() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (version, rules) in [(IpVersion::V4, RULES4), (IpVersion::V6, RULES6)] {
        for (module, count) in check(version, rules).compat {
            *counts.entry(module).or_default() += count;
        }
    }
    let few: Vec<_> = counts.iter().filter(|(_, count)| **count < 3).collect();
    assert_eq!(few.iter().map(|(module, _)| module.as_str()).collect::<Vec<_>>(), FEW_FORMS);
}

#[test]
fn rules_that_this_kernel_or_iptables_cannot_hold_when_loaded_are_refused() {
    fresh_netns();
    for (table, rule, complaint) in REFUSED {
        let mut iptables = Command::new("iptables-nft");
        let output = feed(iptables.args(["-t", table]).args(split(rule)), "");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(complaint), "{rule}: {text}");
    }
}

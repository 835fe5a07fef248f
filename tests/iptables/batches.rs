//! Save files as batches: what goes in comes out, large ones are fast, and broken ones do nothing.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::lab::{Netns, isolate, split};
use crate::world::{Answer, Family};

fn restore(netns: &Netns, options: &str, input: &str) -> Answer {
    Family::Ours.call(netns, &split(&format!("iptables-restore {options}")), input)
}

fn saved(netns: &Netns) -> String {
    let answer = Family::Ours.call(netns, &split("iptables-save -c"), "");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let comments = |line: &&str| !line.starts_with('#');
    answer.out.lines().filter(comments).map(|line| format!("{line}\n")).collect()
}

const FILE: &str = "*filter
:INPUT DROP [11:660]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [7:420]
:A - [0:0]
:B - [0:0]
[1:60] -A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j A
[2:120] -A INPUT ! -i eth+ -m comment --comment \"a \\\"b\\\" c\" -g B
[0:0] -A A -d 192.0.2.1/32 -j RETURN
[9:540] -A B -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
[4:240] -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080
[5:300] -A POSTROUTING -s 10.0.0.0/8 ! -o eth0 -j MASQUERADE
COMMIT
";

#[test]
fn what_was_saved_and_restored_is_saved_as_it_was() {
    isolate();
    let netns = Netns::add("host");
    let answer = restore(&netns, "-c", FILE);
    assert_eq!((answer.code, answer.out + &answer.err), (Some(0), String::new()));
    assert_eq!(saved(&netns), FILE);
    assert_eq!(restore(&netns, "-c", FILE).code, Some(0));
    assert_eq!(saved(&netns), FILE);
}

/// The kernel has named those sets, and lets no second rule have them.
#[test]
fn rules_with_sets_of_their_own_when_a_file_zeroes_them_then_are_the_same_and_count_anew() {
    isolate();
    let netns = Netns::add("host");
    let rules = [
        "-A OUTPUT -p udp -m multiport --dports 7,9,100:200 -j ACCEPT",
        "-A OUTPUT -p udp -m multiport ! --sports 7,9 -m comment --comment two -j RETURN",
    ];
    let file = |counts: &str| -> String {
        let head = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
        let rules: String = rules.iter().map(|rule| format!("{counts} {rule}\n")).collect();
        format!("*filter\n{head}{rules}COMMIT\n")
    };
    let nft = |netns: &Netns| netns.ruleset().replace("packets 3 bytes 99", "packets 0 bytes 0");
    for zero in ["-Z OUTPUT", "-Z", "-Z OUTPUT 1\n-Z OUTPUT 2"] {
        assert_eq!(restore(&netns, "-c", &file("[3:99]")).code, Some(0));
        let before = nft(&netns);
        let answer = restore(&netns, "-n", &format!("*filter\n{zero}\nCOMMIT\n"));
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{zero}");
        assert_eq!(saved(&netns), file("[0:0]"), "{zero}");
        assert_eq!(nft(&netns), before, "{zero}");
    }
}

#[test]
fn a_line_that_the_kernel_refuses_undoes_its_table_and_is_named() {
    isolate();
    let netns = Netns::add("host");
    assert_eq!(restore(&netns, "-c", FILE).code, Some(0));
    let broken = "*mangle
-A FORWARD -j ACCEPT
COMMIT
*filter
:NEW - [0:0]
-A INPUT -j NEW
-A NEW -g NEW
COMMIT
*raw
-A OUTPUT -j ACCEPT
COMMIT
";
    for options in ["", "-n"] {
        let answer = restore(&netns, options, broken);
        assert_eq!(answer.code, Some(4), "{answer:?}");
        let named = "line 7: RULE_APPEND failed (Too many links): rule in chain NEW\n";
        assert!(answer.err.contains(named), "{answer:?}");
        let all = saved(&netns);
        let mangle = all.find("*filter").expect("filter behind mangle");
        assert!(all.starts_with("*mangle\n"), "the table in front is in force: {all}");
        assert_eq!(&all[mangle..], FILE, "the broken one is as it was, those behind are not read");
    }
}

#[test]
fn a_test_changes_nothing_and_finds_what_the_kernel_finds() {
    isolate();
    let netns = Netns::add("host");
    assert_eq!(restore(&netns, "-c", FILE).code, Some(0));
    let good = restore(&netns, "-t", "*filter\n-A INPUT -j ACCEPT\nCOMMIT\n");
    assert_eq!((good.code, good.err), (Some(0), String::new()));
    let bad =
        restore(&netns, "--test", "*filter\n:FORWARD DROP\n:A - [0:0]\n-A A -j FORWARD\nCOMMIT\n");
    assert_eq!(bad.code, Some(4), "{bad:?}");
    assert_eq!(saved(&netns), FILE);
}

#[test]
fn rules_of_the_same_file_can_be_replaced_deleted_and_put_between() {
    isolate();
    let netns = Netns::add("host");
    assert_eq!(restore(&netns, "-c", FILE).code, Some(0));
    let file = "*filter
-A B -j DROP
-A B -j RETURN
-I B 2 -p udp -j ACCEPT
-I B -p tcp -j ACCEPT
-R B 4 -p icmp -j ACCEPT
-D B -j RETURN
-D B 2
-E A C
-A C -j B
-A INPUT -j C
-N A
-D INPUT 1
-X A
COMMIT
";
    let answer = restore(&netns, "-n", file);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    let listed = Family::Ours.call(&netns, &split("iptables -S"), "").out;
    assert_eq!(
        listed,
        "-P INPUT DROP\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N B\n-N C\n\
         -A INPUT ! -i eth+ -m comment --comment \"a \\\"b\\\" c\" -g B\n-A INPUT -j C\n\
         -A B -p tcp -j ACCEPT\n-A B -p udp -j ACCEPT\n-A B -p icmp -j ACCEPT\n\
         -A C -d 192.0.2.1/32 -j RETURN\n-A C -j B\n"
    );
}

/// Rules in as many chains, each of which the first jumps to.
fn large(rules: usize, chains: usize) -> String {
    let mut file = "*filter\n".to_owned();
    for chain in 0..chains {
        writeln!(file, ":C{chain} - [0:0]").unwrap();
    }
    for rule in 0..rules {
        let (chain, a, b) = (rule % chains, rule / 250 % 250, rule % 250);
        writeln!(file, "-A C{chain} -s 10.0.{a}.{b}/32 -p tcp -m tcp --dport 80 -j ACCEPT")
            .unwrap();
    }
    file + "COMMIT\n"
}

#[test]
fn ten_thousand_rules_take_seconds_and_not_their_square() {
    isolate();
    let netns = Netns::add("host");
    let timed = |options: &str, input: &str| {
        let start = Instant::now();
        let answer = restore(&netns, options, input);
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
        start.elapsed()
    };
    let once = timed("", &large(1000, 100));
    let tenfold = timed("", &large(10_000, 1000));
    let again = timed("", &large(10_000, 1000));
    let front: String = (0..10_000).map(|at| format!("-I C1 -s 10.1.0.{}\n", at % 250)).collect();
    let inserted = timed("-n", &format!("*filter\n{front}COMMIT\n"));
    println!(
        "1,000 rules {once:?}; 10,000 {tenfold:?}, over others {again:?}; inserted {inserted:?}"
    );
    let most = once * 40 + Duration::from_secs(2);
    assert!(tenfold < most && again < most && inserted < most, "{once:?} {tenfold:?} {again:?}");
    assert_eq!(saved(&netns).lines().filter(|line| line.contains("-A C")).count(), 20_000);
}

/// The set of `-m hashlimit` is shared by name; that of `-m connlimit` is the rule's own.
#[test]
fn sets_of_rules_when_the_last_rule_goes_then_go_too() {
    isolate();
    let netns = Netns::add("host");
    let ours = |words: &str| {
        let answer = Family::Ours.call(&netns, &split(words), "");
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{words}");
    };
    let sets = || netns.ruleset().lines().filter(|line| line.contains("set ")).count();
    let limit = "-m hashlimit --hashlimit-name x --hashlimit-upto 5/sec --hashlimit-mode srcip";
    ours(&format!("iptables -A INPUT {limit} -j ACCEPT"));
    ours(&format!("iptables -A FORWARD {limit} -j ACCEPT"));
    ours("iptables -A INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP");
    assert_eq!(sets(), 2, "{}", netns.ruleset());
    ours(&format!("iptables -D INPUT {limit} -j ACCEPT"));
    assert_eq!(sets(), 2, "another rule names it: {}", netns.ruleset());
    ours("iptables -F FORWARD");
    assert_eq!(sets(), 1, "{}", netns.ruleset());
    let answer = restore(&netns, "-n", "*filter\n-F INPUT\nCOMMIT\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(sets(), 0, "{}", netns.ruleset());
}

/// The kernel lists some expressions in another form than they were sent in.
#[test]
fn rules_when_they_were_added_then_are_found_and_deleted() {
    isolate();
    let netns = Netns::add("host");
    let rules = [
        "INPUT -p tcp -j REJECT --reject-with tcp-reset",
        "FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400",
        "FORWARD -p tcp --syn -j LOG --log-prefix x",
        "INPUT -p tcp -m multiport --dports 1,2 -j ACCEPT",
        "INPUT -m limit --limit 3/min -j ACCEPT",
        "INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP",
        "INPUT -m quota --quota 1000 -j ACCEPT",
    ];
    for rule in rules {
        let ours = |operation: &str| {
            let words = split(&format!("iptables {operation} {rule}"));
            Family::Ours.call(&netns, &words, "").code
        };
        assert_eq!(
            [ours("-A"), ours("-C"), ours("-D"), ours("-C")],
            [0, 0, 0, 1].map(Some),
            "{rule}"
        );
    }
}

#[test]
fn chain_when_rules_are_in_it_then_is_not_deleted_with_them() {
    isolate();
    let netns = Netns::add("host");
    let file = "*filter\n:foo - [0:0]\n-A foo -j ACCEPT\n-A INPUT -j foo\nCOMMIT\n";
    assert_eq!(restore(&netns, "", file).code, Some(0));
    let before = saved(&netns);
    let answer = restore(&netns, "-n", "*filter\n-D INPUT -j foo\n-X foo\nCOMMIT\n");
    assert_eq!(answer.code, Some(4), "{answer:?}");
    assert!(answer.err.contains("CHAIN_DEL failed (Device or resource busy): chain foo"));
    assert_eq!(saved(&netns), before);
    let all = restore(&netns, "-n", "*filter\n-D INPUT -j foo\n-F foo\n-X foo\nCOMMIT\n");
    assert_eq!(all.code, Some(0), "{all:?}");
}

#[test]
fn chains_of_other_programs_when_named_then_are_left_alone() {
    isolate();
    let netns = Netns::add("host");
    netns.nft(
        "table ip filter {
            chain foo { type filter hook forward priority 7; policy drop; }
            chain INPUT { type filter hook forward priority 3; policy drop; }
        }",
    );
    let before = netns.ruleset();
    let ours = |words: &str| Family::Ours.call(&netns, &split(words), "").code;
    let codes = ["-A foo", "-F foo", "-X foo", "-N foo", "-A INPUT", "-P INPUT ACCEPT"]
        .map(|words| ours(&format!("iptables {words}")));
    assert_eq!(codes, [1, 1, 1, 1, 4, 4].map(Some));
    assert_eq!(netns.ruleset(), before);
}

#[test]
fn sets_of_rules_that_nft_made_when_listed_then_are_told() {
    isolate();
    let netns = Netns::add("host");
    netns.nft(
        "table ip filter {
            chain INPUT {
                type filter hook input priority 0; policy accept;
                tcp dport { 81, 82 } counter accept
            }
        }",
    );
    let all = saved(&netns);
    assert!(all.contains("-p tcp -m multiport --dports 81,82 -j ACCEPT"), "{all}");
}

/// close(2) after a delete waits for the kernel. The first call leaves its socket to a child; one
/// that follows hands its own to that child, and makes none.
#[test]
fn socket_when_another_call_deleted_a_moment_ago_then_is_handed_over() {
    isolate();
    let netns = Netns::add("host");
    let mut traces = Vec::new();
    // A keeper is gone after a tenth of a second: on a busy machine before the next call.
    for _ in 0..20 {
        for rule in ["-A INPUT -j ACCEPT", "-A INPUT -j DROP", "-D INPUT -j ACCEPT"] {
            let words = split(&format!("iptables {rule}"));
            assert_eq!(Family::Ours.call(&netns, &words, "").code, Some(0), "{rule}");
        }
        let mut command = std::process::Command::new("strace");
        command.args(["-f", "-e", "trace=sendmsg,clone,clone3,fork,vfork", "-o", "/run/trace"]);
        command.args([env!("CARGO_BIN_EXE_portcullis"), "iptables", "-D", "INPUT", "-j", "DROP"]);
        netns.enter(|| crate::lab::run(&mut command, ""));
        let trace = std::fs::read_to_string("/run/trace").expect("a trace");
        if trace.contains("SCM_RIGHTS") && !trace.contains("clone") && !trace.contains("EPIPE") {
            return;
        }
        traces.push(trace);
    }
    panic!("never handed over:\n{}", traces.join("\n"));
}

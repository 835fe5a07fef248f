//! `iptables-translate`, `iptables-restore-translate` and `portcullis translate`: what they print
//! is loaded by nft, and must be the same rules as those of iptables-nft.

use std::process::Command;

use crate::lab::{Netns, feed, isolate, run};

use super::call::Answer;

pub const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

pub fn portcullis(words: &[&str], stdin: &str) -> Answer {
    Answer::of(Command::new(BINARY).args(words), stdin)
}

fn translated(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    portcullis(&[&["iptables-translate"], words.as_slice()].concat(), "").success()
}

#[test]
fn translate_when_the_classic_program_is_wrong_then_the_rule_is_right() {
    let cases = [
        // A negated list of states is none of them, not another bit than all of them.
        ("-A INPUT -m conntrack ! --ctstate NEW,INVALID", "INPUT ct state ! invalid,new counter"),
        (
            "-A INPUT -m conntrack ! --ctstatus ASSURED,CONFIRMED",
            "INPUT ct status ! assured,confirmed counter",
        ),
        // A type and its code are a pair.
        (
            "-A INPUT -p icmp --icmp-type 3/4",
            "INPUT icmp type destination-unreachable icmp code frag-needed counter",
        ),
        // In its place, not at the front.
        ("-I FORWARD 3 -j DROP", "FORWARD index 1 counter drop"),
        // An address list keeps its order there.
        (
            "-I FORWARD 2 -s 192.0.2.1,192.0.2.2",
            "FORWARD index 0 ip saddr 192.0.2.1 counter'\nnft 'add rule ip filter FORWARD index 1 \
          ip saddr 192.0.2.2 counter",
        ),
    ];
    for (words, expected) in cases {
        assert_eq!(translated(words), format!("nft 'add rule ip filter {expected}'\n"), "{words}");
    }
}

#[test]
fn translate_when_a_rule_needs_a_chain_then_the_chain_comes_in_front() {
    let chain = "ip mangle tproxy-udp-53-7f000001-00000001-00000001";
    let expected = format!(
        "nft add chain {chain}\n\
         nft flush chain {chain}\n\
         nft 'add rule {chain} meta l4proto udp tproxy to 127.0.0.1:53 meta mark set meta mark | \
         0x00000001 accept'\n\
         nft 'add rule {chain} drop'\n\
         nft 'add rule ip mangle PREROUTING meta l4proto udp counter jump {}'\n",
        &chain[10..]
    );
    let words = "-t mangle -A PREROUTING -p udp -j TPROXY --on-port 53 --on-ip 127.0.0.1 \
                 --tproxy-mark 1/1";
    assert_eq!(translated(words), expected);
}

#[test]
fn translate_when_a_map_decides_then_the_map_comes_in_front() {
    let words = "-A INPUT -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";
    let text = translated(words);
    let lines: Vec<&str> = text.lines().collect();
    let map = lines[0].split(' ').find(|word| word.starts_with("ctstate-not-06-")).unwrap();
    assert_eq!(
        lines,
        [
            format!("nft 'add map ip filter {map} {{ type ct_state : verdict; counter; }}'"),
            format!(
                "nft 'add element ip filter {map} {{ invalid counter packets 0 bytes 0 : drop, new \
                 counter packets 0 bytes 0 : continue, untracked counter packets 0 bytes 0 : drop }}'"
            ),
            format!(
                "nft 'add rule ip filter INPUT ct state vmap @{map} ct status ! dnat counter drop'"
            ),
        ]
    );
}

#[test]
fn translated_file_when_rules_share_a_list_then_the_set_has_the_time_of_any() {
    crate::lab::isolate();
    let netns = Netns::add("lists");
    let rules = "-A INPUT -m recent --set --name x --mask 255.255.255.255 --rsource
-A INPUT -m recent --rcheck --seconds 60 --name x --mask 255.255.255.255 --rsource -j ACCEPT
-A INPUT -m recent --set --name x --mask 255.255.0.0 --rsource
-A INPUT -m recent ! --rcheck --name y --mask 255.255.255.255 --rdest -j DROP
";
    let file = format!("*filter\n:INPUT ACCEPT [0:0]\n{rules}COMMIT\n");
    let nft = portcullis(&["iptables-restore-translate"], &file).success();
    assert_eq!(nft.matches("timeout 1m").count(), 2, "{nft}");
    netns.nft(&nft);
    // What the words need besides the expressions is userdata, which nft does not keep.
    let ours = netns.enter(|| {
        let loaded = run(Command::new("nft").args(["-s", "list", "ruleset"]), "");
        run(Command::new("nft").args(["flush", "ruleset"]), "");
        portcullis(&["iptables-restore", "-n"], &file).success();
        let made = run(Command::new("nft").args(["-s", "list", "ruleset"]), "");
        (loaded.stdout, made.stdout)
    });
    assert_eq!(String::from_utf8(ours.0).unwrap(), String::from_utf8(ours.1).unwrap());
    // Two times are no list: the second rule is a comment.
    let file =
        "*filter\n-A INPUT -m recent --rcheck --seconds 5\n-A INPUT -m recent --rcheck\nCOMMIT\n";
    let answer = portcullis(&["iptables-restore-translate"], file);
    assert!(answer.stdout.contains("# -t filter -A INPUT -m recent --rcheck: "), "{answer:?}");
}

/// A rule that iptables has and a chain that it has not: the file makes what our own front makes.
#[test]
fn translated_file_when_rules_share_a_chain_then_loads_and_reads_back() {
    crate::lab::isolate();
    let netns = Netns::add("translated");
    let file = "*mangle
:PREROUTING ACCEPT [0:0]
:door - [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff
-A PREROUTING -p tcp -m tcp --dport 81 -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff
-A PREROUTING -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A door -p udp -j TPROXY --on-port 0 --on-ip 127.0.0.1 --tproxy-mark 0x0/0x0
COMMIT
";
    let nft = portcullis(&["iptables-restore-translate"], file).success();
    netns.nft(&nft);
    let inside = |words: &[&str]| netns.enter(|| portcullis(words, "").success());
    let rules = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
    };
    assert_eq!(rules(&inside(&["iptables-save", "-t", "mangle"])), rules(file));
    let back = inside(&["translate", "--to", "iptables"]);
    let mut said = rules(&back);
    said.sort();
    let mut reached = rules(file);
    // No hook leads to the other chain.
    reached.retain(|rule| !rule.starts_with("-A door"));
    reached.sort();
    assert_eq!(said, reached);
}

#[test]
fn translate_when_the_operation_is_no_rule_then_prints_as_the_classic_program_does() {
    let cases = [
        ("-N foo", "nft add chain ip filter foo\n"),
        ("-X foo", "nft delete chain ip filter foo\n"),
        ("-F", "nft flush table ip filter\n"),
        ("-t nat -F PREROUTING", "nft flush chain ip nat PREROUTING\n"),
        ("-L", "nft list table ip filter\n"),
        (
            "-A INPUT -p tcp --dport 80 -j ACCEPT",
            "nft 'add rule ip filter INPUT tcp dport 80 counter accept'\n",
        ),
        (
            "-I INPUT -i eth+ -j foo",
            "nft 'insert rule ip filter INPUT iifname \"eth*\" counter jump foo'\n",
        ),
    ];
    for (words, expected) in cases {
        assert_eq!(translated(words), expected, "{words}");
        let mut classic = Command::new("iptables-translate");
        assert_eq!(Answer::of(classic.args(words.split(' ')), "").success(), expected, "{words}");
    }
    // Those that it has none for.
    assert_eq!(translated("-E a b"), "nft rename chain ip filter a b\n");
    assert_eq!(
        translated("-P INPUT DROP"),
        "nft 'add chain ip filter INPUT { type filter hook input priority 0; policy drop; }'\n"
    );
}

#[test]
fn translate_when_nft_has_no_such_command_then_fails_and_says_what_to_do() {
    for (words, expected) in [
        ("-D INPUT -j DROP", "nft delete rule ip filter INPUT handle HANDLE"),
        ("-R INPUT 1 -j DROP", "nft replace rule ip filter INPUT handle HANDLE"),
        ("-C INPUT -j DROP", "nft list chain ip filter INPUT"),
        ("-A INPUT -j drop", "nft cannot read the name \"drop\""),
        ("-N a+b", "nft cannot read the name \"a+b\""),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let answer = portcullis(&[&["iptables-translate"], words.as_slice()].concat(), "");
        assert_eq!((answer.status.code(), answer.stdout.as_str()), (Some(1), ""), "{answer:?}");
        assert!(answer.stderr.contains(expected), "{answer:?}");
    }
}

#[test]
fn translate_when_a_shell_runs_it_then_the_comment_arrives_as_it_was() {
    isolate();
    let netns = Netns::add("host");
    netns.nft("add table ip filter; add chain ip filter INPUT");
    let comment = "it's $HOME `id` \\ & more";
    let words = ["iptables-translate", "-A", "INPUT", "-m", "comment", "--comment", comment];
    let commands = portcullis(&words, "").success();
    netns.enter(|| run(Command::new("sh").args(["-ec", &commands]), ""));
    assert!(netns.ruleset().contains(&format!("comment \"{comment}\"")), "{}", netns.ruleset());
}

/// Rules for each table, of all that is the same in both families; `@A`, `@B` are addresses.
const RULES: &str = "\
*mangle
:PREROUTING ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A PREROUTING -i eth+ -j MARK --set-xmark 0x1/0x3
-A FORWARD ! -o br-0 -p tcp -m tcp --tcp-flags SYN,RST SYN -m mark ! --mark 0x10/0xf0
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s @A/112 ! -o docker0 -j MASQUERADE
-A POSTROUTING -d @B/128 -p udp -m udp --sport 1000:2000 -j MASQUERADE --to-ports 100-200
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:a.chain-of/mine - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack ! --ctstate INVALID,NEW -j a.chain-of/mine
-A INPUT ! -s @A/128 ! -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m comment --comment \"a comment\" -j ACCEPT
-A INPUT -p tcp -m tcp ! --dport 22:23 -j DROP
-A INPUT -p udp -m multiport --dports 53,67,1000:2000 -j ACCEPT
-A INPUT -p sctp -m multiport ! --sports 1,2 -j ACCEPT
-A INPUT -m limit --limit 5/min --limit-burst 7 -j ACCEPT
-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j RETURN
-A INPUT -m pkttype --pkt-type broadcast -j DROP
-A INPUT -m connmark --mark 0x5 -g a.chain-of/mine
-A FORWARD -m length --length 100:200
COMMIT
";

fn of_family(family: u8) -> String {
    match family {
        4 => RULES
            .replace("@A/112", "10.88.0.0/16")
            .replace("@A/128", "192.0.2.1/32")
            .replace("@B/128", "192.0.2.2/32"),
        _ => RULES
            .replace("@A/112", "2001:db8::/112")
            .replace("@A/128", "2001:db8::1/128")
            .replace("@B", "2001:db8::2"),
    }
}

/// What `nft -f` makes of the translation, and what our own `iptables` makes of each line.
#[test]
fn restore_translate_when_nft_loads_it_then_the_rules_are_those_that_the_applets_make() {
    isolate();
    let [by_nft, by_words] = ["nft", "words"].map(Netns::add);
    for (family, ip) in [(4, "ip"), (6, "ip6")] {
        let input = of_family(family);
        let answer = portcullis(&[&format!("{ip}tables-restore-translate")], &input);
        assert_eq!(answer.stderr, "");
        by_nft.nft(&answer.success());
        let script = script(&input, &format!("{BINARY} {ip}tables"));
        by_words.enter(|| run(Command::new("sh").args(["-e"]), &script));
    }
    assert_eq!(by_nft.ruleset(), by_words.ruleset());
}

/// A file of iptables-save as commands for a shell.
fn script(saved: &str, program: &str) -> String {
    let (mut table, mut script) = ("", String::new());
    for line in saved.lines() {
        let words: Vec<&str> = line.trim_start_matches(':').split(' ').collect();
        let command = match (line.chars().next(), words.as_slice()) {
            (Some('*'), _) => {
                table = &line[1..];
                continue;
            }
            (Some(':'), [chain, "-", _]) => format!("-N {chain}"),
            (Some(':'), [chain, policy, _]) => format!("-P {chain} {policy}"),
            (Some('-'), _) => line.replace('!', "'!'"),
            _ => continue,
        };
        script.push_str(&format!("{program} -t {table} {command}\n"));
    }
    script
}

/// From the words of iptables to nft, into the kernel, and back: what iptables-nft saves of the
/// same file.
#[test]
fn restore_translate_when_nft_loads_it_then_the_words_come_back() {
    let matches = [
        "addrtype",
        "mark",
        "conntrack",
        "multiport",
        "limit",
        "mac",
        "pkttype",
        "connmark",
        "length",
    ];
    let matches = matches.map(|name| format!("-m {name}"));
    isolate();
    let [ours, theirs] = ["ours", "theirs"].map(Netns::add);
    for (family, ip) in [(4, "ip"), (6, "ip6")] {
        let input = of_family(family);
        // Those that are read back from their expressions alone.
        let kept = |line: &&str| !matches.iter().any(|name| line.contains(name));
        let input: String = input.lines().filter(kept).map(|line| format!("{line}\n")).collect();
        ours.nft(&portcullis(&[&format!("{ip}tables-restore-translate")], &input).success());
        theirs.enter(|| run(&mut Command::new(format!("{ip}tables-nft-restore")), &input));
        let saved = theirs.enter(|| run(&mut Command::new(format!("{ip}tables-nft-save")), ""));
        let saved = String::from_utf8(saved.stdout).unwrap();
        let back = ours.enter(|| portcullis(&[&format!("{ip}tables-save")], "")).success();
        assert_eq!(rules_of(&back), rules_of(&saved));
    }
}

/// The rules, each behind its table, sorted: iptables-nft lists tables in another order, and no
/// chains that a file does not name.
fn rules_of(saved: &str) -> Vec<(&str, &str)> {
    let (mut table, mut rules) = ("", Vec::new());
    for line in saved.lines() {
        match line.chars().next() {
            Some('*') => table = line,
            Some('-') => rules.push((table, line)),
            _ => {}
        }
    }
    rules.sort_by_key(|(table, _)| *table);
    rules
}

#[test]
fn restore_translate_when_rules_have_no_form_then_they_are_comments_and_the_exit_code_is_one() {
    let input = "*filter\n:INPUT ACCEPT [0:0]\n[1:60] -A INPUT -m set --match-set x src -j DROP\n\
                 [2:80] -A INPUT -j DROP\nCOMMIT\n";
    let answer = portcullis(&["iptables-restore-translate"], input);
    assert_eq!(answer.status.code(), Some(1));
    assert!(answer.stderr.contains("line 3: not translated: match \"set\""), "{answer:?}");
    let lines: Vec<&str> = answer.stdout.lines().skip(1).collect();
    assert_eq!(
        lines[..2],
        [
            "add table ip filter",
            "add chain ip filter INPUT { type filter hook input priority 0; policy accept; }"
        ]
    );
    assert!(
        lines[2].starts_with("# -t filter -A INPUT -m set --match-set x src -j DROP: "),
        "{lines:?}"
    );
    assert_eq!(lines[3], "add rule ip filter INPUT counter packets 2 bytes 80 drop");
    let answer = portcullis(&["translate"], input);
    assert_eq!(answer.status.code(), Some(1));
    assert!(answer.stderr.contains("1 of the rules"), "{answer:?}");
}

#[test]
fn restore_translate_when_a_line_makes_no_sense_then_names_it_and_prints_nothing() {
    for (input, expected) in [
        ("*filter\n-A INPUT --no-such-option\nCOMMIT\n", "line 2: "),
        ("*nothing\nCOMMIT\n", "line 1: no table"),
        ("*filter\n-A INPUT -j DROP\n", "line 2: COMMIT expected"),
        ("*filter\n:INPUT WHAT [0:0]\nCOMMIT\n", "line 2: no policy"),
        ("*filter\n-A INPUT -m comment --comment \"x\nCOMMIT\n", "line 2: a quote"),
    ] {
        let output = feed(Command::new(BINARY).arg("iptables-restore-translate"), input);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty() && stderr.contains(expected), "{stderr}");
    }
}

/// What people write in nft: sets, maps, ranges, both families, and what iptables has no words for.
const NATIVE: &str = "table inet site {
	set office { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7, 203.0.113.5-203.0.113.9 } }
	set empty { type ipv4_addr; }
	map marks { type mark : mark; elements = { 0x1 : 0x2, 0x2 : 0x3 } }
	map verdicts { type inet_service : verdict; elements = { 22 : accept, 23 : drop, 24 : jump a-chain-with-a-name-longer-than-iptables-has } }
	chain a-chain-with-a-name-longer-than-iptables-has { counter drop; }
	chain unused { drop; }
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		tcp dport { 80, 443 } ip saddr @office accept
		ip saddr @empty drop
		tcp dport vmap @verdicts
		ip6 saddr 2001:db8::/32 udp dport 53 accept
		tcp dport { 80, 443 } limit rate 5/second accept
		meta mark set meta mark map @marks
	}
}
table ip6 only_six { chain c { type filter hook output priority 0; oifname \"eth*\" drop; }; }
table bridge ports { chain c { type filter hook forward priority 0; }; }
";

#[test]
fn translate_to_iptables_when_the_rules_are_native_then_sets_are_written_out() {
    isolate();
    let netns = Netns::add("host");
    netns.nft(NATIVE);
    let before = netns.ruleset();
    let answer = netns.enter(|| portcullis(&["translate", "--to", "iptables"], ""));
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    assert!(answer.stderr.contains("3 of the rules have no form there"), "{answer:?}");
    let (rules, comments): (Vec<&str>, Vec<&str>) =
        answer.stdout.lines().partition(|line| !line.starts_with("# "));
    assert_eq!(
        rules,
        [
            "*filter",
            ":INPUT DROP [0:0]",
            ":a-chain-with-a-n-ea5c0b85a81 - [0:0]",
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A INPUT -p tcp -m iprange --src-range 203.0.113.5-203.0.113.9 -m tcp --dport 80 -j ACCEPT",
            "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 443 -j ACCEPT",
            "-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 443 -j ACCEPT",
            "-A INPUT -p tcp -m iprange --src-range 203.0.113.5-203.0.113.9 -m tcp --dport 443 -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 23 -j DROP",
            "-A INPUT -p tcp -m tcp --dport 24 -j a-chain-with-a-n-ea5c0b85a81",
            "-A a-chain-with-a-n-ea5c0b85a81 -j DROP",
            "COMMIT",
        ]
    );
    for expected in [
        "# table bridge ports: ",
        "tcp dport { 80, 443 } limit rate 5/second",
        "meta mark map @marks",
    ] {
        assert!(comments.iter().any(|line| line.contains(expected)), "{expected}: {comments:#?}");
    }
    // A table of one family is of that family.
    for words in [&["--table", "ip6 only_six"][..], &["--ipv6", "--table", "ip6 only_six"]] {
        let words = [&["translate", "--to", "iptables"], words].concat();
        assert_eq!(
            netns.enter(|| portcullis(&words, "")).success(),
            "# table ip6 only_six\n*filter\n:OUTPUT - [0:0]\n-A OUTPUT -o eth+ -j DROP\nCOMMIT\n"
        );
    }
    assert_eq!(netns.ruleset(), before);
}

#[test]
fn translate_to_iptables_when_there_is_no_such_table_then_names_it_and_fails() {
    isolate();
    let [netns, empty] = ["host", "empty"].map(Netns::add);
    netns.nft("add table inet portcullis; add table ip nat");
    let words = |table: &'static str| ["translate", "--to", "iptables", "--table", table];
    for table in ["inet portculis", "inet", "inet/portcullis", "ip portcullis", ""] {
        let answer = netns.enter(|| portcullis(&words(table), ""));
        assert_eq!((answer.status.code(), answer.stdout.as_str()), (Some(1), ""), "{answer:?}");
        let expected = format!(
            "portcullis: cannot translate: there is no table {table:?} in this network namespace, \
             which has: inet portcullis, ip nat\n"
        );
        assert_eq!(answer.stderr, expected);
    }
    let answer = empty.enter(|| portcullis(&words("inet portcullis"), ""));
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    assert!(answer.stderr.contains("\"inet portcullis\"") && answer.stderr.contains("none"));
    // One that is there has rules of its own family alone.
    let words = [&words("ip nat")[..], &["--ipv6"]].concat();
    let answer = netns.enter(|| portcullis(&words, ""));
    assert_eq!((answer.status.code(), answer.stdout.as_str()), (Some(1), ""), "{answer:?}");
    assert!(answer.stderr.contains("\"ip nat\" has no rules of IPv6"), "{answer:?}");
}

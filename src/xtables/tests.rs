//! Tests of the room: words and what becomes of them.

use proptest::prelude::*;

use super::{Error, Operation, Rule as Read, command, conditions, conditions_for};
use crate::net::IpVersion::{self, V4, V6};
use crate::net::L4Proto;
use crate::nft::{Family, Rule, list_rule};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn listed(version: IpVersion, text: &str, proto: Option<L4Proto>) -> String {
    match conditions_for(&words(text), version, proto) {
        Ok(exprs) => list_rule(Family::Inet, &Rule::new(exprs), &|_| None),
        Err(error) => format!("error: {error}"),
    }
}

fn expect(version: IpVersion, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, expected)| (text, *expected, listed(version, text, None)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(text, expected, found)| format!("{text}\n  found    {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ipv4_words_when_read_then_list_as_nft_does() {
    expect(
        V4,
        &[
            ("", "meta nfproto ipv4"),
            ("! -s 198.51.100.0/24", "ip saddr != 198.51.100.0/24"),
            ("-s ! 198.51.100.0/24", "ip saddr != 198.51.100.0/24"),
            ("--src=198.51.100.7 --destination 10.88", "ip saddr 198.51.100.7 ip daddr 10.88.0.0"),
            ("-s 10/9", "ip saddr 10.0.0.0/9"),
            ("-s 10.1.2.3/255.255.0.0", "ip saddr 10.1.0.0/16"),
            ("-s 10.1.2.3/255.0.255.0", "ip saddr & 255.0.255.0 == 10.0.2.0"),
            ("-s 10.0.0.1,10.0.0.1,10.0.0.2", "ip saddr { 10.0.0.1, 10.0.0.2 }"),
            ("-s 10.0.0.0/8,10.1.0.0/16,192.0.2.1", "ip saddr { 10.0.0.0/8, 192.0.2.1 }"),
            ("-s 10.0.0.0/8,0/0", "meta nfproto ipv4"),
            ("-s any/0", "meta nfproto ipv4"),
            ("-i eth0 ! -o cni+", "meta nfproto ipv4 iifname \"eth0\" oifname != \"cni*\""),
            ("-ieth0", "meta nfproto ipv4 iifname \"eth0\""),
            ("-i +", "meta nfproto ipv4"),
            ("! -f", "ip frag-off & 8191 == 0"),
            ("-p all", "meta nfproto ipv4"),
            ("! -p UDP", "meta nfproto ipv4 meta l4proto != udp"),
            ("-p 0x6 --dpo 80", "meta nfproto ipv4 tcp dport 80"),
            ("-m tcp --dport 80 -p tcp", "meta nfproto ipv4 tcp dport 80"),
            ("-p udp ! --source-port :1023", "meta nfproto ipv4 udp sport 1024-65535"),
            ("-p tcp --syn", "meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack"),
            ("-p tcp ! --syn", "meta nfproto ipv4 tcp flags != syn / fin,syn,rst,ack"),
            ("-p tcp -m multiport --dport 80", "meta nfproto ipv4 tcp dport 80"),
            ("-p tcp -m multiport --dports 1,80:90", "meta nfproto ipv4 tcp dport { 1, 80-90 }"),
            ("-p icmp --icmp-type any", "icmp type 0-255"),
            ("-m conntrack --ctstate new,RELATED", "meta nfproto ipv4 ct state related,new"),
            ("-m conntrack ! --ctstate NEW,INVALID", "meta nfproto ipv4 ct state ! invalid,new"),
            ("-m conntrack --ctstate DNAT", "meta nfproto ipv4 ct status dnat"),
            ("-m conntrack ! --ctstatus ASSURED", "meta nfproto ipv4 ct status ! assured"),
            (
                "-m conntrack ! --ctstate INVALID,UNTRACKED,DNAT",
                "meta nfproto ipv4 ct state ! invalid,untracked ct status ! dnat",
            ),
            (
                "-m conntrack --ctorigdst 192.0.2.0/24 --ctdir REPLY",
                "meta nfproto ipv4 ct original ip daddr 192.0.2.0/24 ct direction reply",
            ),
            (
                "-p tcp -m conntrack ! --ctorigdstport 80:90",
                "meta nfproto ipv4 meta l4proto tcp ct original proto-dst != 80-90",
            ),
            (
                "-m mark --mark 0x10/0x30 -m connmark ! --mark 1",
                "meta nfproto ipv4 meta mark & 0x00000030 == 0x00000010 ct mark != 0x00000001",
            ),
            (
                "-m comment --comment -j -m limit --limit 5/m --limit-burst 4",
                "meta nfproto ipv4 limit rate 5/minute burst 4 packets",
            ),
            ("-m iprange --dst-range 10.0.0.1-10.0.0.9", "ip daddr 10.0.0.1-10.0.0.9"),
            ("-m ttl --ttl-gt 10", "ip ttl > 10"),
            ("-m owner --uid-owner 1000", "meta nfproto ipv4 meta skuid 1000"),
            ("-m pkttype ! --pkt-type unicast", "meta nfproto ipv4 meta pkttype != host"),
            ("-m rpfilter --validmark", "meta nfproto ipv4 fib saddr . mark . iif oif != 0"),
            ("-m rpfilter --loose --invert", "meta nfproto ipv4 fib saddr oif 0"),
            ("-m statistic --mode nth --every 3", "meta nfproto ipv4 numgen inc mod 3 0"),
            (
                "-m addrtype ! --dst-type LOCAL,BROADCAST",
                "meta nfproto ipv4 fib daddr type != { local, broadcast }",
            ),
            (
                "-m addrtype --dst-type LOCAL --limit-iface-in",
                "meta nfproto ipv4 fib daddr . iif type local",
            ),
        ],
    );
}

#[test]
fn ipv6_words_when_read_then_list_as_nft_does() {
    expect(
        V6,
        &[
            ("-d 0/0", "meta nfproto ipv6"),
            ("! -s 2001:db8::/32", "ip6 saddr != 2001:db8::/32"),
            ("-s 2001:db8::1/ffff:ffff::", "ip6 saddr 2001:db8::/32"),
            ("-s fd00::/8,2001:db8::1", "ip6 saddr { 2001:db8::1, fd00::/8 }"),
            ("-m hl --hl-lt 2", "ip6 hoplimit < 2"),
            ("-m addrtype --dst-type LOCAL", "meta nfproto ipv6 fib daddr type local"),
            ("-m addrtype --dst-type MULTICAST", "ip6 daddr ff00::/8"),
            ("-m conntrack --ctreplsrc fd00::1", "meta nfproto ipv6 ct reply ip6 saddr fd00::1"),
        ],
    );
}

#[test]
fn words_when_no_condition_then_error_names_them() {
    expect(
        V4,
        &[
            ("-j ACCEPT", "error: \"-j\" is not a condition: targets are not allowed here"),
            ("-t nat", "error: \"-t\" is not a condition: commands are not allowed here"),
            (
                "--dport 80",
                "error: unknown option \"--dport\": no match named in front of it has it",
            ),
            ("-p tcp --s 1", "error: option \"--s\" is ambiguous: --source or --set-counters?"),
            ("eth0", "error: unexpected word \"eth0\": expected an option"),
            ("-m conntrack --ctstate", "error: option --ctstate needs a value"),
            ("-p tcp --tcp-flags SYN", "error: option --tcp-flags needs two values"),
            ("-s 192.0.2.1 -s 192.0.2.2", "error: option -s is given twice"),
            ("! -m mark", "error: option -m cannot be negated"),
            ("-i eth0 !", "error: \"!\" must stand in front of one option"),
            (
                "! -s 192.0.2.1,192.0.2.2",
                "error: option -s cannot be negated with several addresses: \"192.0.2.1,192.0.2.2\"",
            ),
            ("-m foo", "error: unknown match \"-m foo\": iptables has none of this name"),
            (
                "-m string --algo bm",
                "error: match \"string\" has no native nftables form: \
                 rules compare bytes at fixed places, they do not search",
            ),
            (
                "-m nfacct --nfacct-name a",
                "error: match \"nfacct\" is not supported: \
                 counters by name are objects of a table",
            ),
            ("-m tcp --dport 80", "error: match \"tcp\" needs \"-p tcp\" in the rule"),
            (
                "-m conntrack --ctorigdstport 80",
                "error: match \"conntrack\" needs \"-p\" with tcp, udp, udplite, sctp or dccp in the rule",
            ),
            ("-m icmp6 --icmpv6-type 1", "error: match \"icmp6\" is not for IPv4"),
            ("-s 2001:db8::1", "error: option -s: \"2001:db8::1\" is not an IPv4 address"),
            (
                "-s host.example",
                "error: option -s: \"host.example\" is not an address (names of hosts are not looked up)",
            ),
            ("! -i +", "meta nfproto ipv4 iifname \"INVAL/D\""),
            ("-m mark --mark 3/1", "meta nfproto ipv4 meta mark & 0x00000001 == 0x00000003"),
            (
                "-m conntrack --ctstate NEW,DNAT",
                "error: match \"conntrack\" is not supported: it keeps a set in the table, and a \
                 condition is one rule",
            ),
            (
                "-p tcp -m multiport --sports 1 --dports 2",
                "error: option --dports cannot be used together with --sports",
            ),
        ],
    );
}

#[test]
fn conditions_when_protocol_is_known_then_tested_where_needed() {
    let tcp = Some(L4Proto::Tcp);
    for (text, expected) in [
        ("-s 192.0.2.1", "ip saddr 192.0.2.1"),
        ("--syn", "meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack"),
        ("-p tcp", "meta nfproto ipv4 meta l4proto tcp"),
        ("-p tcp --sport 1", "meta nfproto ipv4 tcp sport 1"),
        ("-p udp", "error: option -p: \"udp\" is another protocol than the rule's own, tcp"),
        ("! -p tcp", "error: option -p: \"tcp\" is another protocol than the rule's own, tcp"),
    ] {
        assert_eq!(listed(V4, text, tcp), expected, "{text}");
    }
}

/// Words that mean something, so that random ones get further than the first.
const VOCABULARY: &[&str] = &[
    "!",
    "-s",
    "-d",
    "-p",
    "-i",
    "-o",
    "-f",
    "-m",
    "-j",
    "tcp",
    "udp",
    "icmp",
    "ipv6-icmp",
    "icmp6",
    "multiport",
    "conntrack",
    "state",
    "mark",
    "connmark",
    "limit",
    "mac",
    "iprange",
    "length",
    "ttl",
    "hl",
    "dscp",
    "owner",
    "pkttype",
    "rpfilter",
    "statistic",
    "addrtype",
    "string",
    "--sport",
    "--dport",
    "--dports",
    "--syn",
    "--tcp-flags",
    "--icmp-type",
    "--icmpv6-type",
    "--ctstate",
    "--ctstatus",
    "--ctorigdst",
    "--ctorigdstport",
    "--ctdir",
    "--state",
    "--mark",
    "--limit",
    "--limit-burst",
    "--mac-source",
    "--src-range",
    "--length",
    "--ttl-gt",
    "--hl-eq",
    "--dscp",
    "--dscp-class",
    "--uid-owner",
    "--pkt-type",
    "--invert",
    "--mode",
    "--probability",
    "--every",
    "--dst-type",
    "--limit-iface-in",
    "NEW,DNAT",
    "INVALID",
    "80",
    "80:90",
    "1,2:3",
    "10.0.0.0/8",
    "10.0.0.1-10.0.0.2",
    "10.0.0.0/8,192.0.2.1",
    "fd00::/8",
    "0x10/0x10",
    "5/min",
    "any",
    "3/4",
    "LOCAL",
    "random",
    "nth",
    "0.5",
    "1e999",
    "NaN",
    "eth+",
    "é",
    "/",
    ",",
    ":",
    "-",
    "--",
    "",
    "=",
];

fn any_words() -> impl Strategy<Value = Vec<String>> {
    let known = prop::sample::select(VOCABULARY).prop_map(str::to_owned);
    let mixed = (prop::sample::select(VOCABULARY), ".{0,4}").prop_map(|(a, b)| format!("{a}{b}"));
    prop::collection::vec(prop_oneof![6 => known, 1 => mixed, 1 => ".{0,8}"], 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the words, there is an answer, and an error names one of them.
    #[test]
    fn conditions_when_words_are_arbitrary_then_error_names_a_word(words in any_words(), v6: bool) {
        let version = if v6 { V6 } else { V4 };
        match conditions(&words, version) {
            Ok(exprs) => {
                prop_assert!(exprs.len() >= 2);
                let _ = list_rule(Family::Inet, &Rule::new(exprs), &|_| None);
            }
            Err(Error::StrayNegation) => prop_assert!(words.iter().any(|word| word == "!")),
            Err(error) => {
                let text = error.to_string();
                // A word, its option without the value, or the letter in front of it.
                let named = |word: &String| {
                    let option = word.split('=').next().unwrap_or_default();
                    let letter: String = word.chars().take(2).collect();
                    [word, option, &letter].iter().any(|part| {
                        let quoted = format!("{part:?}");
                        text.contains(*part) || text.contains(&quoted[1..quoted.len() - 1])
                    })
                };
                prop_assert!(words.iter().any(named), "{} names none of {:?}", text, words);
            }
        }
    }
}

/// What iptables-save would print of a rule that was appended.
fn saved(version: IpVersion, text: &str) -> String {
    let words = words(&format!("-A CHAIN {text}"));
    let operation = match command(&words, version) {
        Ok(command) => command.operation,
        Err(error) => return format!("error: {error}"),
    };
    let Operation::Append { rules, .. } = operation else { return "no append".to_owned() };
    let read = |rule: &super::Compiled| match Read::read(&rule.rule, version) {
        Some(read) => read.words().join(" "),
        None => format!("unread: {}", list_rule(Family::of(version), &rule.rule, &|_| None)),
    };
    rules.iter().map(read).collect::<Vec<_>>().join("; ")
}

#[test]
fn words_when_compiled_and_read_back_then_are_what_iptables_save_prints() {
    let table = [
        ("-j ACCEPT", "-j ACCEPT"),
        ("! -i docker0 -o docker0 -j DROP", "! -i docker0 -o docker0 -j DROP"),
        ("-i + -j DOCKER", "-j DOCKER"),
        (
            "-d 172.17.0.2 -p tcp --dport 80 -j ACCEPT",
            "-d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT",
        ),
        ("-s 10.1.2.3/255.0.255.0 -g next", "-s 10.0.2.0/255.0.255.0 -g next"),
        ("-s 10.0.0.1,10.0.0.2 -j DROP", "-s 10.0.0.1/32 -j DROP; -s 10.0.0.2/32 -j DROP"),
        (
            "-p tcp --syn -m comment --comment hello",
            "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m comment --comment hello",
        ),
        (
            "-p udp ! --sport 1:9 -j MARK --set-mark 1",
            "-p udp -m udp ! --sport 1:9 -j MARK --set-xmark 0x1/0xffffffff",
        ),
        (
            "-p tcp -j DNAT --to-destination 10.0.0.2:80-90 --random",
            "-p tcp -j DNAT --to-destination 10.0.0.2:80-90 --random",
        ),
        (
            "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
            "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        ),
    ];
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, expected)| (text, *expected, saved(V4, text)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(text, expected, found)| format!("{text}\n  found    {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each rule lists with this text behind the columns, as `iptables -L -n`.
pub(super) fn listed_by(version: IpVersion, table: &[(&str, &str)]) {
    let text = |rule: &str| {
        let command = command(&words(&format!("-A INPUT {rule}")), version);
        let rules = match command.map(|command| command.operation) {
            Ok(Operation::Append { rules, .. }) => rules,
            Ok(other) => return format!("-A is {other:?}"),
            Err(error) => return format!("error: {error}"),
        };
        let style = super::setting::Style { numeric: true };
        let read = rules.first().and_then(|rule| Read::read(&rule.rule, version));
        read.map_or("unread".to_owned(), |read| read.details(&style).join(" "))
    };
    let wrong: Vec<String> = table
        .iter()
        .map(|(rule, expected)| (rule, *expected, text(rule)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(rule, expected, found)| format!("{rule}\n  found    {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #[test]
    fn shape_when_it_is_only_asked_for_then_is_found_where_it_would_be_read(
        count in 0..4_u8,
        parts in prop::collection::vec((any::<u8>(), any::<u8>(), 0..3_u8), 0..5),
        rest in prop::collection::vec(any::<u8>(), 0..4),
        cut in 0..8_usize,
    ) {
        let mut value = vec![count];
        for (id, exprs, length) in parts {
            value.extend([id, exprs, length]);
            value.resize(value.len() + usize::from(length), 7);
        }
        value.extend(rest);
        let comment = crate::nft::Userdata::new().with(0, b"a comment\0".to_vec());
        let mut bytes = comment.with(super::shape::TLV_SHAPE, value).encode();
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        let read = super::shape::Shape::decode(&crate::nft::Userdata::decode(&bytes));
        prop_assert_eq!(super::shape::Shape::is_in(&bytes), read.is_some());
    }
}

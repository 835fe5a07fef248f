//! What iptables 1.8.9 makes on nf_tables: native expressions are typed, those of nft_compat are
//! kept whole, and all encode to the bytes that the kernel gave.

use portcullis::nft::{Applied, Expr, Kernel};

use crate::roundtrip::without_nested_flag;
use crate::tools::{bytecode_lines, fresh_netns, run};
use crate::whole::{Whole, table_id};

/// `iptables-save` input for IPv4: the rules that container plugins and firewalls write.
const RULES4: &str = include_str!("corpus/iptables.save");
/// The same for IPv6.
const RULES6: &str = include_str!("corpus/ip6tables.save");

struct Found {
    rules: usize,
    compat: usize,
}

/// Compares one table of iptables' with what we decode, encode, and make anew.
fn check(name: &str) -> Found {
    let id = table_id(name);
    let mut kernel = Kernel::open().unwrap();
    let whole = Whole::read(&mut kernel, &id);
    let raw = kernel.raw_expressions(&id).unwrap();
    let mut compat = 0;
    for ((chain, rule), (_, _, raw)) in whole.rules().zip(&raw) {
        let mut encoded = rule.value.encode_expressions();
        without_nested_flag(&mut encoded);
        assert_eq!(encoded, *raw, "{name} {chain} {:?}", rule.value);
        for expr in &rule.value.exprs {
            if let Expr::Other(other) = expr {
                assert!(matches!(other.name.as_str(), "match" | "target"), "{other:?}");
                assert!(!other.data.is_empty(), "{other:?}");
                compat += 1;
            }
        }
        let dumped = kernel.bytecode(&id, chain, rule.handle).unwrap().unwrap();
        let sent = rule.value.bytecode(id.family).unwrap();
        assert_eq!(bytecode_lines(&sent), bytecode_lines(&dumped), "{name} {chain}");
    }
    fresh_netns();
    let mut second = Kernel::open().unwrap();
    let applied = second.commit(&whole.rebuild(), None);
    assert_eq!(applied.unwrap_or_else(|error| panic!("{name}: {error:#}")), Applied::Committed);
    for ((chain, _, first), (_, _, second)) in raw.iter().zip(second.raw_expressions(&id).unwrap())
    {
        assert_eq!(*first, second, "{name} {chain}");
    }
    Found { rules: raw.len(), compat }
}

/// Loads a save file anew for each of its tables, and compares what iptables saves of the copy.
fn check_all(save: &str, family: &str, restore: &str, saver: &str) -> Found {
    let mut found = Found { rules: 0, compat: 0 };
    for table in save.lines().filter_map(|line| line.strip_prefix('*')) {
        fresh_netns();
        run(restore, &[], save);
        let before = run(saver, &["-t", table], "");
        let one = check(&format!("{family} {table}"));
        let after = run(saver, &["-t", table], "");
        assert_eq!(without_comments(&after), without_comments(&before), "{family} {table}");
        found.rules += one.rules;
        found.compat += one.compat;
    }
    found
}

fn without_comments(save: &str) -> String {
    save.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn rules_of_iptables_when_decoded_then_encode_as_they_came() {
    let found = check_all(RULES4, "ip", "iptables-nft-restore", "iptables-nft-save");
    println!("{} rules, {} expressions of nft_compat", found.rules, found.compat);
    assert!(found.rules >= 60 && found.compat > 0, "{} {}", found.rules, found.compat);
}

#[test]
fn rules_of_ip6tables_when_decoded_then_encode_as_they_came() {
    let found = check_all(RULES6, "ip6", "ip6tables-nft-restore", "ip6tables-nft-save");
    println!("{} rules, {} expressions of nft_compat", found.rules, found.compat);
    assert!(found.rules >= 20 && found.compat > 0, "{} {}", found.rules, found.compat);
}

//! Chains and rules that are there, changed in place: names, policies, counts, one rule for another.

use std::net::UdpSocket;

use portcullis::nft::expr::{Counter, Immediate, Verdict};
use portcullis::nft::{
    AnyChain, BaseChain, Change, Error, Expr, Hook, Kernel, Listed, Name, Policy, Rule, Transaction,
};

use crate::tools::{fresh_netns, nft, nft_list, run};
use crate::whole::table_id;

const SCRIPT: &str = "table ip held {
	chain regular {
		counter packets 3 bytes 100 drop comment \"the first\"
	}

	chain input {
		type filter hook input priority filter; policy accept;
		counter packets 5 bytes 200 jump regular
		tcp dport 80 counter packets 7 bytes 300 accept
	}
}
";

fn kernel() -> Kernel {
    fresh_netns();
    nft(SCRIPT);
    Kernel::open().unwrap()
}

fn commit(kernel: &mut Kernel, changes: Vec<Change>) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    changes.into_iter().for_each(|change| transaction.push(change));
    kernel.commit(&transaction, None).map(|_| ())
}

fn chain(kernel: &mut Kernel, name: &'static str) -> Listed<AnyChain> {
    let found = kernel.chains_named(&table_id("ip held"), &[Name::literal(name)]).unwrap();
    found.into_iter().next().flatten().unwrap()
}

fn rules_of(kernel: &mut Kernel, name: &'static str) -> Vec<Listed<Rule>> {
    let rules = kernel.rules(&table_id("ip held"), Some(&Name::literal(name))).unwrap();
    rules.into_iter().map(|(_, rule)| rule).collect()
}

fn counts(rules: &[Listed<Rule>]) -> Vec<(u64, u64)> {
    let exprs = rules.iter().flat_map(|rule| &rule.value.exprs);
    let counters = exprs.filter_map(|expr| match expr {
        Expr::Counter(Counter { packets, bytes }) => Some((*packets, *bytes)),
        _ => None,
    });
    counters.collect()
}

#[test]
fn rename_chain_when_a_rule_jumps_to_it_then_the_rule_follows() {
    let mut kernel = kernel();
    let chain = chain(&mut kernel, "regular");
    let change =
        Change::RenameChain { table: table_id("ip held"), chain, to: Name::literal("another") };
    commit(&mut kernel, vec![change]).unwrap();
    assert_eq!(nft_list("ip held"), SCRIPT.replace("regular", "another"));
}

#[test]
fn rename_chain_when_the_name_is_taken_then_is_refused_by_name() {
    let mut kernel = kernel();
    let chain = chain(&mut kernel, "regular");
    let change =
        Change::RenameChain { table: table_id("ip held"), chain, to: Name::literal("input") };
    let Err(Error::Refused(refused)) = commit(&mut kernel, vec![change]) else {
        panic!("two chains of one name")
    };
    assert_eq!(refused[0].change, "rename chain ip held regular input");
    assert_eq!(nft_list("ip held"), SCRIPT);
}

#[test]
fn set_policy_when_the_chain_has_rules_then_they_stay_with_their_counts() {
    let mut kernel = kernel();
    let change = Change::SetPolicy(table_id("ip held"), Name::literal("input"), Policy::Drop);
    commit(&mut kernel, vec![change]).unwrap();
    assert_eq!(nft_list("ip held"), SCRIPT.replace("policy accept", "policy drop"));
}

#[test]
fn set_policy_when_the_chain_is_no_base_chain_then_is_refused() {
    let mut kernel = kernel();
    let change = Change::SetPolicy(table_id("ip held"), Name::literal("regular"), Policy::Drop);
    let Err(Error::Refused(refused)) = commit(&mut kernel, vec![change]) else {
        panic!("a regular chain has no policy")
    };
    assert_eq!(refused[0].change, "add chain ip held regular { policy drop; }");
}

#[test]
fn chain_counters_when_set_then_read_back_and_go_on_counting() {
    let mut kernel = kernel();
    let (table, name) = (table_id("ip held"), Name::literal("input"));
    let names = [name.clone(), Name::literal("regular"), Name::literal("missing")];
    let before = kernel.chain_usage(&table, &names).unwrap();
    // Two rules each, or one and a jump to it.
    let uses: Vec<Option<u32>> = before.iter().map(|it| it.as_ref().map(|it| it.uses)).collect();
    assert_eq!(uses, [Some(2), Some(2), None]);
    assert!(before.iter().flatten().all(|usage| usage.counter.is_none()));
    let empty = rules_of(&mut kernel, "input")
        .into_iter()
        .map(|rule| Change::DeleteRule(table.clone(), name.clone(), rule));
    let counter = Counter { packets: 9, bytes: 1000 };
    let set = Change::SetChainCounters(table.clone(), name.clone(), counter);
    let changes = empty.chain([set]).collect();
    commit(&mut kernel, changes).unwrap();
    let read = |kernel: &mut Kernel| kernel.chain_usage(&table, &names).unwrap()[0].clone();
    assert_eq!(read(&mut kernel).unwrap().counter, Some(counter));
    run("ip", &["link", "set", "lo", "up"], "");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&[0; 8], socket.local_addr().unwrap()).unwrap();
    // With the headers of IP and UDP.
    let after = read(&mut kernel).unwrap().counter;
    assert_eq!(after, Some(Counter { packets: 10, bytes: 1036 }));
}

#[test]
fn chain_counters_when_the_chain_is_made_in_the_same_batch_then_it_has_them() {
    let mut kernel = kernel();
    let (table, name) = (table_id("ip held"), Name::literal("forward"));
    let AnyChain::Base(input) = chain(&mut kernel, "input").value else { panic!("a base chain") };
    let forward = BaseChain { name: name.clone(), hook: Hook::Forward, ..input };
    let counter = Counter { packets: 1 << 40, bytes: 1 << 50 };
    let changes = vec![
        Change::AddBaseChain(table.clone(), forward),
        Change::SetChainCounters(table.clone(), name.clone(), counter),
    ];
    commit(&mut kernel, changes).unwrap();
    let usage = kernel.chain_usage(&table, &[name]).unwrap().remove(0).unwrap();
    assert_eq!((usage.counter, usage.uses), (Some(counter), 0));
}

#[test]
fn replace_rule_when_it_is_in_the_middle_then_the_new_one_has_its_place() {
    let mut kernel = kernel();
    let old = rules_of(&mut kernel, "input").remove(0);
    let new = Rule::new(vec![Immediate::Verdict(Verdict::Return).into()]);
    let (table, chain) = (table_id("ip held"), Name::literal("input"));
    let change = Change::ReplaceRule { table, chain, old, new: new.into() };
    commit(&mut kernel, vec![change]).unwrap();
    let wanted = SCRIPT.replace("counter packets 5 bytes 200 jump regular", "return");
    assert_eq!(nft_list("ip held"), wanted);
}

#[test]
fn replace_rule_when_it_is_not_there_then_is_refused_as_written() {
    let mut kernel = kernel();
    let old = Listed { handle: 4711, value: Rule::new(vec![]) };
    let new = Rule::new(vec![Immediate::Verdict(Verdict::Return).into()]);
    let (table, chain) = (table_id("ip held"), Name::literal("input"));
    let change = Change::ReplaceRule { table, chain, old, new: new.into() };
    let Err(Error::Refused(refused)) = commit(&mut kernel, vec![change]) else {
        panic!("there is no such rule")
    };
    assert_eq!(refused[0].change, "replace rule ip held input handle 4711 return");
}

#[test]
fn reset_rules_when_of_one_chain_then_the_other_keeps_its_counts() {
    let mut kernel = kernel();
    let (table, input) = (table_id("ip held"), Name::literal("input"));
    let were: Vec<_> = kernel.reset_rules(&table, Some(&input)).unwrap();
    let were: Vec<Listed<Rule>> = were.into_iter().map(|(_, rule)| rule).collect();
    assert_eq!(counts(&were), [(5, 200), (7, 300)]);
    assert_eq!(counts(&rules_of(&mut kernel, "input")), [(0, 0), (0, 0)]);
    assert_eq!(counts(&rules_of(&mut kernel, "regular")), [(3, 100)]);
    kernel.reset_rules(&table, None).unwrap();
    assert_eq!(counts(&rules_of(&mut kernel, "regular")), [(0, 0)]);
}

#[test]
fn reset_rule_when_of_one_handle_then_the_next_keeps_its_counts() {
    let mut kernel = kernel();
    let (table, input) = (table_id("ip held"), Name::literal("input"));
    let first = rules_of(&mut kernel, "input").remove(0);
    let was = kernel.reset_rule(&table, &input, first.handle).unwrap();
    assert_eq!(was, Some(first));
    assert_eq!(counts(&rules_of(&mut kernel, "input")), [(0, 0), (7, 300)]);
    assert_eq!(kernel.reset_rule(&table, &input, 4711).unwrap(), None);
}

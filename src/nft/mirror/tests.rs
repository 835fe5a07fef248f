//! What is pure of mirrors: ledgers and logs as bytes, and what commits make of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::digest::Digest;
use super::fate::{Fate, Listed, asked, fate, is_felt};
use super::ledger::{Entry, Instance, Ledger};
use super::record::{self, ChainRule, Place, Record, Replay, SEARCHES, encode_all, length_of_all};
use crate::nft::expr::{Immediate, Verdict};
use crate::nft::{
    AnyChain, BaseChain, Chain, ChainKind, Change, DataType, Element, Expr, Family, Generation,
    Hook, Name, Policy, RawRule, Rule, Set, Table, TableId,
};

fn raw(handle: u64, length: usize) -> RawRule {
    let exprs = (0..length).map(|at| (at as u64 ^ handle) as u8).collect();
    RawRule { handle, exprs, userdata: vec![7; length % 5] }
}

/// The rules of a log, all of them read.
fn replay(mut log: &[u8]) -> Option<Vec<RawRule>> {
    let mut replay = Replay::new(&|_, _| true);
    while !log.is_empty() {
        let (taken, rest) = log.split_at_checked(record::length(log.first_chunk()?)?)?;
        replay.take(taken)?;
        log = rest;
    }
    let rules = replay.end()?.into_iter().map(|rule| match rule {
        ChainRule::Read(rule) => *rule,
        ChainRule::Passed(handle) => panic!("{handle}: all were wanted"),
    });
    Some(rules.collect())
}

fn table(name: &str) -> TableId {
    TableId { family: Family::Ip, name: Name::new(name).unwrap() }
}

fn entry(chain: &str) -> Entry {
    let chain = Name::new(chain).unwrap();
    let digest = Digest::of(b"log");
    Entry { table: table("filter"), chain, handle: 9, file: 3, base: 64, length: 96, digest }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(Instance { netns: 0x1234, module: 77 }, Generation(41), 4);
    ledger.entries = vec![entry("T"), entry("a chain with / and a long name, of a stranger's")];
    ledger
}

#[test]
fn ledger_when_written_and_read_then_is_the_same() {
    let ledger = ledger();
    let mut bytes = ledger.encode();
    assert_eq!(Ledger::decode(&bytes), Some(ledger.clone()));
    // What a longer one has left behind it does not matter.
    bytes.extend(b"entries of before");
    assert_eq!(Ledger::decode(&bytes), Some(ledger));
}

#[test]
fn ledger_when_cut_off_anywhere_then_is_none() {
    let bytes = ledger().encode();
    for length in 0..bytes.len() {
        assert_eq!(Ledger::decode(&bytes[..length]), None, "{length}");
    }
}

#[test]
fn ledger_when_any_bit_is_turned_then_is_none() {
    let bytes = ledger().encode();
    for bit in 0..bytes.len() * 8 {
        let mut turned = bytes.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Ledger::decode(&turned), None, "{bit}");
    }
}

/// The kernel takes 0 for "any generation".
#[test]
fn ledger_when_its_generation_is_zero_then_is_none() {
    let ledger = Ledger { generation: Generation(0), ..ledger() };
    assert_eq!(Ledger::decode(&ledger.encode()), None);
}

#[test]
fn generation_when_it_overflows_then_leaves_zero_out() {
    assert_eq!(Generation(u32::MAX).next(), Generation(1));
    assert_eq!(Generation(41).next(), Generation(42));
}

#[test]
fn digest_when_it_grows_then_is_that_of_the_whole() {
    let bytes: Vec<u8> = (0..640_u32).map(|at| (at * 7) as u8).collect();
    for at in (0..=640).step_by(32) {
        let mut grown = Digest::of(&bytes[..at]);
        grown.extend(&bytes[at..]);
        assert_eq!(grown, Digest::of(&bytes));
    }
}

#[test]
fn log_when_it_ends_within_a_record_then_is_none() {
    let log = encode_all(&[raw(1, 40), raw(2, 90)]);
    let ends: Vec<usize> = (0..log.len()).filter(|end| replay(&log[..*end]).is_some()).collect();
    assert_eq!(ends, [0, 96], "only between records; that it was longer, its sum tells");
}

#[test]
fn log_when_it_names_a_rule_that_is_not_there_then_is_none() {
    let put = |place| Record::Put(place, raw(2, 8));
    let wrong =
        [Record::Delete(5), put(Place::Before(5)), put(Place::Behind(5)), put(Place::Of(5))];
    for record in wrong {
        let mut log = encode_all(&[raw(1, 8)]);
        record.encode(&mut log);
        assert_eq!(replay(&log), None, "{record:?}");
    }
}

#[test]
fn log_when_many_rules_were_put_beside_others_then_is_over() {
    let mut log = encode_all(&[raw(1, 8)]);
    for handle in 0..SEARCHES as u64 {
        let place = [Place::Before(1), Place::Behind(1), Place::Of(1)][handle as usize % 3];
        let handle = if place == Place::Of(1) { 1 } else { handle + 2 };
        Record::Put(place, raw(handle, 8)).encode(&mut log);
    }
    assert!(replay(&log).is_some());
    // Others do not count.
    Record::Put(Place::End, raw(5000, 8)).encode(&mut log);
    Record::Put(Place::Front, raw(5001, 8)).encode(&mut log);
    Record::Delete(1).encode(&mut log);
    assert!(replay(&log).is_some());
    Record::Put(Place::Before(5000), raw(5002, 8)).encode(&mut log);
    assert_eq!(replay(&log), None);
}

#[test]
fn log_when_it_is_only_counted_then_has_the_same_length() {
    let rules: Vec<RawRule> = (0..200).map(|at| raw(at + 1, at as usize)).collect();
    assert_eq!(length_of_all(&rules), encode_all(&rules).len() as u64);
}

/// A change of a list, by positions.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append,
    Prepend,
    Before(usize),
    Behind(usize),
    Replace(usize),
    ReplaceWithItsHandle(usize),
    Delete(usize),
}

fn step() -> impl Strategy<Value = Step> {
    (0..7, 0..1000_usize).prop_map(|(kind, at)| match kind {
        0 => Step::Append,
        1 => Step::Prepend,
        2 => Step::Before(at),
        3 => Step::Behind(at),
        4 => Step::Replace(at),
        5 => Step::ReplaceWithItsHandle(at),
        _ => Step::Delete(at),
    })
}

/// Does a step to a list, and says what a log has of it.
fn act(list: &mut Vec<RawRule>, step: Step, next: RawRule) -> Option<Record> {
    let length = list.len();
    let (at, record) = match (step, length) {
        (Step::Append, _) => (length, Record::Put(Place::End, next.clone())),
        (Step::Prepend, _) => (0, Record::Put(Place::Front, next.clone())),
        (_, 0) => return None,
        (Step::Before(at), _) => {
            let at = at % length;
            (at, Record::Put(Place::Before(list[at].handle), next.clone()))
        }
        (Step::Behind(at), _) => {
            let at = at % length;
            (at + 1, Record::Put(Place::Behind(list[at].handle), next.clone()))
        }
        (Step::Replace(at), _) => {
            let old = list[at % length].handle;
            list[at % length] = next.clone();
            return Some(Record::Put(Place::Of(old), next));
        }
        (Step::ReplaceWithItsHandle(at), _) => {
            let old = list[at % length].handle;
            let next = RawRule { handle: old, ..next };
            list[at % length] = next.clone();
            return Some(Record::Put(Place::Of(old), next));
        }
        (Step::Delete(at), _) => return Some(Record::Delete(list.remove(at % length).handle)),
    };
    list.insert(at, next);
    Some(record)
}

proptest! {
    #[test]
    fn log_of_any_changes_when_replayed_then_is_the_list(
        begin in 0..50_u64,
        steps in prop::collection::vec((step(), 0..100_usize), 0..100),
    ) {
        let mut list: Vec<RawRule> = (0..begin).map(|at| raw(at + 1, at as usize)).collect();
        let mut log = encode_all(&list);
        for (handle, (step, length)) in (1000..).zip(steps) {
            if let Some(record) = act(&mut list, step, raw(handle, length)) {
                record.encode(&mut log);
            }
            prop_assert_eq!(log.len() % 32, 0);
        }
        prop_assert_eq!(replay(&log), Some(list));
    }

    #[test]
    fn bytes_when_they_are_no_log_then_nothing_fails(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = replay(&bytes);
        prop_assert_eq!(Ledger::decode(&bytes), None);
    }
}

fn rule(verdict: Verdict) -> Rule {
    Rule::new(vec![Expr::Immediate(Immediate::Verdict(verdict))])
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn commit_when_it_changes_rules_then_the_mirror_has_records_of_it() {
    let (filter, t) = (table("filter"), name("T"));
    let drop = || rule(Verdict::Drop);
    let old = crate::nft::Listed { handle: 5, value: drop() };
    let changes = [
        Change::DeleteRule(filter.clone(), t.clone(), old.clone()),
        Change::AddRule {
            table: filter.clone(),
            chain: t.clone(),
            rule: drop().into(),
            after: None,
        },
        Change::AddRule {
            table: filter.clone(),
            chain: name("U"),
            rule: drop().into(),
            after: None,
        },
        Change::AddRule { table: table("nat"), chain: t.clone(), rule: drop().into(), after: None },
        Change::InsertRule {
            table: filter.clone(),
            chain: t.clone(),
            rule: drop().into(),
            before: None,
        },
        Change::InsertRule {
            table: filter.clone(),
            chain: t.clone(),
            rule: drop().into(),
            before: Some(6),
        },
        Change::ReplaceRule { table: filter.clone(), chain: t.clone(), old, new: drop().into() },
        Change::SetPolicy(filter.clone(), t.clone(), Policy::Drop),
    ];
    let mut ledger = ledger();
    ledger.entries.truncate(1);
    let places = asked(&ledger, &changes);
    assert_eq!(places.iter().copied().collect::<Vec<_>>(), [1, 4, 5, 6]);
    let listed: Listed = places.iter().map(|place| (*place, raw(*place as u64, 4))).collect();
    let expected = [
        Record::Delete(5),
        Record::Put(Place::End, raw(1, 4)),
        Record::Put(Place::Front, raw(4, 4)),
        Record::Put(Place::Before(6), raw(5, 4)),
        Record::Put(Place::Of(5), raw(6, 4)),
    ];
    assert_eq!(fate(&entry("T"), &changes, &listed), Fate::Goes(expected.to_vec()));
    assert_eq!(fate(&entry("other"), &changes, &listed), Fate::Goes(Vec::new()));
    // Not told by the kernel what became of one of them.
    let unknown: Listed = listed.into_iter().skip(1).collect();
    assert_eq!(fate(&entry("T"), &changes, &unknown), Fate::Over);
}

#[test]
fn commit_when_the_chain_or_names_in_it_change_then_the_mirror_is_over() {
    let (filter, t, u) = (table("filter"), name("T"), name("U"));
    let chain = crate::nft::Listed { handle: 8, value: AnyChain::Regular(Chain::new(u.clone())) };
    let base = |name: &Name| BaseChain {
        name: name.clone(),
        kind: ChainKind::Filter,
        hook: Hook::Input,
        priority: 0,
        policy: Policy::Accept,
        device: None,
        userdata: crate::nft::Userdata::new(),
    };
    let over = [
        Change::AddTable(Table::new(filter.clone())),
        Change::DeleteTable(filter.clone()),
        Change::AddChain(filter.clone(), Chain::new(t.clone())),
        Change::AddBaseChain(filter.clone(), base(&t)),
        Change::FlushChain(filter.clone(), t.clone()),
        Change::DeleteChain(filter.clone(), t.clone()),
        // Rules of T may jump to U.
        Change::RenameChain { table: filter.clone(), chain: chain.clone(), to: name("V") },
    ];
    for change in over {
        let changes = [change];
        assert_eq!(fate(&entry("T"), &changes, &Listed::new()), Fate::Over, "{changes:?}");
    }
    let same = [
        Change::AddTable(Table::new(table("nat"))),
        Change::DeleteTable(table("nat")),
        Change::AddChain(filter.clone(), Chain::new(u.clone())),
        Change::AddBaseChain(filter.clone(), base(&u)),
        Change::FlushChain(filter.clone(), u.clone()),
        Change::DeleteChain(filter.clone(), u),
        Change::FlushChain(table("nat"), t.clone()),
        Change::RenameChain { table: table("nat"), chain, to: name("V") },
    ];
    assert_eq!(fate(&entry("T"), &same, &Listed::new()), Fate::Goes(Vec::new()));
}

#[test]
fn commit_when_it_may_change_nothing_then_is_not_counted_on() {
    let (filter, t) = (table("filter"), name("T"));
    let set = Set::new(name("marks"), vec![DataType::Mark]);
    let mut changes = vec![
        Change::AddTable(Table::new(filter.clone())),
        Change::FlushChain(filter.clone(), t.clone()),
        Change::AddSet(filter.clone(), set.clone()),
        Change::AddElements(filter.clone(), set.clone(), vec![Element::new(vec![1, 0, 0, 0])]),
        Change::CreateElements(filter.clone(), set, Vec::new()),
    ];
    assert!(!is_felt(&changes));
    let drop = rule(Verdict::Drop);
    changes.push(Change::AddRule { table: filter, chain: t, rule: drop.into(), after: None });
    assert!(is_felt(&changes));
}

#[test]
fn commit_when_it_makes_many_rules_then_they_are_not_asked_back() {
    let add = |chain: &str| Change::AddRule {
        table: table("filter"),
        chain: name(chain),
        rule: rule(Verdict::Drop).into(),
        after: None,
    };
    let many: Vec<Change> = (0..9).map(|_| add("T")).collect();
    assert!(asked(&ledger(), &many).is_empty());
    assert_eq!(asked(&ledger(), &many[1..]).len(), 8);
    let others: Vec<Change> = (0..100).map(|_| add("U")).chain([add("T")]).collect();
    assert_eq!(asked(&ledger(), &others).into_iter().collect::<Vec<_>>(), [100]);
}

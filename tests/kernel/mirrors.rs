//! Mirrors of long chains, byte for byte what the kernel lists, after whatever was committed.

use std::fs;
use std::path::PathBuf;
use std::thread;

use nix::sys::socket::{setsockopt, sockopt};
use portcullis::net::IpVersion;
use portcullis::nft::{
    AnyChain, Applied, Chain, ChainRule, Change, Generation, Kernel, Listed, Name, RawRule, Rule,
    Set, Table, TableId, Transaction,
};
use portcullis::xtables::{Operation, command};
use proptest::prelude::*;

use crate::tools::nft;
use crate::whole::table_id;

#[path = "../lab/isolation.rs"]
mod isolation;

pub fn filter() -> TableId {
    table_id("ip filter")
}

pub fn t() -> Name {
    Name::literal("T")
}

/// A rule with a comment, so that it has userdata.
pub fn rule(number: usize) -> Rule {
    appended(&format!(
        "-A T -s 10.0.0.{} -p tcp --dport {number} -m comment --comment c{number} -j ACCEPT",
        number % 250
    ))
}

/// A rule with a set of its own, which the kernel names.
fn rule_with_set(number: usize) -> Rule {
    appended(&format!("-A T -p tcp -m multiport --dports {number},80 -m limit --limit 3/min"))
}

fn appended(words: &str) -> Rule {
    let words: Vec<&str> = words.split(' ').collect();
    match command(&words, IpVersion::V4).unwrap().operation {
        Operation::Append { rules, .. } => Rule::clone(&rules[0].rule),
        other => panic!("{other:?}"),
    }
}

pub fn add(rule: Rule) -> Change {
    Change::AddRule { table: filter(), chain: t(), rule: rule.into(), after: None }
}

pub fn commit(changes: Vec<Change>) {
    let mut transaction = Transaction::new();
    changes.into_iter().for_each(|change| transaction.push(change));
    let applied = Kernel::open().unwrap().commit(&transaction, None).unwrap();
    assert_eq!(applied, Applied::Committed);
}

pub fn begin(rules: usize) {
    isolation::isolate();
    let mut changes = vec![
        Change::AddTable(Table::new(filter())),
        Change::AddChain(filter(), Chain::new(t())),
        Change::AddChain(filter(), Chain::new(Name::literal("U"))),
    ];
    changes.extend((1..=rules).map(|number| add(rule(number))));
    commit(changes);
}

fn chain(kernel: &mut Kernel, name: &Name) -> Listed<AnyChain> {
    kernel.chains_named(&filter(), std::slice::from_ref(name)).unwrap().remove(0).expect("a chain")
}

/// The rules as a reader of mirrors gets them.
fn read() -> Vec<RawRule> {
    let mut kernel = Kernel::open().unwrap();
    let generation = kernel.generation().unwrap();
    let chain = chain(&mut kernel, &t());
    all_at(&mut kernel, &chain, generation)
}

fn all_at(kernel: &mut Kernel, chain: &Listed<AnyChain>, generation: Generation) -> Vec<RawRule> {
    let rules = kernel.rules_at(&filter(), chain, 100, generation, &|_, _| true).unwrap();
    let read = |rule| match rule {
        ChainRule::Read(rule) => *rule,
        ChainRule::Passed(handle) => panic!("{handle}: all were wanted"),
    };
    rules.into_iter().map(read).collect()
}

/// What a reader gets is what the kernel lists.
#[track_caller]
pub fn assert_right(when: &str) {
    let (read, listed) = (read(), listed());
    let handles = |rules: &[RawRule]| rules.iter().map(|rule| rule.handle).collect::<Vec<_>>();
    assert_eq!(handles(&read), handles(&listed), "{when}");
    let differs = read.iter().zip(&listed).find(|(read, listed)| read != listed);
    assert_eq!(differs, None, "{when}");
}

/// The rules as the kernel lists them.
pub fn listed() -> Vec<RawRule> {
    Kernel::open().unwrap().raw_rules(&filter(), &t()).unwrap()
}

/// The file of the mirror, if there is one: each that is begun has another.
pub fn file() -> Option<PathBuf> {
    let all = fs::read_dir("/run/portcullis/mirrors").ok()?;
    let own = all.map(|own| own.unwrap().path()).next()?;
    let mut files: Vec<PathBuf> =
        fs::read_dir(own).ok()?.map(|file| file.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("ledger"));
    assert!(files.len() < 2, "{files:?}");
    files.pop()
}

/// Whether what was listed before is still read, or taken along.
#[track_caller]
pub fn assert_read(is_mirror: bool) {
    let before = file();
    assert_right("");
    assert_eq!(before.is_some() && before == file(), is_mirror, "{before:?} {:?}", file());
}

/// What changes the chain, or something else, at positions of the chain as it is.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    Add,
    AddWithSet,
    AddBehind(usize),
    Insert,
    InsertBefore(usize),
    Replace(usize),
    Delete(usize),
    /// Several of these in one batch.
    Several(usize),
    OtherChain,
    OtherTable,
    Rename,
    Foreign,
    ForeignRule,
    ForeignDeletion(usize),
    /// Somebody reads, so that there may be a mirror again.
    Read,
}

fn deed() -> impl Strategy<Value = Deed> {
    let at = || 0..200_usize;
    prop_oneof![
        3 => Just(Deed::Add),
        1 => Just(Deed::AddWithSet),
        2 => at().prop_map(Deed::AddBehind),
        2 => Just(Deed::Insert),
        2 => at().prop_map(Deed::InsertBefore),
        2 => at().prop_map(Deed::Replace),
        4 => at().prop_map(Deed::Delete),
        2 => at().prop_map(Deed::Several),
        1 => Just(Deed::OtherChain),
        1 => Just(Deed::OtherTable),
        1 => Just(Deed::Rename),
        1 => Just(Deed::Foreign),
        1 => Just(Deed::ForeignRule),
        1 => at().prop_map(Deed::ForeignDeletion),
        4 => Just(Deed::Read),
    ]
}

/// Does a deed; `number` is its own.
pub fn act(deed: Deed, number: usize) {
    let rules = listed();
    let at = |at: usize| rules[at % rules.len()].decode().unwrap();
    let (table, chain, new) = (filter(), t(), rule(number));
    let other = Name::literal("U");
    match deed {
        Deed::Add => commit(vec![add(new)]),
        Deed::AddWithSet => commit(vec![add(rule_with_set(number))]),
        Deed::AddBehind(place) => {
            let after = Some(at(place).handle);
            commit(vec![Change::AddRule { table, chain, rule: new.into(), after }]);
        }
        Deed::Insert => {
            commit(vec![Change::InsertRule { table, chain, rule: new.into(), before: None }]);
        }
        Deed::InsertBefore(place) => {
            let before = Some(at(place).handle);
            commit(vec![Change::InsertRule { table, chain, rule: new.into(), before }]);
        }
        Deed::Replace(place) => {
            commit(vec![Change::ReplaceRule { table, chain, old: at(place), new: new.into() }]);
        }
        Deed::Delete(place) => commit(vec![Change::DeleteRule(table, chain, at(place))]),
        Deed::Several(place) => {
            let before = Some(at(place + 1).handle);
            commit(vec![
                Change::DeleteRule(table.clone(), chain.clone(), at(place)),
                Change::InsertRule {
                    table: table.clone(),
                    chain: chain.clone(),
                    rule: new.clone().into(),
                    before,
                },
                add(new.clone()),
                Change::AddSet(table_id("ip filter"), marks(number)),
                Change::InsertRule { table, chain, rule: new.into(), before: None },
            ]);
        }
        Deed::OtherChain => {
            commit(vec![Change::AddRule { table, chain: other, rule: new.into(), after: None }]);
        }
        Deed::OtherTable => commit(vec![Change::AddTable(Table::new(table_id("ip6 filter")))]),
        Deed::Rename => {
            let mut kernel = Kernel::open().unwrap();
            let known = |name: &str| Name::new(name).unwrap();
            let names = [known("U"), known("V")];
            let there = kernel.chains_named(&table, &names).unwrap();
            let (chain, to) = match there.as_slice() {
                [Some(chain), _] => (chain.clone(), known("V")),
                [None, Some(chain)] => (chain.clone(), known("U")),
                other => panic!("{other:?}"),
            };
            commit(vec![Change::RenameChain { table, chain, to }]);
        }
        Deed::Foreign => nft("add table inet foreign"),
        Deed::ForeignRule => nft("insert rule ip filter T counter"),
        Deed::ForeignDeletion(place) => {
            nft(&format!("delete rule ip filter T handle {}", at(place).handle));
        }
        Deed::Read => assert_right("read"),
    }
}

fn marks(number: usize) -> Set {
    let name = Name::new(format!("marks{number}")).unwrap();
    Set::new(name, vec![portcullis::nft::DataType::Mark])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mirror_after_any_deeds_is_what_the_kernel_lists(deeds in prop::collection::vec(deed(), 25)) {
        thread::scope(|scope| scope.spawn(|| {
            begin(80);
            for (number, deed) in (1000..).zip(&deeds) {
                let deed = match deed {
                    // The other chain may have its other name.
                    Deed::OtherChain if !listed_has_u() => Deed::Rename,
                    deed => *deed,
                };
                act(deed, number);
                if number % 3 == 0 {
                    assert_right(&format!("after {deed:?}"));
                }
            }
            assert_right("");
        }).join()).unwrap();
    }
}

fn listed_has_u() -> bool {
    let mut kernel = Kernel::open().unwrap();
    kernel.chains_named(&filter(), &[Name::literal("U")]).unwrap()[0].is_some()
}

#[test]
fn mirror_when_our_commits_follow_each_other_then_goes_along() {
    begin(100);
    assert_read(false);
    assert_read(true);
    for (number, deed) in (1000..).zip([
        Deed::Add,
        Deed::AddWithSet,
        Deed::AddBehind(7),
        Deed::Insert,
        Deed::InsertBefore(50),
        Deed::Replace(3),
        Deed::Delete(4),
        Deed::Several(30),
        Deed::OtherChain,
    ]) {
        act(deed, number);
        assert_read(true);
    }
    for deed in [Deed::Rename, Deed::Foreign, Deed::ForeignRule, Deed::ForeignDeletion(3)] {
        act(deed, 2000);
        assert_read(false);
        assert_read(true);
    }
}

/// The kernel takes a batch that finds everything as it is to be, and its generation stays. If the
/// ledger went along, the next commit of a stranger's would seem to be ours.
#[test]
fn ledger_when_a_commit_changes_nothing_then_stays() {
    begin(100);
    assert_read(false);
    let nothing =
        [Change::AddTable(Table::new(filter())), Change::FlushChain(filter(), Name::literal("U"))];
    for change in nothing {
        let generation = Kernel::open().unwrap().generation().unwrap();
        commit(vec![change]);
        assert_eq!(Kernel::open().unwrap().generation().unwrap(), generation);
        assert_read(true);
        act(Deed::ForeignRule, 1);
        assert_read(false);
    }
}

/// Also where nothing is other than it was.
#[test]
fn commit_when_it_is_counted_on_then_raises_the_generation_by_one() {
    begin(2);
    let (table, u, v) = (filter(), Name::literal("U"), Name::literal("V"));
    let mut kernel = Kernel::open().unwrap();
    let base = portcullis::nft::BaseChain {
        name: Name::literal("INPUT"),
        kind: portcullis::nft::ChainKind::Filter,
        hook: portcullis::nft::Hook::Input,
        priority: 0,
        policy: portcullis::nft::Policy::Accept,
        device: None,
        userdata: portcullis::nft::Userdata::new(),
    };
    let input = base.name.clone();
    let policy = Change::SetPolicy(table.clone(), input.clone(), base.policy);
    let counters = portcullis::nft::expr::Counter::default();
    let first = || listed()[0].decode().unwrap();
    let felt: [&dyn Fn() -> Change; 13] = [
        &|| Change::AddChain(table.clone(), Chain::new(v.clone())),
        &|| Change::AddChain(table.clone(), Chain::new(v.clone())),
        &|| Change::AddBaseChain(table.clone(), base.clone()),
        &|| Change::AddBaseChain(table.clone(), base.clone()),
        &|| policy.clone(),
        &|| policy.clone(),
        &|| Change::SetChainCounters(table.clone(), input.clone(), counters),
        &|| Change::ReplaceRule {
            table: table.clone(),
            chain: t(),
            old: first(),
            new: rule(1).into(),
        },
        &|| Change::DeleteRule(table.clone(), t(), first()),
        &|| add(rule(1)),
        &|| Change::DeleteChain(table.clone(), u.clone()),
        &|| Change::InsertRule {
            table: table.clone(),
            chain: t(),
            rule: rule(1).into(),
            before: None,
        },
        &|| Change::DeleteTable(table.clone()),
    ];
    for change in felt {
        let before = kernel.generation().unwrap();
        let change = change();
        commit(vec![change.clone()]);
        assert_eq!(kernel.generation().unwrap(), before.next(), "{change:?}");
    }
}

/// As of a commit whose author was killed before the ledger followed.
#[test]
fn ledger_when_a_commit_is_missing_then_never_goes_along_again() {
    begin(100);
    assert_read(false);
    let own = file().unwrap().parent().unwrap().to_owned();
    let before = fs::read(own.join("ledger")).unwrap();
    act(Deed::Delete(3), 1);
    fs::write(own.join("ledger"), before).unwrap();
    act(Deed::Add, 1001);
    act(Deed::Delete(7), 1);
    assert_right("");
    assert_read(true);
}

/// Who waits for a commit to be over makes none.
#[test]
fn generation_when_it_is_waited_for_then_stays() {
    begin(2);
    let mut kernel = Kernel::open().unwrap();
    let generation = kernel.generation().unwrap();
    for _ in 0..3 {
        assert_eq!(kernel.settle(generation).unwrap(), Applied::Committed);
        assert_eq!(kernel.generation().unwrap(), generation);
    }
    act(Deed::Foreign, 1);
    assert_eq!(kernel.settle(generation).unwrap(), Applied::Stale);
    assert_eq!(kernel.generation().unwrap(), generation.next());
    assert_eq!(kernel.settle(generation.next()).unwrap(), Applied::Committed);
}

/// Rules that are told would take the place of the verdict in a queue that is short.
#[test]
fn commit_when_the_queue_is_short_then_is_no_error_and_ends_the_mirror() {
    begin(100);
    assert_read(false);
    let mut kernel = Kernel::open().unwrap();
    setsockopt(&kernel, sockopt::RcvBuf, &1).unwrap();
    let mut transaction = Transaction::new();
    (1000..1008).for_each(|number| transaction.push(add(rule(number))));
    assert_eq!(kernel.commit(&transaction, None).unwrap(), Applied::Committed);
    assert_eq!(listed().len(), 108);
    assert_read(false);
    assert_read(true);
}

/// The generation was asked for before somebody else's commit.
#[test]
fn reader_when_the_generation_is_an_older_one_then_the_kernel_is_asked() {
    begin(100);
    assert_read(false);
    let mut kernel = Kernel::open().unwrap();
    let generation = kernel.generation().unwrap();
    let chain = chain(&mut kernel, &t());
    act(Deed::Delete(3), 1);
    let before = file();
    let rules = all_at(&mut kernel, &chain, generation);
    assert_eq!((rules, file()), (listed(), before), "nor is it kept as of that generation");
    let gone = Generation(generation.0 - 1);
    assert_eq!(all_at(&mut kernel, &chain, gone), listed());
    assert_read(true);
}

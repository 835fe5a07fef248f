//! Commits: all or nothing, refusals that name their change, generations, dry runs, events.

use std::collections::BTreeSet;

use nix::errno::Errno;
use portcullis::netlink::Connection;
use portcullis::nft::{
    Applied, Chain, Change, DataType, Element, Error, Event, Kernel, Name, Set, Subject, Table,
    TableId, Transaction, Userdata,
};

use crate::tools::{fresh_netns, nft, nft_list, run};
use crate::whole::table_id;

const NFNLGRP_NFTABLES: u32 = 7;

fn table() -> TableId {
    table_id("inet held")
}

fn ports() -> Set {
    // As nft says that keys are in host order.
    let userdata = Userdata::new().with_u32(0, 1);
    Set { userdata, ..Set::new(Name::literal("ports"), vec![DataType::Mark]) }
}

fn element(number: u32) -> Element {
    Element::new(number.to_ne_bytes().to_vec())
}

/// A table with a set of marks.
fn with_set() -> Transaction {
    let mut transaction = Transaction::new();
    transaction.push(Change::AddTable(Table::new(table())));
    transaction.push(Change::AddSet(table(), ports()));
    transaction
}

fn kernel() -> Kernel {
    fresh_netns();
    Kernel::open().unwrap()
}

#[test]
fn explain_when_one_of_3000_elements_exists_then_names_that_element() {
    let mut kernel = kernel();
    kernel.commit(&with_set(), None).unwrap();
    nft("add element inet held ports { 1500 }");
    let mut transaction = Transaction::new();
    let elements: Vec<Element> = (1..=3000).map(element).collect();
    transaction.push(Change::CreateElements(table(), ports(), elements));
    let Err(Error::Refused(changes)) = kernel.commit(&transaction, None) else {
        panic!("the kernel took an element twice")
    };
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].reason.errno, Errno::EEXIST as i32);
    assert_eq!(changes[0].change, "create element inet held ports { 0x000005dc }");
    assert_eq!(kernel.elements(&table(), &ports().name).unwrap().len(), 1);
}

/// Read at once, while the kernel still spreads them over its growing hash table; in several rounds,
/// as one alone may come too late for that.
#[test]
fn commit_when_20000_elements_in_one_batch_then_all_land() {
    let elements: Vec<Element> = (0..20_000).map(element).collect();
    for _ in 0..10 {
        let mut kernel = kernel();
        let mut transaction = with_set();
        transaction.push(Change::AddElements(table(), ports(), elements.clone()));
        assert_eq!(kernel.commit(&transaction, None).unwrap(), Applied::Committed);
        let listed = kernel.elements(&table(), &ports().name).unwrap();
        let keys: BTreeSet<Vec<u8>> = listed.iter().map(|element| element.key.clone()).collect();
        assert_eq!((listed.len(), keys.len()), (20_000, 20_000));
    }
}

#[test]
fn commit_when_last_of_20000_elements_is_refused_then_none_lands() {
    let mut kernel = kernel();
    kernel.commit(&with_set(), None).unwrap();
    let mut elements: Vec<Element> = (0..20_000).map(element).collect();
    elements.push(Element::new(vec![1, 2, 3]));
    let mut transaction = Transaction::new();
    transaction.push(Change::AddElements(table(), ports(), elements));
    assert!(matches!(kernel.commit(&transaction, None), Err(Error::Refused(_))));
    assert!(kernel.elements(&table(), &ports().name).unwrap().is_empty());
}

#[test]
fn commit_when_generation_is_gone_then_stale_and_nothing_changes() {
    let mut kernel = kernel();
    let before = kernel.generation().unwrap();
    nft("add table ip other");
    assert_eq!(kernel.commit(&with_set(), Some(before)).unwrap(), Applied::Stale);
    assert_eq!(kernel.table(&table()).unwrap(), None);
    let now = kernel.generation().unwrap();
    assert_eq!(kernel.commit(&with_set(), Some(now)).unwrap(), Applied::Committed);
    assert!(kernel.table(&table()).unwrap().is_some());
}

#[test]
fn dry_run_when_all_is_well_then_nothing_changes() {
    let mut kernel = kernel();
    let before = kernel.generation().unwrap();
    kernel.dry_run(&with_set()).unwrap();
    assert_eq!(kernel.table(&table()).unwrap(), None);
    assert_eq!(kernel.generation().unwrap(), before);
}

#[test]
fn dry_run_when_a_change_is_bad_then_reports_it() {
    let mut kernel = kernel();
    let mut transaction = with_set();
    transaction.push(Change::DeleteChain(table(), Name::literal("missing")));
    let Err(Error::Refused(changes)) = kernel.dry_run(&transaction) else {
        panic!("the kernel deleted what is not there")
    };
    assert_eq!(changes[0].change, "delete chain inet held missing");
    assert_eq!(kernel.table(&table()).unwrap(), None);
}

#[test]
fn commit_when_300_changes_are_refused_then_all_are_reported() {
    let mut kernel = kernel();
    let mut transaction = with_set();
    for number in 0..300 {
        let name = Name::new(format!("missing{number}")).unwrap();
        transaction.push(Change::DeleteChain(table(), name));
    }
    let Err(Error::Refused(changes)) = kernel.commit(&transaction, None) else {
        panic!("the kernel deleted what is not there")
    };
    let told: Vec<String> = changes.into_iter().map(|change| change.change).collect();
    let asked: Vec<String> =
        (0..300).map(|number| format!("delete chain inet held missing{number}")).collect();
    assert_eq!(told, asked);
}

#[test]
fn events_when_a_batch_is_committed_then_tell_each_change_and_its_generation() {
    let mut kernel = kernel();
    let mut listener = Connection::open().unwrap();
    listener.join(NFNLGRP_NFTABLES).unwrap();
    let mut transaction = with_set();
    transaction.push(Change::AddElements(table(), ports(), vec![element(7)]));
    transaction.push(Change::AddChain(table(), Chain::new(Name::literal("regular"))));
    kernel.commit(&transaction, None).unwrap();
    nft("delete table inet held");
    let mut events: Vec<Event> = Vec::new();
    while events.iter().filter(|event| matches!(event.subject, Subject::Generation { .. })).count()
        < 2
    {
        listener
            .wait_events(|message| {
                events.extend(Event::decode(message)?);
                Ok(())
            })
            .unwrap();
    }
    let has = |deleted: bool, subject: fn(&Subject) -> bool| {
        events.iter().any(|event| event.deleted == deleted && subject(&event.subject))
    };
    let is_table = |subject: &Subject| matches!(subject, Subject::Table(it) if it.id == table());
    assert!(has(false, is_table) && has(true, is_table), "{events:?}");
    assert!(has(false, |it| matches!(it, Subject::Set(_, set) if set.name == ports().name)));
    assert!(has(false, |it| matches!(it, Subject::Elements(_, _, all) if *all == [element(7)])));
    assert!(has(
        false,
        |it| matches!(it, Subject::Chain(_, chain) if chain.name().as_str() == "regular")
    ));
    assert!(has(true, |it| matches!(it, Subject::Chain(..))), "{events:?}");
    let last = kernel.generation().unwrap().0;
    let by_nft = events.iter().any(|event| {
        matches!(&event.subject, Subject::Generation { id, process: Some(process), .. }
            if *id == last && process == "nft")
    });
    assert!(by_nft, "{events:?}");
}

/// Runs inside [`kernel_when_without_permission_then_says_so`], as a process without CAP_NET_ADMIN.
#[test]
#[ignore = "started by kernel_when_without_permission_then_says_so"]
fn without_permission() {
    let mut kernel = Kernel::open().unwrap();
    let read = kernel.generation();
    assert!(matches!(read, Err(Error::NotPermitted)), "{read:?}");
    let written = kernel.commit(&with_set(), None);
    assert!(matches!(written, Err(Error::NotPermitted)), "{written:?}");
    println!("refused as it should be");
}

#[test]
fn kernel_when_without_permission_then_says_so() {
    fresh_netns();
    let test = std::env::current_exe().unwrap();
    let program = test.to_str().unwrap();
    let arguments = [
        "--bounding-set",
        "-net_admin",
        "--inh-caps",
        "-net_admin",
        program,
        "--exact",
        "commits::without_permission",
        "--ignored",
        "--nocapture",
    ];
    let text = run("setpriv", &arguments, "");
    assert!(text.contains("refused as it should be"), "{text}");
}

#[test]
fn explain_when_a_rule_is_refused_then_prints_the_rule() {
    let mut kernel = kernel();
    nft(
        "table inet held { chain here {\n tcp dport 80 jump there comment \"c\"\n}\nchain there { }\n}",
    );
    let rules = kernel.rules(&table(), None).unwrap();
    assert_eq!(nft_list("inet held").matches("comment").count(), 1);
    let mut transaction = Transaction::new();
    let (chain, rule) = rules[0].clone();
    transaction.push(Change::DeleteChain(table(), Name::literal("elsewhere")));
    let (table, elsewhere) = (table(), Name::literal("nowhere"));
    transaction.push(Change::AddRule {
        table,
        chain: elsewhere,
        rule: rule.value.into(),
        after: None,
    });
    assert_eq!(chain.as_str(), "here");
    let Err(Error::Refused(changes)) = kernel.commit(&transaction, None) else {
        panic!("there is no such chain")
    };
    let told: Vec<&str> = changes.iter().map(|change| change.change.as_str()).collect();
    assert_eq!(
        told,
        [
            "delete chain inet held elsewhere",
            "add rule inet held nowhere tcp dport 80 jump there comment \"c\"",
        ]
    );
}

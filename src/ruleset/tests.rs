#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::nft::expr::{Cmp, Counter, Immediate, Meta, MetaKey, Register, Verdict};
use crate::nft::{
    AnyChain, Chain, DataType, Element, ElementData, Family, Name, Rule, Set, SetData, Table,
    TableId, Userdata,
};

fn table() -> Table {
    Table::new(TableId { family: Family::Inet, name: Name::literal("t") })
}

fn web() -> Owner {
    Owner::from_parts(&["cni", "net", "web", "eth0"])
}

fn db() -> Owner {
    Owner::from_parts(&["cni", "net", "db", "eth0"])
}

/// A rule that a number tells from others, with a counter.
fn rule(owner: Option<&Owner>, mark: u8) -> Rule {
    Rule {
        exprs: vec![
            Meta::load(MetaKey::L4proto, Register::R1).into(),
            Cmp::eq(Register::R1, [mark]).into(),
            Counter { packets: u64::from(mark), bytes: 0 }.into(),
            Immediate::Verdict(Verdict::Accept).into(),
        ],
        userdata: owner.map(Owner::silent_userdata).unwrap_or_default(),
    }
}

fn map() -> Set {
    let port = vec![DataType::InetProto, DataType::InetService];
    let data = SetData::Value(vec![DataType::Ipv4Addr, DataType::InetService]);
    Set::map(Name::literal("m"), port, data)
}

fn element(owner: &Owner, port: u8, to: u8) -> (Set, Element) {
    let element = Element::new(vec![6, 0, 0, 0, 0, port, 0, 0])
        .with_data(ElementData::Value(vec![10, 0, 0, to, 0, 80, 0, 0]))
        .with_userdata(owner.userdata());
    (map(), element)
}

fn desired(rules: Vec<Rule>, elements: Vec<(Set, Element)>) -> Desired {
    let mut desired = Desired::new(table());
    desired.sets = vec![map()];
    let chain = AnyChain::Regular(Chain::new(Name::literal("c")));
    desired.chains = vec![DesiredChain { chain, rules }];
    desired.elements = elements;
    desired
}

fn change(model: &mut Model, desired: &Desired, owner: &Owner) -> Plan {
    let scope = Scope::of(&[owner]);
    let plan = diff(desired, &model.snapshot(), &scope).unwrap();
    model.apply(plan.transaction()).unwrap();
    let again = diff(desired, &model.snapshot(), &scope).unwrap();
    assert!(again.is_empty(), "a second plan:\n{again}");
    plan
}

fn rules_of(model: &Model) -> Vec<(u64, Rule)> {
    let snapshot = model.snapshot();
    let rules = snapshot.chains.get(&Name::literal("c")).map(|(_, rules)| rules.clone());
    rules.unwrap_or_default().into_iter().map(|rule| (rule.handle, rule.value)).collect()
}

#[test]
fn plan_when_printed_then_reads_as_nft() {
    let wanted = desired(vec![rule(Some(&web()), 6)], vec![element(&web(), 80, 2)]);
    let plan = diff(&wanted, &Snapshot::default(), &Scope::of(&[&web()])).unwrap();
    assert_eq!(
        plan.to_string(),
        "add table inet t\n\
         add map inet t m { type inet_proto . inet_service : ipv4_addr . inet_service; }\n\
         add chain inet t c\n\
         add rule inet t c meta l4proto tcp counter packets 6 bytes 0 accept\n\
         add element inet t m { tcp . 80 comment \"cni/net/web/eth0\" : 10.0.0.2 . 80 }\n"
    );
}

#[test]
fn rule_when_inserted_in_the_middle_then_the_others_keep_their_handles() {
    let mut model = Model::default();
    let owner = web();
    let three = |marks: &[u8]| {
        desired(marks.iter().map(|mark| rule(Some(&owner), *mark)).collect(), vec![])
    };
    change(&mut model, &three(&[1, 3]), &owner);
    let before = rules_of(&model);
    let plan = change(&mut model, &three(&[1, 2, 3]), &owner);
    assert_eq!(plan.transaction().changes().len(), 1);
    let after = rules_of(&model);
    assert_eq!((after[0].0, after[2].0), (before[0].0, before[1].0));
}

#[test]
fn element_when_somebody_elses_then_the_conflict_names_him() {
    let mut model = Model::default();
    change(&mut model, &desired(vec![], vec![element(&db(), 80, 3)]), &db());
    let wanted = desired(vec![], vec![element(&web(), 80, 2)]);
    let refused = diff(&wanted, &model.snapshot(), &Scope::of(&[&web()]));
    let Err(Error::Conflict(conflict)) = refused else { unreachable!("{refused:?}") };
    assert_eq!(conflict.owner, Some(db().key()));
    assert_eq!(
        conflict.to_string(),
        "element tcp . 80 comment \"cni/net/db/eth0\" : 10.0.0.3 . 80 of m belongs to \
         cni/net/db/eth0"
    );
}

#[test]
fn element_when_its_owner_is_concerned_too_then_is_replaced_in_the_same_batch() {
    let mut model = Model::default();
    change(&mut model, &desired(vec![], vec![element(&db(), 80, 3)]), &db());
    let wanted = desired(vec![], vec![element(&web(), 80, 2)]);
    let mut scope = Scope::of(&[&web()]);
    scope.owners.insert(db().key());
    let plan = diff(&wanted, &model.snapshot(), &scope).unwrap();
    assert!(plan.depends_on_snapshot());
    model.apply(plan.transaction()).unwrap();
    assert!(diff(&wanted, &model.snapshot(), &scope).unwrap().is_empty());
}

#[test]
fn plan_when_it_only_adds_elements_then_needs_no_generation() {
    let mut model = Model::default();
    change(&mut model, &desired(vec![], vec![]), &web());
    let wanted = desired(vec![], vec![element(&web(), 80, 2)]);
    let plan = diff(&wanted, &model.snapshot(), &Scope::of(&[&web()])).unwrap();
    assert!(!plan.is_empty() && !plan.depends_on_snapshot());
}

#[test]
fn set_when_it_has_another_type_then_the_error_names_it() {
    let mut model = Model::default();
    let mut foreign = desired(vec![], vec![]);
    foreign.sets = vec![Set::new(Name::literal("m"), vec![DataType::Ipv4Addr])];
    change(&mut model, &foreign, &web());
    let refused = diff(&desired(vec![], vec![]), &model.snapshot(), &Scope::default());
    assert!(matches!(refused, Err(Error::ForeignSet { set, .. }) if set == "m"));
}

#[test]
fn owner_when_its_names_are_long_then_its_label_still_fits_a_comment() {
    for length in [1, 15, 16, 32, 33, 64, 65, 300] {
        let long = "x".repeat(length);
        let owner = Owner::from_parts(&["cni", &long, &long, &long]);
        assert_eq!(owner.userdata().comment(), Some(owner.label()));
        assert!(owner.label().len() < Userdata::COMMENT_MAX, "{}", owner.label());
        let reloaded = Userdata::new().with_comment(owner.label());
        assert_eq!(Owner::key_of(&reloaded), Some(owner.key()));
        assert!(owner.label().starts_with(&Owner::prefix(&["cni", &long])));
    }
}

#[test]
fn owner_when_only_the_comment_is_left_then_is_known_by_it() {
    let reloaded = Userdata::new().with_comment("cni/net/web/eth0");
    assert_eq!(Owner::key_of(&reloaded), Some(web().key()));
    assert_eq!(Owner::key_of(&Userdata::new().with_comment("my own rule")), None);
}

#[test]
fn owner_when_a_part_cannot_be_read_back_then_stands_as_its_hash() {
    let owner = Owner::from_parts(&["cni", "net", "web", "eth0@if5"]);
    assert!(owner.label().starts_with("cni/net/web/sha256-"), "{}", owner.label());
    assert!(Record::name(&owner).unwrap().is_nft_identifier());
}

#[test]
fn record_when_written_then_reads_back_from_its_comment() {
    let record =
        Record { elements: Some(7), note: None, netns: Some(("/run/netns/web".to_owned(), 42)) };
    assert_eq!(record.userdata().comment(), Some("7 elements, netns 42 /run/netns/web"));
    assert_eq!(Record::parse(&record.userdata()), record);
    let noted = Record { note: Some("isolated cni0".to_owned()), ..record.clone() };
    assert_eq!(
        noted.userdata().comment(),
        Some("7 elements for isolated cni0, netns 42 /run/netns/web")
    );
    assert_eq!(Record::parse(&noted.userdata()), noted);
    let long = Record { netns: Some(("x".repeat(300), 1)), ..record };
    assert_eq!(Record::parse(&long.userdata()).netns, None);
    assert_eq!(Record::parse(&long.userdata()).elements, Some(7));
    for odd in
        ["", "elements", "x elements, netns", "1 elements, netns y /z", "1 elements, netns 2"]
    {
        assert_eq!(Record::parse(&Userdata::new().with_comment(odd)).netns, None, "{odd}");
    }
}

#[test]
fn chain_when_its_hook_is_another_then_the_error_names_it() {
    use crate::nft::{BaseChain, ChainKind, Hook, Policy};
    let base = |priority, policy| {
        let chain = AnyChain::Base(BaseChain {
            name: Name::literal("c"),
            kind: ChainKind::Nat,
            hook: Hook::Prerouting,
            priority,
            policy,
            device: None,
            userdata: Userdata::new(),
        });
        let mut desired = desired(vec![], vec![]);
        desired.chains = vec![DesiredChain { chain, rules: vec![] }];
        desired
    };
    let mut model = Model::default();
    change(&mut model, &base(-100, Policy::Accept), &web());
    let scope = Scope::of(&[&web()]);
    let late = diff(&base(-50, Policy::Accept), &model.snapshot(), &scope);
    assert!(matches!(late, Err(Error::ForeignChain { chain, .. }) if chain == "c"));
    let regular = diff(&desired(vec![], vec![]), &model.snapshot(), &scope);
    assert!(matches!(regular, Err(Error::ForeignChain { .. })));
    let stricter = diff(&base(-100, Policy::Drop), &model.snapshot(), &scope).unwrap();
    assert_eq!(
        stricter.to_string(),
        "add chain inet t c { type nat hook prerouting priority -100; policy drop; }\n"
    );
}

#[test]
fn table_when_dormant_then_is_woken() {
    let mut model = Model::default();
    let mut asleep = desired(vec![], vec![]);
    asleep.table.flags = 1;
    change(&mut model, &asleep, &web());
    let scope = Scope::of(&[&web()]);
    let plan = diff(&desired(vec![], vec![]), &model.snapshot(), &scope).unwrap();
    assert_eq!(plan.to_string(), "add table inet t\n");
}

/// Rules by number; a foreign one where the flag is set.
fn rule_list() -> impl Strategy<Value = Vec<(bool, u8)>> {
    prop::collection::vec((prop::bool::weighted(0.3), 0..6u8), 0..8)
}

proptest! {
    #[test]
    fn diff_when_applied_then_gives_what_is_wanted_and_keeps_what_is_foreign(
        there in rule_list(),
        wanted in prop::collection::vec(0..6u8, 0..8),
        ports in prop::collection::btree_map(0..6u8, 0..3u8, 0..6),
        new_ports in prop::collection::btree_map(0..6u8, 0..3u8, 0..6),
    ) {
        let owner = web();
        let mut model = Model::default();
        // Foreigners' rules are told apart by a comment, ours by their owner.
        let foreign = |mark: u8| {
            let userdata = Userdata::new().with_comment("foreign");
            Rule { userdata, ..rule(None, mark + 100) }
        };
        let first = there.iter().map(|(is_foreign, mark)| {
            if *is_foreign { foreign(*mark) } else { rule(Some(&owner), *mark) }
        });
        let elements = |ports: &std::collections::BTreeMap<u8, u8>| {
            ports.iter().map(|(port, to)| element(&owner, *port, *to)).collect::<Vec<_>>()
        };
        change(&mut model, &desired(first.collect(), elements(&ports)), &owner);
        let is_foreign = |rule: &Rule| Owner::key_of(&rule.userdata).is_none();
        let before = rules_of(&model);

        let wanted: Vec<Rule> = wanted.iter().map(|mark| rule(Some(&owner), *mark)).collect();
        let plan = change(&mut model, &desired(wanted.clone(), elements(&new_ports)), &owner);

        let after = rules_of(&model);
        let ours: Vec<Rule> =
            after.iter().map(|(_, rule)| rule.clone()).filter(|rule| !is_foreign(rule)).collect();
        prop_assert_eq!(ours, wanted);
        let foreigners = |rules: &[(u64, Rule)]| {
            rules.iter().filter(|(_, rule)| is_foreign(rule)).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(foreigners(&before), foreigners(&after));
        let ports: Vec<u8> =
            model.snapshot().elements.keys().map(|(_, key)| key[5]).collect();
        prop_assert_eq!(ports, new_ports.keys().copied().collect::<Vec<_>>());
        prop_assert!(plan.transaction().changes().len() <= before.len() + after.len() + 2);
    }
}

/// A chain of another program with these rules.
fn foreign(policy: crate::nft::Policy, rules: Vec<Rule>) -> ForeignChain {
    use crate::nft::{BaseChain, ChainKind, Hook, Listed};
    let rules = rules.into_iter().zip(1..).map(|(value, handle)| Listed { handle, value });
    ForeignChain {
        table: TableId { family: Family::Ip, name: Name::literal("filter") },
        chain: BaseChain {
            name: Name::literal("FORWARD"),
            kind: ChainKind::Filter,
            hook: Hook::Forward,
            priority: 0,
            policy,
            device: None,
            userdata: Userdata::new(),
        },
        rules: rules.collect(),
    }
}

#[test]
fn insertion_when_in_its_place_then_stays_and_goes_to_the_head_if_it_is_not() {
    use crate::nft::Policy;
    let owner = Owner::shared("firewall", "forward", "accepted");
    let ours = || Rule { userdata: owner.userdata(), ..rule(None, 6) };
    let theirs = || rule(None, 17);
    let reloaded = Rule { userdata: Userdata::new().with_comment(owner.label()), ..ours() };
    for (place, rules, changes) in [
        (Place::Head, vec![], vec!["insert"]),
        (Place::Head, vec![theirs()], vec!["insert"]),
        (Place::Head, vec![ours(), theirs()], vec![]),
        (Place::Head, vec![reloaded, theirs()], vec![]),
        (Place::Head, vec![theirs(), ours()], vec!["delete", "insert"]),
        (Place::Anywhere, vec![theirs(), ours()], vec![]),
        (Place::Head, vec![ours(), theirs(), ours()], vec!["delete"]),
    ] {
        let chains = [foreign(Policy::Drop, rules)];
        let plan = diff_insertions(&chains, &owner, place, |_| Some(ours()));
        let text = plan.to_string();
        let words: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(words, changes, "{text}");
        let gone = diff_insertions(&chains, &owner, place, |_| None);
        assert!(gone.to_string().lines().all(|line| line.starts_with("delete rule")), "{gone}");
    }
}

#[test]
fn foreign_chain_when_it_is_not_known_to_let_all_pass_then_may_refuse() {
    use crate::nft::Policy;
    use crate::nft::expr::{Expr, Opaque, Reject, RejectKind};
    let drop =
        || Rule::new(vec![Counter::default().into(), Immediate::Verdict(Verdict::Drop).into()]);
    let reject = Reject { kind: RejectKind::IcmpxUnreachable, code: Some(3) };
    let conditional = Rule {
        exprs: [rule(None, 6).exprs[..2].to_vec(), drop().exprs].concat(),
        userdata: Userdata::new(),
    };
    let verdict = |verdict| Rule::new(vec![Immediate::Verdict(verdict).into()]);
    let target = Expr::Other(Opaque { name: "target".to_owned(), data: vec![] });
    let accept = || verdict(Verdict::Accept);
    for (policy, rules, refuses) in [
        (Policy::Drop, vec![], true),
        (Policy::Accept, vec![], false),
        (Policy::Accept, vec![accept(), verdict(Verdict::Return)], false),
        (Policy::Accept, vec![conditional], true),
        (Policy::Accept, vec![accept(), drop()], true),
        (Policy::Accept, vec![Rule::new(vec![reject.into()])], true),
        (Policy::Accept, vec![Rule::new(vec![target])], true),
        (Policy::Accept, vec![verdict(Verdict::Jump(Name::literal("c")))], true),
        (Policy::Accept, vec![verdict(Verdict::Goto(Name::literal("c")))], true),
        (Policy::Accept, vec![verdict(Verdict::Other(3))], true),
    ] {
        assert_eq!(foreign(policy, rules.clone()).may_refuse(), refuses, "{rules:?}");
    }
}

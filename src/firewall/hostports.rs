//! The table of published ports: its sets, its chains, and what each container adds.

use std::collections::BTreeSet;

use super::class::{Class, MarkClass, Masquerader, Place, Rank, Reach, Source};
use super::element::elements_of;
use super::intent::{Hostports, Publish};
use super::{names, rules};
use crate::net::{IpVersion, Mark};
use crate::nft::expr::Counter;
use crate::nft::{
    AnyChain, BaseChain, Chain, ChainKind, DataType, Hook, Name, Policy, Rule, Set, SetData, Table,
    Userdata,
};
use crate::ruleset::{Desired, DesiredChain};

/// The whole table as it should be with these ports, given the classes that exist in it.
///
/// `hostports` is `None` for the structure alone.
#[must_use]
pub fn desired(existing: &BTreeSet<Class>, hostports: Option<&Hostports>) -> Desired {
    let mut classes = existing.clone();
    let mut marks: BTreeSet<(Mark, Masquerader)> =
        [(Mark::PORTMAP_DEFAULT, Masquerader::Ours)].into();
    if let Some(hostports) = hostports {
        classes.extend(hostports.classes());
        marks.extend(hostports.marks());
    }
    marks.extend(classes.iter().filter_map(|class| match class {
        Class::Mark(class) => Some((class.mark, class.masquerader)),
        Class::Standby(..) | Class::Conditional(..) => None,
    }));
    let mut desired = Desired::new(Table::new(names::table()));
    desired.sets = sets(&classes);
    desired.chains = chains(&classes, &marks);
    if let Some(hostports) = hostports {
        if hostports.has_conditions() {
            desired.chains.extend(conditional_chains(hostports));
        }
        desired.elements = elements_of(hostports);
    }
    desired
}

/// All sets: the maps of published ports, and one for each class.
fn sets(classes: &BTreeSet<Class>) -> Vec<Set> {
    let mut sets = Vec::new();
    for version in IpVersion::BOTH {
        let places = Place::of_rank(Rank::FIRST);
        sets.extend(places.map(|place| hostports_map(version, place)));
    }
    sets.extend(classes.iter().map(|class| match class {
        Class::Standby(version, place) => hostports_map(*version, *place),
        Class::Conditional(version, place) => conditional_map(*version, *place),
        Class::Mark(class) => mark_set(class),
    }));
    sets
}

pub(super) fn address_type(version: IpVersion) -> DataType {
    match version {
        IpVersion::V4 => DataType::Ipv4Addr,
        IpVersion::V6 => DataType::Ipv6Addr,
    }
}

/// The type of a port's key: address where there is one, protocol, port.
fn port_key(version: IpVersion, reach: Reach) -> Vec<DataType> {
    let port = [DataType::InetProto, DataType::InetService];
    match reach {
        Reach::OneAddress => [&[address_type(version)][..], &port].concat(),
        Reach::AnyAddress => port.to_vec(),
    }
}

pub(super) fn hostports_map(version: IpVersion, place: Place) -> Set {
    let data = SetData::Value(vec![address_type(version), DataType::InetService]);
    Set::map(names::hostports(version, place), port_key(version, place.reach), data)
        .with_expr(Counter::default().into())
}

pub(super) fn conditional_map(version: IpVersion, place: Place) -> Set {
    let name = names::conditional_ports(version, place);
    Set::map(name, port_key(version, place.reach), SetData::Verdict)
        .with_expr(Counter::default().into())
}

pub(super) fn mark_set(class: &MarkClass) -> Set {
    let mut key = port_key(class.version, class.place.reach);
    if let Source::Prefix(_) = class.source {
        key.insert(0, address_type(class.version));
    }
    Set::new(class.set_name(), key)
}

/// The fixed chains, called ones first.
fn chains(classes: &BTreeSet<Class>, marks: &BTreeSet<(Mark, Masquerader)>) -> Vec<DesiredChain> {
    let distinct: BTreeSet<Mark> = marks.iter().map(|(mark, _)| *mark).collect();
    let setmarks = distinct
        .into_iter()
        .map(|mark| structure(names::setmark(mark), vec![rules::set_mark(mark)]));
    let ours: BTreeSet<Mark> = marks
        .iter()
        .filter(|(_, masquerader)| *masquerader == Masquerader::Ours)
        .map(|(mark, _)| *mark)
        .collect();
    let masquerade = ours.into_iter().map(rules::masquerade).collect();
    let mut chains: Vec<DesiredChain> = setmarks.collect();
    chains.push(structure(names::dnat(), dnat_rules(classes)));
    chains.push(structure(names::masq(), masquerade));
    chains.push(nat_chain(names::prerouting(), Hook::Prerouting, -100, rules::local_to_dnat()));
    chains.push(nat_chain(names::output(), Hook::Output, -100, rules::local_to_dnat()));
    chains.push(nat_chain(names::postrouting(), Hook::Postrouting, 100, rules::to_masq()));
    chains
}

pub(super) fn structure(name: Name, rules: Vec<Rule>) -> DesiredChain {
    DesiredChain { chain: AnyChain::Regular(Chain::new(name)), rules }
}

fn nat_chain(name: Name, hook: Hook, priority: i32, rule: Rule) -> DesiredChain {
    let chain = BaseChain {
        name,
        kind: ChainKind::Nat,
        hook,
        priority,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    DesiredChain { chain: AnyChain::Base(chain), rules: vec![rule] }
}

/// The more specific first: a port on one address before a port on all; those that stand by after
/// those in use. For each the conditions, then the marks, then the translation, which ends the
/// chain for what it matches.
fn dnat_rules(classes: &BTreeSet<Class>) -> Vec<Rule> {
    let ranks: BTreeSet<Rank> = classes.iter().map(Class::rank).chain([Rank::FIRST]).collect();
    let mut all = Vec::new();
    for place in [Reach::OneAddress, Reach::AnyAddress]
        .into_iter()
        .flat_map(|reach| ranks.iter().map(move |rank| Place { reach, rank: *rank }))
    {
        for version in IpVersion::BOTH {
            if classes.contains(&Class::Conditional(version, place)) {
                all.push(rules::to_conditional(version, place));
            }
            let marks = classes.iter().filter_map(|class| match class {
                Class::Mark(class) => Some(class),
                Class::Standby(..) | Class::Conditional(..) => None,
            });
            let marks = marks.filter(|class| (class.version, class.place) == (version, place));
            all.extend(marks.map(rules::mark_sources));
            if place.rank == Rank::FIRST || classes.contains(&Class::Standby(version, place)) {
                all.push(rules::translate_published(version, place));
            }
        }
    }
    all
}

/// The chains of a container with conditions: what they are, and what holds under them. The
/// translations come first in the listing, since the conditions jump to them.
fn conditional_chains(hostports: &Hostports) -> Vec<DesiredChain> {
    let owner = &hostports.owner;
    let under: Vec<Rule> = hostports
        .conditions
        .iter()
        .map(|conditions| rules::under_conditions(owner, conditions))
        .collect();
    let mut translations = Vec::new();
    let mut conditional: Vec<&Publish> =
        hostports.publishes.iter().filter(|p| hostports.conditions_of(p).is_some()).collect();
    // The more specific first: the first translation that matches ends the chain.
    conditional.sort_by_key(|publish| publish.reach());
    for publish in conditional {
        let published = (publish.host_address, publish.proto, publish.host_port);
        for source in hostports.sources(publish) {
            let (version, mark) = (publish.version(), hostports.mark.mark);
            translations.push(rules::mark_one(owner, version, source, published, mark));
        }
        let container = (publish.container, publish.container_port);
        translations.push(rules::translate_one(owner, published, container));
    }
    let chain = |name: Name, rules: Vec<Rule>| {
        let chain = Chain { name, userdata: owner.userdata() };
        DesiredChain { chain: AnyChain::Regular(chain), rules }
    };
    vec![chain(names::conditional(owner), translations), chain(names::conditions(owner), under)]
}

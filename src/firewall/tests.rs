#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::net::{IfName, IpVersion, L4Proto, Mark, Port, Subnet, ZoneName};
use crate::ruleset::{Model, Owner, Scope as OwnerScope, diff};

fn publish(host: Option<&str>, port: u16, proto: L4Proto, container: &str) -> Publish {
    Publish {
        host_address: host.map(|address| address.parse().unwrap()),
        host_port: Port::try_from(i64::from(port)).unwrap(),
        proto,
        container: container.parse().unwrap(),
        container_port: Port::try_from(80).unwrap(),
    }
}

fn hostports(name: &str, publishes: Vec<Publish>) -> Hostports {
    Hostports {
        owner: Owner::from_parts(&["cni", "net", name, "eth0"]),
        rank: Rank::FIRST,
        publishes,
        masquerading: Masquerading::Hairpin(vec![
            "10.88.0.0/16".parse().unwrap(),
            "fd00:88::/64".parse().unwrap(),
        ]),
        mark: MarkTarget { mark: Mark::PORTMAP_DEFAULT, masquerader: Masquerader::Ours },
        conditions: vec![],
    }
}

#[test]
fn publish_when_made_an_element_then_reads_back() {
    for publish in [
        publish(None, 8080, L4Proto::Tcp, "10.88.0.2"),
        publish(Some("192.0.2.1"), 65_535, L4Proto::Udp, "10.88.0.2"),
        publish(Some("2001:db8::1"), 1, L4Proto::Sctp, "fd00:88::2"),
        publish(None, 443, L4Proto::UdpLite, "fd00:88::2"),
    ] {
        let read: Vec<Publish> = elements_of(&hostports("web", vec![publish]))
            .iter()
            .filter_map(|(set, element)| published(&set.name, element))
            .collect();
        assert_eq!(read, [publish]);
    }
}

#[test]
fn port_when_published_then_costs_one_element_and_one_for_each_source() {
    let v4 = hostports("web", vec![publish(None, 8080, L4Proto::Tcp, "10.88.0.2")]);
    let names: Vec<String> = elements_of(&v4).iter().map(|(set, _)| set.name.to_string()).collect();
    assert_eq!(names, ["hostports4", "hairpin4_16", "hairpin4_32"]);
    let never = Hostports { masquerading: Masquerading::Never, ..v4 };
    assert_eq!(elements_of(&never).len(), 1);
}

#[test]
fn class_when_named_then_reads_back() {
    let marks = [Mark::PORTMAP_DEFAULT, Mark::bit(0).unwrap(), Mark::bit(31).unwrap()];
    for version in IpVersion::BOTH {
        for place in Rank::all().flat_map(Place::of_rank) {
            let conditional = names::conditional_ports(version, place);
            assert_eq!(
                Class::of_set(conditional.as_str()),
                Some(Class::Conditional(version, place))
            );
            for source in [Source::Any, Source::Prefix(0), Source::Prefix(32)] {
                for mark in marks {
                    for masquerader in [Masquerader::Ours, Masquerader::External] {
                        let class = MarkClass { version, place, source, mark, masquerader };
                        let name = class.set_name();
                        assert!(name.is_nft_identifier(), "{name}");
                        assert_eq!(Class::of_set(name.as_str()), Some(Class::Mark(class)));
                    }
                }
            }
        }
    }
    for foreign in ["hostports4", "hairpin", "hairpin5_16", "hairpin4_33", "hairpin4_16_x"] {
        assert_eq!(Class::of_set(foreign), None, "{foreign}");
    }
}

#[test]
fn structure_when_a_class_is_added_then_the_rules_of_others_stay() {
    let mut model = Model::default();
    let add = |model: &mut Model, ports: &Hostports| {
        let snapshot = model.snapshot();
        let classes = snapshot.sets.keys().filter_map(|name| Class::of_set(name.as_str()));
        let wanted = desired(&classes.collect(), Some(ports));
        let scope = OwnerScope::of(&[&Owner::structure(), &ports.owner]);
        let plan = diff(&wanted, &snapshot, &scope).unwrap();
        model.apply(plan.transaction()).unwrap();
        plan.to_string()
    };
    add(&mut model, &hostports("web", vec![publish(None, 80, L4Proto::Tcp, "10.88.0.2")]));
    let mut other = hostports("db", vec![publish(None, 81, L4Proto::Tcp, "10.99.0.2")]);
    other.masquerading = Masquerading::Hairpin(vec!["10.99.0.0/24".parse().unwrap()]);
    let plan = add(&mut model, &other);
    assert!(!plan.contains("delete"), "{plan}");
    let rules: Vec<&str> = plan.lines().filter(|line| line.contains("rule")).collect();
    assert_eq!(rules.len(), 1, "{plan}");
    assert!(rules[0].contains("ip saddr & 255.255.255.0 . meta l4proto . th dport @hairpin4_24"));
}

#[test]
fn conditions_when_only_an_address_in_a_list_differs_then_the_rule_is_replaced() {
    let under = |list: &str| {
        let mut ports = hostports("web", vec![publish(None, 8080, L4Proto::Tcp, "10.88.0.2")]);
        let words = ["-s".to_owned(), list.to_owned()];
        ports.conditions =
            vec![Conditions::from_words(&words, IpVersion::V4, L4Proto::Tcp).unwrap()];
        ports
    };
    let mut model = Model::default();
    let scope = |ports: &Hostports| OwnerScope::of(&[&Owner::structure(), &ports.owner]);
    let first = under("192.0.2.1,192.0.2.2");
    let plan =
        diff(&desired(&first.classes(), Some(&first)), &model.snapshot(), &scope(&first)).unwrap();
    model.apply(plan.transaction()).unwrap();
    let second = under("192.0.2.1,192.0.2.3");
    let wanted = desired(&second.classes(), Some(&second));
    let plan = diff(&wanted, &model.snapshot(), &scope(&second)).unwrap();
    assert_eq!(plan.transaction().changes().len(), 2, "{plan}");
    assert!(plan.to_string().contains("192.0.2.3"), "{plan}");
}

/// Attachments of three containers with some of six ports each.
fn calls() -> impl Strategy<Value = Vec<(usize, Option<BTreeSet<u16>>)>> {
    let ports = prop::collection::btree_set(1..7u16, 0..4);
    prop::collection::vec((0..3usize, prop::option::of(ports)), 0..12)
}

proptest! {
    #[test]
    fn adds_and_dels_when_in_any_order_then_end_at_the_base(calls in calls()) {
        let mut model = Model::default();
        let mut classes_ever = false;
        for (container, ports) in calls.iter().cloned().chain((0..3).map(|at| (at, None))) {
            // Each container has host ports of its own, so that none is refused.
            let address: IpAddr = IpAddr::from([10, 88, 0, container as u8 + 2]);
            let publishes = ports.iter().flatten().map(|port| Publish {
                host_port: Port::try_from(i64::from(*port) + 100 * container as i64).unwrap(),
                container: address,
                ..publish(None, 1, L4Proto::Tcp, "10.88.0.2")
            });
            let intent = hostports(["a", "b", "c"][container], publishes.collect());
            let snapshot = model.snapshot();
            let (wanted, scope) = match ports {
                Some(_) => {
                    classes_ever |= !intent.publishes.is_empty();
                    let classes =
                        snapshot.sets.keys().filter_map(|name| Class::of_set(name.as_str()));
                    let scope = OwnerScope::of(&[&Owner::structure(), &intent.owner]);
                    (desired(&classes.collect(), Some(&intent)), scope)
                }
                None => {
                    let nothing = crate::ruleset::Desired::new(
                        crate::nft::Table::new(names::table()),
                    );
                    (nothing, OwnerScope::of(&[&intent.owner]))
                }
            };
            let plan = diff(&wanted, &snapshot, &scope).unwrap();
            model.apply(plan.transaction()).unwrap();
        }
        prop_assert!(model.snapshot().elements.is_empty());
        let chains: Vec<String> =
            model.snapshot().chains.keys().map(ToString::to_string).collect();
        prop_assert!(chains.iter().all(|name| !name.starts_with("CNI-DN-")));
        prop_assert_eq!(model.snapshot().sets.len() > 4, classes_ever);
    }

    #[test]
    fn subnet_sources_when_of_any_prefix_then_have_a_set_of_their_own(
        prefix in 0..=32u8, address: u32,
    ) {
        let mut ports = hostports("a", vec![publish(None, 80, L4Proto::Tcp, "10.88.0.2")]);
        let address = std::net::Ipv4Addr::from(address);
        let subnet = Subnet::containing(IpAddr::V4(address), prefix).unwrap();
        ports.masquerading = Masquerading::Hairpin(vec![subnet]);
        let names: BTreeSet<String> =
            elements_of(&ports).iter().map(|(set, _)| set.name.to_string()).collect();
        let own = format!("hairpin4_{prefix}");
        prop_assert!(names.contains(&own));
    }
}

#[test]
fn masquerade_prefix_when_named_then_reads_back() {
    let owner = Owner::from_parts(&["bridge", "net", "web", "eth0"]);
    for (address, subnet) in [("10.88.0.2", "10.88.0.0/16"), ("fd00:88::2", "fd00:88::/64")] {
        let subnet: Subnet = subnet.parse().unwrap();
        let rules =
            BridgeRules { masquerade: vec![(address.parse().unwrap(), subnet)], spoof: None };
        let desired = masquerading(&BTreeSet::new(), &owner, &rules).unwrap();
        let names = desired.sets.iter().map(|set| set.name.as_str());
        let found: Vec<MasqueradePrefix> = names.filter_map(MasqueradePrefix::of_set).collect();
        assert_eq!(
            found,
            [MasqueradePrefix { version: subnet.version(), prefix: subnet.prefix() }]
        );
        assert_eq!(desired.elements.len(), 2);
    }
    for foreign in ["unmasqueraded4_33", "unmasqueraded5_8", "unmasqueraded4_016", "masquerade4"] {
        assert_eq!(MasqueradePrefix::of_set(foreign), None, "{foreign}");
    }
}

#[test]
fn masquerading_when_a_second_prefix_comes_then_one_rule_is_added() {
    let mut model = Model::default();
    let add = |model: &mut Model, name: &str, address: &str, subnet: &str| {
        let owner = Owner::from_parts(&["bridge", "net", name, "eth0"]);
        let masquerade = vec![(address.parse().unwrap(), subnet.parse().unwrap())];
        let rules = BridgeRules { masquerade, spoof: None };
        let snapshot = model.snapshot();
        let sets = snapshot.sets.keys();
        let prefixes = sets.filter_map(|name| MasqueradePrefix::of_set(name.as_str())).collect();
        let desired = masquerading(&prefixes, &owner, &rules).unwrap();
        let scope = OwnerScope::of(&[&Owner::structure(), &owner]);
        let plan = diff(&desired, &snapshot, &scope).unwrap();
        model.apply(plan.transaction()).unwrap();
        plan.to_string()
    };
    add(&mut model, "a", "10.88.0.2", "10.88.0.0/16");
    let plan = add(&mut model, "b", "10.99.0.2", "10.99.0.0/24");
    let rules: Vec<&str> = plan.lines().filter(|line| line.contains(" rule ")).collect();
    assert_eq!(rules.len(), 1, "{plan}");
    assert!(
        rules[0].ends_with("ip saddr . ip daddr & 255.255.255.0 @unmasqueraded4_24 return"),
        "{plan}"
    );
    let plan = add(&mut model, "c", "10.99.0.3", "10.99.0.0/24");
    assert!(plan.lines().all(|line| line.starts_with("add element")), "{plan}");
}

#[test]
fn spoof_check_when_desired_then_costs_two_elements() {
    let owner = Owner::from_parts(&["bridge", "net", "web", "eth0"]);
    let spoof = (IfName::new("veth2").unwrap(), "02:00:00:00:00:02".parse().unwrap());
    let rules = BridgeRules { masquerade: vec![], spoof: Some(spoof) };
    let desired = spoof_check(&owner, &rules).unwrap();
    let plan =
        diff(&desired, &crate::ruleset::Snapshot::default(), &OwnerScope::of(&[&owner])).unwrap();
    let elements: Vec<String> = plan
        .to_string()
        .lines()
        .filter(|line| line.starts_with("add element"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        elements,
        [
            "add element bridge portcullis checked_ports { \"veth2\" comment \"bridge/net/web/eth0\" }",
            "add element bridge portcullis port_addresses { \"veth2\" . 02:00:00:00:00:02 comment \"bridge/net/web/eth0\" }",
        ]
    );
}

#[test]
fn note_when_read_back_names_policy_bridge_and_zone() {
    let forwarding = |ingress, zone: Option<&str>| Forwarding {
        addresses: vec![],
        ingress,
        admin: admin_chain("CNI-ADMIN").unwrap(),
        zone: zone.map(|zone| ZoneName::new(zone).unwrap()),
    };
    let isolated = || Ingress::Isolated(IfName::new("cni0").unwrap());
    for (ingress, zone, note) in [
        (Ingress::Open, None, None),
        (Ingress::Open, Some("trusted"), Some("open in zone trusted")),
        (isolated(), None, Some("isolated cni0")),
        (isolated(), Some("a/b"), Some("isolated cni0 in zone a/b")),
    ] {
        let forwarding = forwarding(ingress, zone);
        assert_eq!(forwarding.note().as_deref(), note);
        assert_eq!(Forwarding::zone_of_note(note), forwarding.zone);
        assert_eq!(Ingress::shared_of_note(note), forwarding.ingress.shared());
    }
}

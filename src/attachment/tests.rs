#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::zones::{Source, sources_left};
use super::*;
use crate::firewall::{Forwarding, Ingress, admin_chain};
use crate::net::{IfName, ZoneName};
use crate::ruleset::{Model, Plan, diff};
use crate::{netlink, nft, ruleset};

#[test]
fn fault_when_an_error_is_of_another_room_then_says_what_can_be_done() {
    let too_large = netlink::Error::TooLarge { bytes: 2, limit: 1 };
    for (error, fault) in [
        (nft::Error::NotPermitted, Fault::Firewall),
        (nft::Error::Netlink(too_large), Fault::Firewall),
        (nft::Error::Refused(vec![]), Fault::Firewall),
        (nft::Error::Unsupported { feature: "x", needs: "y" }, Fault::KernelLacks),
        (nft::Error::Unsteady { attempts: 9 }, Fault::TryAgain),
    ] {
        assert_eq!(Error::Nft(error).fault(), fault);
    }
    let contended = ruleset::Error::Contended { attempts: 3 };
    assert_eq!(Error::Ruleset(contended).fault(), Fault::TryAgain);
    let foreign =
        ruleset::Error::ForeignChain { table: "inet t".to_owned(), chain: "c".to_owned() };
    assert_eq!(Error::Ruleset(foreign).fault(), Fault::NotOurs);
}

/// A container with an address of its own.
fn attached(number: u8) -> Attachment {
    let owner = Owner::from_parts(&["firewall", "net", &format!("c{number}"), "eth0"]);
    Attachment { owner, netns: Some(Netns::known("/run/netns/c", u64::from(number))) }
}

fn wanted(number: u8, ingress: Ingress) -> Forwarding {
    let addresses = vec![[10, 88, 0, number].into()];
    Forwarding { addresses, ingress, admin: admin_chain("CNI-ADMIN").unwrap(), zone: None }
}

fn add(model: &mut Model, number: u8, ingress: Ingress) -> Plan {
    let snapshot = model.snapshot();
    let (desired, scope) = forward_on(&snapshot, &attached(number), &wanted(number, ingress));
    let plan = diff(&desired, &snapshot, &scope).unwrap();
    model.apply(plan.transaction()).unwrap();
    plan
}

fn del(model: &mut Model, number: u8) {
    let snapshot = model.snapshot();
    let (desired, scope) = unforward_on(&snapshot, &attached(number).owner);
    model.apply(diff(&desired, &snapshot, &scope).unwrap().transaction()).unwrap();
}

#[test]
fn container_when_one_of_many_then_costs_an_element_its_record_and_the_counts() {
    let mut model = Model::default();
    let bridge = || Ingress::Isolated(IfName::new("cni0").unwrap());
    for number in 0..20 {
        add(&mut model, number, bridge());
    }
    let plan = add(&mut model, 20, bridge());
    let text = plan.to_string();
    let changes: Vec<&str> = text.lines().collect();
    let others: Vec<&&str> =
        changes.iter().filter(|change| !change.contains(" counter ")).collect();
    assert_eq!(others.len(), 1, "{plan}");
    assert!(others[0].starts_with("add element inet portcullis forwarded4 { 10.88.0.20"), "{plan}");
    // Its own, and three counts that are taken out and put back.
    assert_eq!(changes.len(), 1 + 1 + 3 * 2, "{plan}");
}

fn zoned(number: u8, zone: Option<&str>) -> Forwarding {
    let zone = zone.map(|zone| ZoneName::new(zone).unwrap());
    Forwarding { zone, ..wanted(number, Ingress::Open) }
}

fn source(zone: &str, number: u8) -> Source {
    (ZoneName::new(zone).unwrap(), [10, 88, 0, number].into())
}

/// ADD for the first container with these addresses and this zone: what is to leave its zone.
fn left_by(model: &mut Model, wanted: &Forwarding) -> Vec<Source> {
    let snapshot = model.snapshot();
    let attachment = attached(1);
    let (desired, scope) = forward_on(&snapshot, &attachment, wanted);
    let plan = diff(&desired, &snapshot, &scope).unwrap();
    model.apply(plan.transaction()).unwrap();
    sources_left(&plan, Some((&attachment.owner, wanted))).into_iter().collect()
}

#[test]
fn sources_when_zone_or_address_changes_then_the_old_ones_leave() {
    let mut model = Model::default();
    for (wanted, left) in [
        (zoned(1, Some("trusted")), vec![]),
        (zoned(1, Some("trusted")), vec![]),
        (zoned(2, Some("trusted")), vec![source("trusted", 1)]),
        (zoned(2, Some("work")), vec![source("trusted", 2)]),
        (zoned(3, Some("home")), vec![source("work", 2), source("work", 3)]),
        (zoned(3, None), vec![source("home", 3)]),
        (zoned(4, None), vec![]),
    ] {
        assert_eq!(left_by(&mut model, &wanted), left, "{wanted:?}");
    }
}

#[test]
fn sources_when_a_container_goes_then_only_its_own_leave() {
    let mut model = Model::default();
    left_by(&mut model, &zoned(1, Some("trusted")));
    add(&mut model, 2, Ingress::Open);
    let snapshot = model.snapshot();
    let (desired, scope) = unforward_on(&snapshot, &attached(1).owner);
    let plan = diff(&desired, &snapshot, &scope).unwrap();
    assert_eq!(Vec::from_iter(sources_left(&plan, None)), [source("trusted", 1)]);
}

/// Calls for four containers: an ingress policy on one of two bridges, or a DEL.
fn calls() -> impl Strategy<Value = Vec<(u8, Option<(u8, bool)>)>> {
    prop::collection::vec((0..4u8, prop::option::of((0..3u8, any::<bool>()))), 0..16)
}

proptest! {
    #[test]
    fn calls_when_in_any_order_then_bridges_are_apart_as_long_as_they_have_users(calls in calls()) {
        let mut model = Model::default();
        let mut policies = std::collections::BTreeMap::new();
        for (number, policy) in calls {
            let Some((kind, first)) = policy else {
                del(&mut model, number);
                policies.remove(&number);
                continue;
            };
            let bridge = IfName::new(if first { "cni0" } else { "cni1" }).unwrap();
            let ingress = match kind {
                0 => Ingress::Open,
                1 => Ingress::SameBridge(bridge),
                _ => Ingress::Isolated(bridge),
            };
            add(&mut model, number, ingress.clone());
            prop_assert!(add(&mut model, number, ingress.clone()).is_empty());
            policies.insert(number, ingress);
        }
        let shared: std::collections::BTreeSet<_> =
            policies.values().flat_map(Ingress::shared).collect();
        let elements: usize = shared.iter().map(|shared| shared.elements().len()).sum();
        let snapshot = model.snapshot();
        prop_assert_eq!(snapshot.elements.len(), policies.len() + elements);
        prop_assert_eq!(snapshot.objects.len(), policies.len() + shared.len());
        for number in 0..4 {
            del(&mut model, number);
        }
        prop_assert!(model.snapshot().elements.is_empty() && model.snapshot().objects.is_empty());
    }
}

#![allow(clippy::unwrap_used)]
use super::gateway::{AddressPlan, plan_address};
use super::*;
use crate::link::Route;
use crate::net::Cidr;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn plan(there: &[&str], wanted: &str, force: bool) -> AddressPlan {
    let there: Vec<Cidr> = there.iter().map(|text| cidr(text)).collect();
    plan_address(&there, cidr(wanted), force)
}

#[test]
fn address_when_the_bridge_has_it_then_is_kept() {
    assert_eq!(plan(&["10.0.0.1/16", "fe80::1/64"], "10.0.0.1/16", false), AddressPlan::Keep);
    assert_eq!(plan(&["10.0.0.1/16"], "10.0.0.1/16", true), AddressPlan::Keep);
}

#[test]
fn address_when_another_of_ipv4_is_there_then_is_a_conflict_unless_forced() {
    assert_eq!(plan(&["192.0.2.1/24"], "10.0.0.1/16", false), AddressPlan::Conflict);
    // Another prefix is another address.
    assert_eq!(plan(&["10.0.0.1/24"], "10.0.0.1/16", false), AddressPlan::Conflict);
    let forced = plan(&["192.0.2.1/24", "fd00::1/64"], "10.0.0.1/16", true);
    assert_eq!(forced, AddressPlan::Replace(vec![cidr("192.0.2.1/24")]));
}

#[test]
fn address_when_of_ipv6_then_only_overlapping_networks_conflict() {
    let there = ["fe80::1/64", "fd00:1::1/64", "10.0.0.1/16"];
    assert_eq!(plan(&there, "fd00:2::1/64", false), AddressPlan::Replace(vec![]));
    assert_eq!(plan(&there, "fd00:1::2/64", false), AddressPlan::Conflict);
    assert_eq!(plan(&there, "fd00:1::1/48", false), AddressPlan::Conflict);
    let forced = plan(&there, "fd00:1::2/64", true);
    assert_eq!(forced, AddressPlan::Replace(vec![cidr("fd00:1::1/64")]));
}

fn addressing(addresses: &[(&str, Option<&str>)], routes: Vec<Route>) -> Addressing {
    let parse = |(address, via): &(&str, Option<&str>)| {
        (cidr(address), via.map(|via| via.parse().unwrap()))
    };
    Addressing { addresses: addresses.iter().map(parse).collect(), routes }
}

#[test]
fn addressing_when_the_host_is_no_gateway_then_stays_as_it_is() {
    let given = addressing(&[("10.0.0.5/16", None)], vec![]);
    let mut completed = given.clone();
    completed.complete(Gateway::None);
    assert_eq!(completed, given);
    assert!(completed.gateways().is_empty());
}

#[test]
fn addressing_when_the_host_is_the_gateway_then_gateways_are_the_first_of_their_networks() {
    let mut given =
        addressing(&[("10.1.2.3/16", None), ("fd00::5/64", Some("fd00::ffff"))], vec![]);
    given.complete(Gateway::Address);
    assert_eq!(given.gateways(), [cidr("10.1.0.1/16"), cidr("fd00::ffff/64")]);
    assert_eq!(given.routes, []);
}

#[test]
fn addressing_when_the_host_is_the_default_route_then_leads_everywhere_unless_it_does() {
    let own = Route::new("0.0.0.0/0".parse().unwrap(), Some("10.1.0.9".parse().unwrap()));
    let on_link = Route::new("::/0".parse().unwrap(), None);
    let mut given = addressing(
        &[("10.1.2.3/16", None), ("fd00::5/64", None), ("fd01::5/64", None)],
        vec![own.clone(), on_link.clone()],
    );
    given.complete(Gateway::DefaultRoute);
    let added = Route::new("::/0".parse().unwrap(), Some("fd00::1".parse().unwrap()));
    assert_eq!(given.routes, [own, on_link, added]);
    // Routes without a gateway lead through the first of their version.
    let vias: Vec<_> = given.resolved_routes().map(|route| route.gateway.unwrap()).collect();
    assert_eq!(vias.map_string(), ["10.1.0.9", "fd00::1", "fd00::1"]);
}

trait Text {
    fn map_string(&self) -> Vec<String>;
}

impl Text for Vec<std::net::IpAddr> {
    fn map_string(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

//! Checking a container's links, addresses and routes against what its ADD reported.

use super::network::{BridgeNetwork, Reflection};
use crate::attachment::error::Error;
use crate::attachment::record::Netns;
use crate::firewall::BridgeRules;
use crate::link::{Link, Links, Route};
use crate::net::{Cidr, IfName, IpVersion, Mac};

/// A link that an ADD reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: IfName,
    /// Its hardware address, if it was told.
    pub mac: Option<Mac>,
}

/// What an ADD reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The bridge.
    pub bridge: Seen,
    /// The container's end of the pair.
    pub container: Seen,
    /// The container's addresses.
    pub addresses: Vec<Cidr>,
    /// Its routes.
    pub routes: Vec<Route>,
}

impl Expected {
    /// The rules that such a container should have.
    #[must_use]
    pub fn rules(&self, network: &BridgeNetwork, port: Option<IfName>) -> BridgeRules {
        network.rules_for(self.addresses.iter().copied(), port.zip(self.container.mac))
    }
}

/// Compares a container's place on a bridge with what it should be.
///
/// # Errors
/// [`Error::LinkDiffers`] naming the first difference.
pub fn check_bridge(
    netns: &Netns,
    network: &BridgeNetwork,
    expected: &Expected,
) -> Result<(), Error> {
    let host = Links::open()?;
    let inside = Links::open_in(&netns.reopen()?)?;
    // Only a bridge with a gateway's address keeps its own; others take on those of their ports.
    let keeps_mac = network.gateway_is_on_bridge() && !expected.addresses.is_empty();
    let mac = expected.bridge.mac.filter(|_| keeps_mac);
    let seen = Seen { mac, ..expected.bridge.clone() };
    let bridge = check_the_bridge(&host, network, &seen)?;
    let container = check_container(&inside, &expected.container)?;
    check_port(&host, network, &bridge, &container)?;
    check_addresses(&inside, &container, &expected.addresses)?;
    check_routes(&inside, &container, &expected.routes)
}

fn differs(text: String) -> Error {
    Error::LinkDiffers { text }
}

fn check_the_bridge(host: &Links, network: &BridgeNetwork, seen: &Seen) -> Result<Link, Error> {
    let name = &seen.name;
    let bridge = host.link(name)?.ok_or_else(|| {
        differs(format!("CNI created bridge {name} in host namespace was not found"))
    })?;
    if !bridge.is_bridge() {
        return Err(differs(format!("Interface {name} is not a bridge")));
    }
    if let (Some(mac), true) = (seen.mac, bridge.mac != seen.mac) {
        return Err(differs(format!("Bridge interface {name} Mac doesn't match: {mac}")));
    }
    if network.reflection == Reflection::Promiscuous && !bridge.is_promiscuous {
        return Err(differs(format!("Bridge interface {name} is not promiscuous")));
    }
    Ok(bridge)
}

fn check_container(inside: &Links, seen: &Seen) -> Result<Link, Error> {
    let name = &seen.name;
    let link = inside.link(name)?;
    let link = link.ok_or_else(|| differs(format!("Interface name {name} not found")))?;
    match (seen.mac, link.mac) {
        (Some(told), Some(mac)) if told != mac => {
            Err(differs(format!("Interface {name} Mac {told} doesn't match container Mac: {mac}")))
        }
        _ => Ok(link),
    }
}

fn check_port(
    host: &Links,
    network: &BridgeNetwork,
    bridge: &Link,
    container: &Link,
) -> Result<(), Error> {
    let port = match container.peer {
        Some(index) => host.link_at(index)?,
        None => None,
    };
    let port = port.filter(|port| port.master == Some(bridge.index)).ok_or_else(|| {
        differs(format!("CNI veth created for bridge {} was not found", bridge.name))
    })?;
    let settings = port.port.unwrap_or_default();
    let name = &port.name;
    if network.isolated && !settings.is_isolated {
        return Err(differs(format!("Bridge port {name} is not isolated")));
    }
    if network.reflection == Reflection::Hairpin && !settings.is_hairpin {
        return Err(differs(format!("Bridge port {name} is not in hairpin mode")));
    }
    Ok(())
}

fn check_addresses(inside: &Links, link: &Link, expected: &[Cidr]) -> Result<(), Error> {
    let there = inside.addresses(link)?;
    let is_there = |cidr: &Cidr| {
        there.iter().any(|at| at.host == cidr.address() && at.subnet == cidr.subnet())
    };
    match expected.iter().find(|cidr| !is_there(cidr)) {
        Some(cidr) => {
            Err(differs(format!("Failed to match addr {cidr} on interface {}", link.name)))
        }
        None => Ok(()),
    }
}

fn check_routes(inside: &Links, link: &Link, expected: &[Route]) -> Result<(), Error> {
    let mut there = Vec::new();
    for version in IpVersion::BOTH {
        there.extend(inside.routes(link, version)?);
    }
    let is_there = |route: &Route| {
        there.iter().any(|at| {
            at.destination == route.destination
                && (route.gateway.is_none() || at.gateway == route.gateway)
        })
    };
    match expected.iter().find(|route| !is_there(route)) {
        Some(route) => Err(differs(format!("Expected Route {route} not found in routing table"))),
        None => Ok(()),
    }
}

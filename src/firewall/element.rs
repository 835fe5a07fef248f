//! A published port as elements of sets and maps, and back.

use std::net::IpAddr;

use super::class::Scope;
use super::hostports::{conditional_map, hostports_map, mark_set};
use super::intent::{Hostports, Publish};
use super::{names, rules::octets};
use crate::net::{IpVersion, L4Proto, Port, Subnet};
use crate::nft::expr::Verdict;
use crate::nft::{Element, ElementData, Name, Set, concat};

/// Private entry of a conditional element: where the port leads, as address and port.
const TLV_TARGET: u8 = 0xE4;

/// All elements of these ports, each with the set that it goes into.
#[must_use]
pub fn elements_of(hostports: &Hostports) -> Vec<(Set, Element)> {
    let owner = &hostports.owner;
    let userdata = owner.userdata();
    let mut elements = Vec::with_capacity(hostports.publishes.len() * 3);
    for publish in &hostports.publishes {
        let (version, scope) = (publish.version(), publish.scope());
        let key = published_key(publish, None);
        let container = octets(publish.container);
        let port = publish.container_port.number().to_be_bytes();
        if hostports.conditions_of(publish).is_some() {
            let target = [&container[..], &port].concat();
            let verdict = Verdict::Jump(names::conditions(owner));
            let element = Element::new(key)
                .with_data(ElementData::Verdict(verdict))
                .with_userdata(userdata.clone().with(TLV_TARGET, target));
            elements.push((conditional_map(version, scope), element));
            continue;
        }
        let element = Element::new(key)
            .with_data(ElementData::Value(concat(&[&container, &port])))
            .with_userdata(userdata.clone());
        elements.push((hostports_map(version, scope), element));
        for source in hostports.sources(publish) {
            let set = mark_set(&hostports.mark_class(publish, source));
            let key = published_key(publish, source);
            elements.push((set, Element::new(key).with_userdata(userdata.clone())));
        }
    }
    elements
}

/// Elements whose keys, in the other map of their scope, would claim the same ports: those of
/// ports under conditions where these have none, and the other way round.
#[must_use]
pub fn rival_elements(hostports: &Hostports) -> Vec<(Name, Element)> {
    let rival = |publish: &Publish| {
        let (version, scope) = (publish.version(), publish.scope());
        let set = match hostports.conditions_of(publish) {
            Some(_) => names::hostports(version, scope),
            None => names::conditional_ports(version, scope),
        };
        (set, Element::new(published_key(publish, None)))
    };
    hostports.publishes.iter().map(rival).collect()
}

/// `source . host address . protocol . port`, of which the first two may be absent.
fn published_key(publish: &Publish, source: Option<Subnet>) -> Vec<u8> {
    let source = source.map(|subnet| octets(subnet.address()));
    let address = publish.host_address.map(octets);
    let (proto, port) = ([publish.proto.number()], publish.host_port.number().to_be_bytes());
    let parts = source.as_deref().into_iter().chain(address.as_deref());
    concat(&parts.chain([&proto[..], &port[..]]).collect::<Vec<_>>())
}

/// Reads a published port back from an element of one of the maps; `None` for other elements.
#[must_use]
pub fn published(set: &Name, element: &Element) -> Option<Publish> {
    let (version, scope, is_conditional) = IpVersion::BOTH
        .into_iter()
        .flat_map(|v| [(v, Scope::HostAddress), (v, Scope::AnyAddress)])
        .find_map(|(v, s)| {
            let conditional = names::conditional_ports(v, s) == *set;
            (conditional || names::hostports(v, s) == *set).then_some((v, s, conditional))
        })?;
    let (host_address, rest) = match scope {
        Scope::HostAddress => {
            let (address, rest) = element.key.split_at_checked(version.address_len())?;
            (Some(parse_address(address)?), rest)
        }
        Scope::AnyAddress => (None, &element.key[..]),
    };
    let [proto, _, _, _, high, low, ..] = rest else { return None };
    let target = match &element.data {
        Some(ElementData::Value(value)) => value.as_slice(),
        _ if is_conditional => element.userdata.find(TLV_TARGET)?,
        _ => return None,
    };
    let (container, port) = target.split_at_checked(version.address_len())?;
    let [port_high, port_low, ..] = port else { return None };
    let port = |bytes: [u8; 2]| Port::try_from(i64::from(u16::from_be_bytes(bytes))).ok();
    Some(Publish {
        host_address,
        host_port: port([*high, *low])?,
        proto: L4Proto::from_number(*proto)?,
        container: parse_address(container)?,
        container_port: port([*port_high, *port_low])?,
    })
}

fn parse_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

//! A published port as elements of sets and maps, and back.

use std::net::IpAddr;

use super::class::{Place, Reach};
use super::hostports::{conditional_map, hostports_map, mark_set};
use super::intent::{Hostports, Publish};
use super::{names, rules::octets};
use crate::net::{L4Proto, Port, Subnet};
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
        let (version, place) = (publish.version(), hostports.place(publish));
        let key = published_key(publish, None);
        let container = octets(publish.container);
        let port = publish.container_port.number().to_be_bytes();
        if hostports.conditions_of(publish).is_some() {
            let target = [&container[..], &port].concat();
            let verdict = Verdict::Jump(names::conditions(owner));
            let element = Element::new(key)
                .with_data(ElementData::Verdict(verdict))
                .with_userdata(userdata.clone().with(TLV_TARGET, target));
            elements.push((conditional_map(version, place), element));
            continue;
        }
        let element = Element::new(key)
            .with_data(ElementData::Value(concat(&[&container, &port])))
            .with_userdata(userdata.clone());
        elements.push((hostports_map(version, place), element));
        for source in hostports.sources(publish) {
            let set = mark_set(&hostports.mark_class(publish, source));
            let key = published_key(publish, source);
            elements.push((set, Element::new(key).with_userdata(userdata.clone())));
        }
    }
    elements
}

/// The elements by which anybody would claim the same ports in these maps: under conditions or
/// without, in use or standing by.
#[must_use]
pub fn claims<'a>(
    hostports: &Hostports,
    maps: impl Iterator<Item = &'a Name>,
) -> Vec<(Name, Element)> {
    let mut claims = Vec::new();
    for map in maps {
        let Some((version, place, _)) = Place::of_map(map.as_str()) else { continue };
        let alike = hostports
            .publishes
            .iter()
            .filter(|publish| (publish.version(), publish.reach()) == (version, place.reach));
        let element = |publish| (map.clone(), Element::new(published_key(publish, None)));
        claims.extend(alike.map(element));
    }
    claims
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
    let (version, place, is_conditional) = Place::of_map(set.as_str())?;
    let (host_address, rest) = match place.reach {
        Reach::OneAddress => {
            let (address, rest) = element.key.split_at_checked(version.address_len())?;
            (Some(parse_address(address)?), rest)
        }
        Reach::AnyAddress => (None, &element.key[..]),
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

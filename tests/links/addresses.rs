//! Addresses and duplicate address detection.

use std::net::IpAddr;

use nix::errno::Errno;
use portcullis::link::{Address, Detection, Error, LinkChange};
use portcullis::net::{IpVersion, Subnet};

use super::host::{Host, ip};

fn address(text: &str) -> Address {
    let (host, subnet) = Subnet::parse_interface(text).unwrap();
    Address::new(host, subnet)
}

#[test]
fn addresses_when_added_then_ip_shows_them_with_broadcast() {
    let host = Host::new();
    let bridge = host.bridge();
    for text in ["10.88.0.1/16", "10.99.0.1/31", "fd00:88::1/64"] {
        let address = address(text).without_detection();
        host.links.add_address(&bridge, &address).unwrap();
    }
    let seen = ip(&host.host, "address show dev cni0 scope global");
    let seen: Vec<String> = seen[0]["addr_info"]
        .as_array()
        .unwrap()
        .iter()
        // What it filters out ip prints as an empty object.
        .filter(|one| one["local"].is_string())
        .map(|one| format!("{}/{} {}", one["local"], one["prefixlen"], one["broadcast"]))
        .collect();
    assert_eq!(
        seen,
        ["\"10.88.0.1\"/16 \"10.88.255.255\"", "\"10.99.0.1\"/31 null", "\"fd00:88::1\"/64 null"]
    );
}

#[test]
fn addresses_when_listed_then_only_those_of_the_link() {
    let host = Host::new();
    let bridge = host.bridge();
    host.host.ip("link set lo up\naddress add 10.88.0.1/16 dev cni0\naddress add fd00:88::1/64 dev cni0 nodad");
    let listed = host.links.addresses(&bridge).unwrap();
    let listed: Vec<String> = listed
        .iter()
        .filter(|one| !one.to_string().starts_with("fe80"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(listed, ["10.88.0.1/16", "fd00:88::1/64"]);
    let v4 = host.links.addresses_of(&bridge, IpVersion::V4).unwrap();
    assert!(v4.len() == 1 && v4[0].is_same(&address("10.88.0.1/16")));
}

#[test]
fn address_when_it_is_there_already_or_not_at_all_then_the_errno_says_so() {
    let host = Host::new();
    let bridge = host.bridge();
    for text in ["10.88.0.1/16", "fd00:88::1/64"] {
        let address = address(text);
        host.links.add_address(&bridge, &address).unwrap();
        let error = host.links.add_address(&bridge, &address).unwrap_err();
        assert!(error.is(Errno::EEXIST), "{error}");
        host.links.delete_address(&bridge, &address).unwrap();
        let error = host.links.delete_address(&bridge, &address).unwrap_err();
        assert!(error.is(Errno::EADDRNOTAVAIL), "{error}");
        let refused = format!("kernel refused address delete {text} dev cni0: ");
        assert!(error.to_string().starts_with(&refused), "{error}");
    }
}

#[test]
fn detection_when_it_is_skipped_then_the_address_can_be_used_at_once() {
    let host = Host::new();
    let bridge = host.bridge();
    let address = address("fd00:88::1/64").without_detection();
    host.links.add_address(&bridge, &address).unwrap();
    let listed = host.links.addresses_of(&bridge, IpVersion::V6).unwrap();
    let found = listed.iter().find(|one| one.is_same(&address)).unwrap();
    assert_eq!(found.detection, Detection::Skipped);
}

/// A veth pair whose ends have the same address: whoever asks second learns of the first.
#[test]
fn detection_when_another_host_has_the_address_then_waiting_says_so() {
    let host = Host::new();
    let (outer, inner) = host.veth();
    let twice: IpAddr = "fd00:88::2".parse().unwrap();
    let address = address("fd00:88::2/64");
    host.links.add_address(&outer, &address.clone().without_detection()).unwrap();
    host.inside.change(&inner, LinkChange::new().up()).unwrap();
    host.links.wait_operational(&outer).unwrap();
    host.inside.add_address(&inner, &address).unwrap();
    let error = host.inside.wait_detection(&inner).unwrap_err();
    assert!(
        matches!(&error, Error::DuplicateAddress { address, .. } if *address == twice),
        "{error}"
    );
    assert_eq!(error.to_string(), "address fd00:88::2 of eth0 is used by another host");
}

#[test]
fn detection_when_nobody_has_the_address_then_waiting_ends_when_it_does() {
    let host = Host::new();
    let (outer, inner) = host.veth();
    host.inside.change(&inner, LinkChange::new().up()).unwrap();
    host.links.wait_operational(&outer).unwrap();
    host.inside.add_address(&inner, &address("fd00:88::2/64")).unwrap();
    host.inside.wait_detection(&inner).unwrap();
    let listed = host.inside.addresses_of(&inner, IpVersion::V6).unwrap();
    assert!(listed.iter().all(|one| one.detection == Detection::Finished), "{listed:?}");
}

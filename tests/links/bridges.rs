//! Bridges and their ports.

use portcullis::link::{
    Error, Kind, LinkChange, PortChange, Tagging, Vlan, VlanFiltering, VlanOwner,
};

use super::host::{Host, ip_link, name, new_bridge};

#[test]
fn bridge_when_made_then_it_has_what_was_asked_for() {
    let host = Host::new();
    let mut new = new_bridge("cni0");
    new.mtu = Some(1400);
    new.mac = Some("0a:58:0a:58:00:01".parse().unwrap());
    let bridge = host.links.ensure_bridge(&new, || {}).unwrap().into_link();
    let seen = ip_link(&host.host, &new.name);
    assert_eq!(seen["linkinfo"]["info_kind"], "bridge");
    assert_eq!(seen["mtu"], 1400);
    assert_eq!(seen["address"], "0a:58:0a:58:00:01");
    assert_eq!(seen["operstate"], "DOWN");
    assert_eq!(bridge.index, u32::try_from(seen["ifindex"].as_u64().unwrap()).unwrap());
    assert!(bridge.is_bridge() && !bridge.is_up);
}

#[test]
fn bridge_when_there_already_then_it_is_taken_as_it_is() {
    let host = Host::new();
    host.host.ip("link add cni0 mtu 1300 type bridge");
    let mut new = new_bridge("cni0");
    new.mtu = Some(1400);
    assert_eq!(host.links.ensure_bridge(&new, || {}).unwrap().into_link().mtu, 1300);
}

#[test]
fn bridge_when_another_link_has_the_name_then_it_is_named() {
    let host = Host::new();
    host.host.ip("link add up0 type veth peer name up1");
    let error = host.links.ensure_bridge(&new_bridge("up0"), || {}).unwrap_err();
    assert!(matches!(error, Error::NotABridge { .. }));
    assert_eq!(error.to_string(), "\"up0\" already exists but is not a bridge");
}

#[test]
fn bridge_when_the_mtu_is_impossible_then_the_kernel_says_why() {
    let host = Host::new();
    let mut new = new_bridge("cni0");
    new.mtu = Some(70000);
    let error = host.links.ensure_bridge(&new, || {}).unwrap_err().to_string();
    assert!(error.starts_with("kernel refused link add cni0 mtu 70000 type bridge: "), "{error}");
    assert!(host.links.link(&new.name).unwrap().is_none());
}

#[test]
fn bridge_when_changed_then_flags_address_and_alias_are_set_in_one_request() {
    let host = Host::new();
    let bridge = host.bridge();
    let mac = "0a:58:0a:58:00:01".parse().unwrap();
    let change = LinkChange::new().promiscuous().mac(mac).mtu(1300).alias("a bridge");
    host.links.change(&bridge, change).unwrap();
    let seen = ip_link(&host.host, &bridge.name);
    assert!(seen["flags"].as_array().unwrap().contains(&"PROMISC".into()), "{seen}");
    assert_eq!(seen["address"], "0a:58:0a:58:00:01");
    assert_eq!(seen["mtu"], 1300);
    assert_eq!(seen["ifalias"], "a bridge");
    let now = host.links.existing(&bridge.name).unwrap();
    assert!(now.is_promiscuous && now.is_up);
    assert_eq!((now.mac, now.mtu), (Some(mac), 1300));
    assert_eq!(now.alias.as_deref(), Some("a bridge"));
    host.links.change(&bridge, LinkChange::new().not_promiscuous().down()).unwrap();
    let now = host.links.existing(&bridge.name).unwrap();
    assert!(!now.is_promiscuous && !now.is_up);
}

#[test]
fn port_when_enslaved_and_set_then_hairpin_and_isolation_hold() {
    let host = Host::new();
    let bridge = host.bridge();
    let (port, _) = host.veth();
    host.links.change(&port, LinkChange::new().master(&bridge)).unwrap();
    host.links.change_port(&port, PortChange::new().hairpin().isolated()).unwrap();
    let seen = ip_link(&host.host, &port.name);
    assert_eq!(seen["master"], "cni0");
    assert_eq!(seen["linkinfo"]["info_slave_data"]["hairpin"], true);
    assert_eq!(seen["linkinfo"]["info_slave_data"]["isolated"], true);
    let now = host.links.existing(&port.name).unwrap();
    assert_eq!(now.master, Some(bridge.index));
    assert!(now.port.is_some_and(|port| port.is_hairpin && port.is_isolated));
    host.links.change_port(&port, PortChange::new().no_hairpin().not_isolated()).unwrap();
    let now = host.links.existing(&port.name).unwrap();
    assert!(now.port.is_some_and(|port| !port.is_hairpin && !port.is_isolated));
    host.links.change(&port, LinkChange::new().no_master()).unwrap();
    assert_eq!(host.links.existing(&port.name).unwrap().master, None);
}

/// What VLANs come to depends on the kernel, and ip(8) says which it is.
#[test]
fn vlans_when_the_kernel_has_no_filtering_then_it_is_named_and_else_they_are_set() {
    let host = Host::new();
    let bridge = host.bridge();
    let (port, _) = host.veth();
    host.links.change(&port, LinkChange::new().master(&bridge)).unwrap();
    let seen = ip_link(&host.host, &bridge.name);
    let is_known = !seen["linkinfo"]["info_data"]["vlan_protocol"].is_null();
    let trunk = Vlan { first: 100, last: 110, tagging: Tagging::Tagged };
    let native = Vlan { first: 5, last: 5, tagging: Tagging::PvidUntagged };
    let mut filtering = new_bridge("cni1");
    filtering.has_vlan_filtering = true;
    let results = [
        host.links.add_vlan(&port, VlanOwner::Port, trunk),
        host.links.add_vlan(&port, VlanOwner::Port, native),
        host.links.add_vlan(&bridge, VlanOwner::Bridge, trunk),
        host.links.filter_vlans(&bridge),
        host.links.ensure_bridge(&filtering, || {}).map(|bridge| {
            assert_eq!(bridge.into_link().kind, Kind::Bridge(VlanFiltering::On));
        }),
    ];
    for result in results {
        if is_known {
            result.unwrap();
        } else {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::KernelLacks { .. }), "{error}");
            let error = error.to_string();
            assert!(error.ends_with(": this kernel lacks BRIDGE_VLAN_FILTERING"), "{error}");
        }
    }
    if is_known {
        let is = |filtering| {
            let now = host.links.existing(&bridge.name).unwrap();
            assert_eq!(now.kind, Kind::Bridge(filtering));
        };
        is(VlanFiltering::On);
        host.links.ignore_vlans(&bridge).unwrap();
        is(VlanFiltering::Off);
        host.links.delete_vlan(&port, VlanOwner::Port, trunk).unwrap();
    }
}

#[test]
fn link_when_there_is_none_then_none_is_found_and_deleting_is_no_error() {
    let host = Host::new();
    assert_eq!(host.links.link(&name("cni0")).unwrap(), None);
    assert_eq!(host.links.link_at(4711).unwrap(), None);
    let bridge = host.bridge();
    host.links.delete(&bridge).unwrap();
    host.links.delete(&bridge).unwrap();
    assert_eq!(host.links.link(&bridge.name).unwrap(), None);
    let error = host.links.existing(&bridge.name).unwrap_err();
    assert_eq!(error.to_string(), "Interface name cni0 not found");
}

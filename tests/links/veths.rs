//! Veth pairs between two namespaces.

use portcullis::link::{Error, Kind, LinkChange, OperState};

use super::host::{Host, ip_link, name, new_veth};

#[test]
fn veth_when_made_then_each_end_is_in_its_namespace() {
    let host = Host::new();
    let mut new = new_veth("eth0");
    new.master = Some(host.bridge());
    new.mtu = Some(1400);
    new.mac = Some("0a:58:0a:58:00:02".parse().unwrap());
    let peer = host.links.create_veth(&new, &host.container_file).unwrap();
    assert!(peer.as_str().starts_with("veth") && peer.as_str().len() == 12, "{peer}");
    let near = ip_link(&host.container, &new.name);
    assert_eq!(near["linkinfo"]["info_kind"], "veth");
    assert_eq!((&near["mtu"], &near["address"]), (&1400.into(), &"0a:58:0a:58:00:02".into()));
    assert!(!near["flags"].as_array().unwrap().contains(&"UP".into()), "{near}");
    let far = ip_link(&host.host, &peer);
    assert_eq!((&far["mtu"], &far["master"]), (&1400.into(), &"cni0".into()));
    assert!(!far["flags"].as_array().unwrap().contains(&"UP".into()), "{far}");
}

#[test]
fn veth_when_looked_up_then_each_end_names_the_other() {
    let host = Host::new();
    let (outer, inner) = host.veth();
    assert_eq!((&outer.kind, &inner.kind), (&Kind::Veth, &Kind::Veth));
    assert_eq!((outer.peer, inner.peer), (Some(inner.index), Some(outer.index)));
    assert!(outer.peer_netns.is_some() && inner.peer_netns.is_some());
}

#[test]
fn veth_when_the_name_in_the_container_is_taken_then_nothing_is_made() {
    let host = Host::new();
    let (outer, _) = host.veth();
    let error = host.links.create_veth(&new_veth("eth0"), &host.container_file).unwrap_err();
    let Error::VethExists { peer, .. } = &error else { panic!("{error}") };
    assert_eq!(
        error.to_string(),
        format!("container veth name (\"eth0\") peer provided (\"{peer}\") already exists")
    );
    assert_eq!(host.links.link(peer).unwrap(), None);
    assert_eq!(host.links.existing(&outer.name).unwrap(), outer);
}

#[test]
fn veth_when_the_given_name_on_the_host_is_taken_then_the_kernel_says_so() {
    let host = Host::new();
    let (outer, _) = host.veth();
    let mut new = new_veth("eth1");
    new.host_name = Some(outer.name.clone());
    let error = host.links.create_veth(&new, &host.container_file).unwrap_err();
    assert!(error.is(nix::errno::Errno::EEXIST), "{error}");
    assert_eq!(host.inside.link(&new.name).unwrap(), None);
}

#[test]
fn veth_when_the_container_end_goes_up_then_the_host_end_becomes_operational() {
    let host = Host::new();
    let (outer, inner) = host.veth();
    assert_ne!(outer.state, OperState::Up);
    host.inside.change(&inner, LinkChange::new().up()).unwrap();
    assert_eq!(host.links.wait_operational(&outer).unwrap().state, OperState::Up);
}

#[test]
fn veth_when_the_container_end_stays_down_then_waiting_ends_with_the_state() {
    let host = Host::new();
    let (outer, _) = host.veth();
    let begin = std::time::Instant::now();
    let error = host.links.wait_operational(&outer).unwrap_err();
    // Which of the two depends on whether the kernel looks for the other end in other namespaces.
    let state = match ip_link(&host.host, &outer.name)["operstate"].as_str() {
        Some("LOWERLAYERDOWN") => "lower-layer-down",
        Some("DOWN") => "down",
        other => panic!("{other:?}"),
    };
    assert_eq!(error.to_string(), format!("bridge port in error state: {state}"));
    assert!((2500..5000).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
}

#[test]
fn veth_when_one_end_is_deleted_then_both_are_gone() {
    let host = Host::new();
    let (outer, inner) = host.veth();
    host.inside.delete(&inner).unwrap();
    assert_eq!(host.links.link(&outer.name).unwrap(), None);
}

#[test]
fn link_when_renamed_then_it_has_the_new_name_only() {
    let host = Host::new();
    let (_, inner) = host.veth();
    host.inside.change(&inner, LinkChange::new().name(&name("net1"))).unwrap();
    assert_eq!(host.inside.existing(&name("net1")).unwrap().index, inner.index);
    assert_eq!(host.inside.link(&name("eth0")).unwrap(), None);
}

/// As the gateway of a VLAN has it: `cni0.5` on the host, its other end a port of `cni0`.
#[test]
fn veth_when_both_ends_are_on_the_host_then_one_is_a_port() {
    let host = Host::new();
    let bridge = host.bridge();
    let mut new = new_veth("cni0.5");
    new.master = Some(bridge.clone());
    let port = host.links.create_veth(&new, &host.host_file).unwrap();
    let (port, gateway) =
        (host.links.existing(&port).unwrap(), host.links.existing(&new.name).unwrap());
    assert_eq!((port.master, gateway.master), (Some(bridge.index), None));
    assert_eq!((gateway.peer, gateway.peer_netns), (Some(port.index), None));
    host.links.change(&port, LinkChange::new().up()).unwrap();
    host.links.change(&gateway, LinkChange::new().up()).unwrap();
    host.links.wait_operational(&port).unwrap();
}

#[test]
fn veth_when_its_bridge_is_none_then_nothing_is_left_of_the_pair() {
    let host = Host::new();
    let (not_a_bridge, _) = host.veth();
    let mut new = new_veth("eth1");
    new.master = Some(not_a_bridge);
    new.host_name = Some(name("port1"));
    let error = host.links.create_veth(&new, &host.container_file).unwrap_err();
    assert!(error.is(nix::errno::Errno::EOPNOTSUPP), "{error}");
    assert_eq!(host.links.link(&name("port1")).unwrap(), None);
    assert_eq!(host.inside.link(&name("eth1")).unwrap(), None);
}

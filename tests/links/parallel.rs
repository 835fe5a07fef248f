//! Many at once.

use std::thread;

use portcullis::link::{LinkChange, Links, NetnsFile};

use super::host::{Host, name, new_bridge, new_veth};
use crate::lab::Netns;

#[test]
fn bridge_when_a_hundred_ask_for_it_at_once_then_all_get_the_same() {
    let host = Host::new();
    let indices: Vec<u32> = thread::scope(|scope| {
        let ask = || {
            let ensured = Links::open().unwrap().ensure_bridge(&new_bridge("cni0"), || {});
            ensured.unwrap().into_link().index
        };
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let index = host.links.existing(&name("cni0")).unwrap().index;
    assert!(indices.iter().all(|one| *one == index), "{indices:?}");
}

#[test]
fn veths_when_made_at_once_then_each_becomes_a_port() {
    let host = Host::new();
    let bridge = host.bridge();
    let containers: Vec<Netns> = (0..20).map(|n| Netns::add(&format!("c{n}"))).collect();
    let add = |container: &Netns| {
        let netns = NetnsFile::open(container.path()).unwrap().unwrap();
        let (links, inside) = (Links::open().unwrap(), Links::open_in(&netns).unwrap());
        let mut new = new_veth("eth0");
        new.master = Some(bridge.clone());
        let peer = links.create_veth(&new, &netns).unwrap();
        let port = links.existing(&peer).unwrap();
        links.change(&port, LinkChange::new().up()).unwrap();
        let inner = inside.existing(&name("eth0")).unwrap();
        inside.change(&inner, LinkChange::new().up()).unwrap();
        links.wait_operational(&port).unwrap()
    };
    let ports: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            containers.iter().map(|container| scope.spawn(|| add(container))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ports.iter().all(|port| port.master == Some(bridge.index)));
}

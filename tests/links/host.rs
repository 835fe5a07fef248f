//! A host namespace and one of a container, and what `ip -json` says of them.

use std::process::Command;

use portcullis::link::{Link, Links, NetnsFile, NewBridge, NewVeth};
use portcullis::net::IfName;
use serde_json::Value;

use crate::lab::{Netns, isolate, run};

/// The two namespaces of a test. The calling thread is in the host's.
pub struct Host {
    pub host: Netns,
    pub container: Netns,
    pub host_file: NetnsFile,
    pub container_file: NetnsFile,
    /// The host's links.
    pub links: Links,
    /// The container's.
    pub inside: Links,
}

impl Host {
    pub fn new() -> Host {
        isolate();
        let (host, container) = (Netns::add("host"), Netns::add("container"));
        host.join();
        let host_file = NetnsFile::own().unwrap();
        let container_file = NetnsFile::open(container.path()).unwrap().unwrap();
        let links = Links::open().unwrap();
        let inside = Links::open_in(&container_file).unwrap();
        Host { host, container, host_file, container_file, links, inside }
    }

    /// A veth pair with `eth0` in the container, the host's end up.
    pub fn veth(&self) -> (Link, Link) {
        let peer = self.links.create_veth(&new_veth("eth0"), &self.container_file).unwrap();
        let outer = self.links.existing(&peer).unwrap();
        self.links.change(&outer, portcullis::link::LinkChange::new().up()).unwrap();
        let outer = self.links.existing(&peer).unwrap();
        (outer, self.inside.existing(&name("eth0")).unwrap())
    }

    /// A bridge that is up, nothing else said.
    pub fn bridge(&self) -> Link {
        let bridge = self.links.ensure_bridge(&new_bridge("cni0"), || {}).unwrap().into_link();
        self.links.change(&bridge, portcullis::link::LinkChange::new().up()).unwrap();
        bridge
    }
}

/// `ip -json -details WORDS` in a namespace.
pub fn ip(netns: &Netns, words: &str) -> Value {
    let output = netns
        .enter(|| run(Command::new("ip").args(["-json", "-details"]).args(words.split(' ')), ""));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("ip {words}: {e}: {text}"))
}

/// The one object that `ip -json -details link show NAME` prints.
pub fn ip_link(netns: &Netns, name: &IfName) -> Value {
    ip(netns, &format!("link show {name}"))[0].clone()
}

pub fn name(text: &str) -> IfName {
    IfName::new(text).unwrap()
}

pub fn new_bridge(text: &str) -> NewBridge {
    NewBridge { name: name(text), mtu: None, mac: None, has_vlan_filtering: false }
}

pub fn new_veth(text: &str) -> NewVeth {
    NewVeth { name: name(text), mac: None, mtu: None, host_name: None, master: None }
}

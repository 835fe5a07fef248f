//! Calls of the firewall plugin, the product's or Debian's, on the laboratory's host.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{CniCall, Echo, Lab, Netns, feed};

/// Whose plugin.
#[derive(Debug, Clone, Copy)]
pub enum Maker {
    Portcullis,
    Debian,
}

/// A container, by the name of its namespace, with its bridge and addresses.
#[derive(Debug, Clone, Copy)]
pub struct Container {
    pub name: &'static str,
    pub bridge: &'static str,
    pub addresses: [&'static str; 2],
}

pub const CONTAINER: Container =
    Container { name: "container", bridge: "cni0", addresses: ["10.88.0.2/16", "fd00:88::2/64"] };
pub const SIBLING: Container =
    Container { name: "sibling", bridge: "cni0", addresses: ["10.88.0.3/16", "fd00:88::3/64"] };
pub const OTHER: Container =
    Container { name: "other", bridge: "cni1", addresses: ["10.99.0.2/16", "fd00:99::2/64"] };

/// A configuration with these keys, and the result of a bridge plugin.
pub fn conf(container: &Container, keys: &Value) -> Value {
    let ips: Vec<Value> =
        container.addresses.iter().map(|ip| json!({"interface": 2, "address": ip})).collect();
    let mut conf = json!({
        "cniVersion": "1.0.0",
        "name": container.bridge,
        "type": "firewall",
        "prevResult": {
            "cniVersion": "1.0.0",
            "interfaces": [
                {"name": container.bridge},
                {"name": "veth"},
                {"name": "eth0", "sandbox": format!("/run/netns/{}", container.name)},
            ],
            "ips": ips,
        },
    });
    for (key, value) in keys.as_object().unwrap() {
        conf[key] = value.clone();
    }
    conf
}

/// Calls a plugin; its answer, or the error object.
pub fn call(
    lab: &Lab,
    maker: Maker,
    plugin: &str,
    command: &str,
    container: &Container,
    conf: &Value,
) -> Result<String, Value> {
    let mut process = match maker {
        Maker::Portcullis => {
            let mut process = Command::new(env!("CARGO_BIN_EXE_portcullis"));
            process.arg(plugin);
            process
        }
        Maker::Debian => Command::new(format!("/usr/lib/cni/{plugin}")),
    };
    let netns = Path::new("/run/netns").join(container.name);
    CniCall::new(command, container.name, &netns).set_on(&mut process);
    let output = lab.host.enter(|| feed(&mut process, &conf.to_string()));
    let answer = String::from_utf8(output.stdout).unwrap();
    if output.status.success() {
        Ok(answer)
    } else {
        Err(serde_json::from_str(&answer).unwrap_or_else(|_| json!({"msg": answer})))
    }
}

/// `ADD` with these keys.
pub fn add(lab: &Lab, maker: Maker, container: &Container, keys: &Value) {
    call(lab, maker, "firewall", "ADD", container, &conf(container, keys)).unwrap();
}

/// `DEL` without a result of a plugin before: as of a container whose state was lost.
pub fn del(lab: &Lab, container: &Container) {
    let conf = json!({"cniVersion": "1.0.0", "name": container.bridge, "type": "firewall"});
    call(lab, Maker::Portcullis, "firewall", "DEL", container, &conf).unwrap();
}

/// Runs a tool on the host and returns what it prints.
pub fn tool(lab: &Lab, words: &str) -> String {
    let mut words = words.split(' ');
    let name = words.next().unwrap();
    let output = lab.host.enter(|| Command::new(name).args(words).output().expect(name));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The policy of iptables' FORWARD chains becomes DROP.
pub fn drop_forwarded(lab: &Lab) {
    tool(lab, "iptables-nft -P FORWARD DROP");
    tool(lab, "ip6tables-nft -P FORWARD DROP");
}

/// A second bridge, cni1, with a container on it that serves port 80.
pub fn second_bridge(lab: &Lab) -> (Netns, Echo) {
    let other = Netns::add("other");
    for key in ["all", "default"] {
        other.sysctl(&format!("ipv6/conf/{key}/accept_dad"), "0");
    }
    lab.host.ip("link add cni1 type bridge
         link add veth9 type veth peer name eth0 netns other
         link set veth9 master cni1
         addr add 10.99.0.1/16 dev cni1
         addr add fd00:99::1/64 dev cni1 nodad
         link set cni1 up
         link set veth9 up
        ");
    other.ip("link set lo up
         addr add 10.99.0.2/16 dev eth0
         addr add fd00:99::2/64 dev eth0 nodad
         link set eth0 up
         route add default via 10.99.0.1
         route add default via fd00:99::1
        ");
    let echo = Echo::serve(&other, 80);
    // What is sent before the link watch has seen the carrier is lost.
    let is_up = || {
        ["container udp 10.99.0.1:9", "container udp [fd00:99::1]:9"]
            .iter()
            .all(|probe| ask(&other, probe) == "refused")
    };
    assert!((0..10).any(|_| is_up()), "the second bridge does not come up");
    (other, echo)
}

/// The outcome of a probe from a namespace that is none of the laboratory's own places.
pub fn ask(from: &Netns, probe: &str) -> String {
    let probe: crate::lab::Probe = probe.parse().unwrap();
    probe.send(from).to_string()
}

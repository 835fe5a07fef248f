//! A host with an uplink and no bridge, where the plugins `bridge` and `host-local` are installed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MsFlags, mount};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use crate::lab::{Netns, isolate};

/// Where the plugins are; /run is left to those who mount their own over it.
pub const PLUGINS: &str = "/var/lib/plugins";

/// Namespaces and directories of one test.
pub struct Site {
    pub netns: Netns,
    pub container: Netns,
    pub sibling: Netns,
}

impl Site {
    /// Isolates the calling thread and builds the site.
    pub fn new() -> Site {
        isolate();
        mount(Some("lab"), "/var/lib", Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))
            .unwrap_or_else(|errno| panic!("lab: tmpfs over /var/lib: {errno}"));
        fs::create_dir(PLUGINS).unwrap();
        let binary = env!("CARGO_BIN_EXE_portcullis");
        for name in ["bridge", "host-local"] {
            symlink(binary, Path::new(PLUGINS).join(name)).unwrap();
        }
        let [netns, container, sibling] = ["host", "container", "sibling"].map(Netns::add);
        netns.ip("link set lo up\n");
        // Down, so that nothing of it settles while a test runs.
        netns.ip("link add up0 type veth peer name up1\n");
        netns.ip("addr add 192.0.2.1/24 dev up0\n");
        Site { netns, container, sibling }
    }

    /// A call for the container, of the usual network with `keys` over it.
    pub fn call(&self, command: &str, keys: &Value) -> Call {
        Site::call_for(&self.container, command, keys)
    }

    pub fn call_for(netns: &Netns, command: &str, keys: &Value) -> Call {
        let call = Call::new(command, netns, 2).set("CNI_PATH", PLUGINS);
        call.with(|conf| *conf = usual(keys))
    }

    /// Runs a call in the host.
    pub fn run(&self, call: &Call) -> Answer {
        self.netns.enter(|| call.run(&Path::new(PLUGINS).join("bridge")))
    }

    /// Runs an ADD that works; gives the result.
    pub fn add(&self, call: &Call) -> Value {
        serde_json::from_str(&self.run(call).success()).unwrap()
    }

    /// Links, addresses, routes, rules and leases of all namespaces.
    pub fn state(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for netns in [&self.netns, &self.container, &self.sibling] {
            if !netns.path().exists() {
                continue;
            }
            for words in [
                &["ip", "-br", "link"][..],
                &["ip", "-br", "addr"],
                &["ip", "route"],
                &["nft", "list", "ruleset"],
            ] {
                let text = tool(netns, words);
                lines.extend(text.lines().map(|line| format!("{}: {line}", netns.name())));
            }
        }
        lines.extend(leases().iter().map(|lease| format!("lease: {lease}")));
        lines
    }
}

/// The usual network with `keys` over it; a key that is null is taken away.
pub fn usual(keys: &Value) -> Value {
    let mut conf = json!({
        "cniVersion": "1.1.0",
        "name": "net",
        "type": "bridge",
        "bridge": "br0",
        "isDefaultGateway": true,
        "ipam": ipam(),
    });
    for (key, value) in keys.as_object().unwrap() {
        if value.is_null() {
            conf.as_object_mut().unwrap().shift_remove(key);
        } else {
            conf[key] = value.clone();
        }
    }
    conf
}

pub fn ipam() -> Value {
    json!({"type": "host-local",
           "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]})
}

/// Prints what a tool says inside a namespace; it must succeed.
pub fn tool(netns: &Netns, words: &[&str]) -> String {
    let mut command = Command::new(words[0]);
    netns.enter(|| Answer::of(command.args(&words[1..]), "")).success()
}

/// Names of the interfaces in a namespace but for lo.
pub fn links(netns: &Netns) -> Vec<String> {
    let text = tool(netns, &["ip", "-j", "link"]);
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let names = all.iter().map(|link| link["ifname"].as_str().unwrap().to_owned());
    names.filter(|name| name != "lo").collect()
}

/// The addresses that are given out, in all networks: `net/10.1.0.2`.
pub fn leases() -> Vec<String> {
    let mut all = Vec::new();
    let networks = fs::read_dir("/var/lib/cni/networks").into_iter().flatten();
    for network in networks.map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&network).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(|first: char| first.is_ascii_hexdigit()) {
                all.push(format!("{}/{name}", network.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    all.sort();
    all
}

/// Where a plugin of that name is.
pub fn plugin(name: &str) -> PathBuf {
    Path::new(PLUGINS).join(name)
}

/// A result without what is drawn at random: MAC addresses and the name of the host's end.
pub fn plain(mut result: Value) -> Value {
    for interface in result["interfaces"].as_array_mut().into_iter().flatten() {
        if interface["name"].as_str().unwrap().starts_with("veth") {
            interface["name"] = "veth".into();
        }
        interface["mac"] = "mac".into();
    }
    result
}

//! What is in the kernel and on disk, as lines that can be compared.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::Netns;

use super::names::Names;
use super::world::World;

/// The keys of a link that say something in every run.
const LINK: [&str; 7] =
    ["mtu", "operstate", "master", "group", "txqlen", "num_tx_queues", "link_type"];
const ADDRESS: [&str; 10] = [
    "prefixlen",
    "broadcast",
    "scope",
    "label",
    "dynamic",
    "nodad",
    "dadfailed",
    "noprefixroute",
    "temporary",
    "metric",
];
const SYSCTLS: [&str; 9] = [
    "ipv6/conf/IF/accept_ra",
    "ipv6/conf/IF/accept_dad",
    "ipv6/conf/IF/enhanced_dad",
    "ipv6/conf/IF/disable_ipv6",
    "ipv6/conf/IF/keep_addr_on_down",
    "ipv6/conf/IF/forwarding",
    "ipv4/conf/IF/arp_notify",
    "ipv4/conf/IF/forwarding",
    "ipv4/conf/IF/route_localnet",
];
/// Where a configuration may put its leases.
const DIRECTORIES: [&str; 2] = ["/var/lib/cni", "/run/leases"];

/// Whether the links are coming up: a bridge without carrier is not waited for otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Expected,
    Unknown,
}

/// Everything that the plugins may touch, when it has come to rest.
pub fn snapshot(world: &World, names: &mut Names, carrier: Carrier) -> Vec<String> {
    let begin = Instant::now();
    let mut last = raw(world);
    loop {
        thread::sleep(Duration::from_millis(60));
        let now = raw(world);
        let is_settling = now.iter().any(|line| {
            line.contains(" tentative") || carrier == Carrier::Expected && line.contains("linkdown")
        });
        if (now == last && !is_settling) || begin.elapsed() > Duration::from_secs(3) {
            return now.iter().map(|line| names.clean(line)).collect();
        }
        last = now;
    }
}

fn raw(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    let named = world.containers.iter().filter(|netns| netns.path().exists());
    for netns in [&world.host].into_iter().chain(named) {
        network(netns, &mut lines);
    }
    for directory in DIRECTORIES {
        files(Path::new(directory), &mut lines);
    }
    lines
}

/// `ip -j WORDS` inside `netns`; an array.
pub fn ip_json(netns: &Netns, words: &[&str]) -> Vec<Value> {
    let output = netns.enter(|| Command::new("ip").arg("-j").args(words).output().expect("ip"));
    let text = String::from_utf8_lossy(&output.stdout);
    match serde_json::from_str(&text) {
        Ok(Value::Array(all)) => {
            all.into_iter().filter(|one| one != &serde_json::json!({})).collect()
        }
        // Nothing to list is nothing printed.
        _ if text.trim().is_empty() => Vec::new(),
        other => panic!("ip -j {words:?}: {other:?}"),
    }
}

fn network(netns: &Netns, lines: &mut Vec<String>) {
    let place = netns.name();
    let links = ip_json(netns, &["-d", "addr", "show"]);
    let ports: Vec<&Value> =
        links.iter().filter(|l| !l["master"].is_null()).map(|l| &l["address"]).collect();
    let mut named = vec!["all".to_owned(), "default".to_owned()];
    for link in &links {
        let name = word(&link["ifname"]);
        link_lines(&format!("{place}: link {name}"), link, &ports, lines);
        for address in link["addr_info"].as_array().into_iter().flatten() {
            address_line(&format!("{place}: address of {name}:"), address, lines);
        }
        named.push(name);
    }
    for family in ["-4", "-6"] {
        let mut routes: Vec<String> = ip_json(netns, &[family, "route", "show", "table", "all"])
            .iter()
            .map(|route| format!("{place}: route {family} {route}"))
            .collect();
        routes.sort();
        lines.extend(routes);
    }
    lines.extend(sysctls(netns, &named));
}

fn sysctls(netns: &Netns, links: &[String]) -> Vec<String> {
    netns.enter(|| {
        let mut lines = Vec::new();
        for link in links {
            for key in SYSCTLS {
                let key = key.replace("IF", link);
                let value = fs::read_to_string(format!("/proc/sys/net/{key}")).unwrap_or_default();
                lines.push(format!("{}: sysctl {key} = {}", netns.name(), value.trim()));
            }
        }
        let forward = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").expect("ip_forward");
        lines.push(format!("{}: sysctl ipv4/ip_forward = {}", netns.name(), forward.trim()));
        lines
    })
}

fn link_lines(what: &str, link: &Value, ports: &[&Value], lines: &mut Vec<String>) {
    for key in LINK {
        if !link[key].is_null() {
            lines.push(format!("{what} {key} {}", word(&link[key])));
        }
    }
    let mut flags: Vec<String> = link["flags"].as_array().into_iter().flatten().map(word).collect();
    flags.sort();
    lines.push(format!("{what} flags {}", flags.join(" ")));
    lines.push(format!("{what} promiscuity {}", word(&link["promiscuity"])));
    let info = &link["linkinfo"];
    let kind = word(&info["info_kind"]);
    lines.push(format!("{what} kind {kind}"));
    // Which of its ports' addresses a bridge takes is random, since the addresses are.
    let is_a_ports = kind == "bridge" && ports.contains(&&link["address"]);
    let mac = if is_a_ports { "of a port".to_owned() } else { word(&link["address"]) };
    lines.push(format!("{what} mac {mac}"));
    for part in ["info_data", "info_slave_data"] {
        for (key, value) in info[part].as_object().into_iter().flatten() {
            if !is_passing(key) {
                lines.push(format!("{what} {part} {key} {value}"));
            }
        }
    }
}

/// Times, counters, and what follows from random MAC addresses or from the order of ports.
fn is_passing(key: &str) -> bool {
    let passing =
        ["timer", "bridge_id", "root_id", "root_port", "root_path", "topology", "designated"];
    passing.iter().any(|part| key.contains(part)) || ["id", "no", "state"].contains(&key)
}

fn address_line(what: &str, address: &Value, lines: &mut Vec<String>) {
    let mut line = format!("{what} {}", word(&address["local"]));
    for key in ADDRESS {
        if !address[key].is_null() {
            line.push_str(&format!(" {key} {}", word(&address[key])));
        }
    }
    if address["tentative"] == true {
        line.push_str(" tentative");
    }
    let is_forever = address["valid_life_time"] == 4_294_967_295_u64;
    line.push_str(if is_forever { " forever" } else { " for a time" });
    lines.push(line);
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What host-local has in its address files once more, to save reading them: no state of its own.
const INDEX: &str = ".portcullis.index";

/// All files below, with mode and content.
fn files(directory: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| !path.ends_with(INDEX)) {
        let mode = fs::symlink_metadata(&path).expect("metadata").permissions().mode() & 0o7777;
        if path.is_dir() {
            lines.push(format!("disk: {}/ mode {mode:o}", path.display()));
            files(&path, lines);
        } else {
            let text = fs::read_to_string(&path).unwrap_or_default();
            lines.push(format!("disk: {} mode {mode:o}", path.display()));
            lines.push(format!("disk: {} holds {text:?}", path.display()));
        }
    }
}

//! `loopback` as a process, beside Debian's: what it says, and what becomes of the interface.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::call::Answer;
use crate::lab::{CniCall, Netns, isolate, run};

/// Which program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Ours,
    /// Debian's containernetworking-plugins, 1.1.1.
    Debians,
}

/// A host whose thread this is, and a container.
struct Host {
    container: Netns,
}

impl Host {
    fn new() -> Host {
        isolate();
        Netns::add("host").join();
        Host { container: Netns::add("container") }
    }

    fn call(&self, program: Program, command: &str, conf: &Value) -> Answer {
        call(program, command, &self.container.path().to_string_lossy(), conf)
    }

    /// `UP` or `DOWN`, and the addresses.
    fn lo(&self) -> (&'static str, Vec<String>) {
        let output = self.container.enter(|| run(Command::new("ip").args(["-json", "addr"]), ""));
        let links: Value = serde_json::from_slice(&output.stdout).unwrap();
        let flags = links[0]["flags"].as_array().unwrap();
        let state = if flags.contains(&"UP".into()) { "UP" } else { "DOWN" };
        let addresses = links[0]["addr_info"].as_array().unwrap().iter();
        (state, addresses.map(|one| one["local"].as_str().unwrap().to_owned()).collect())
    }
}

fn call(program: Program, command: &str, netns: &str, conf: &Value) -> Answer {
    let mut process = match program {
        Program::Ours => Command::new(env!("CARGO_BIN_EXE_portcullis")),
        Program::Debians => Command::new("/usr/lib/cni/loopback"),
    };
    process.arg0("/opt/cni/bin/loopback");
    CniCall::new(command, "id", Path::new(netns)).set_on(&mut process);
    Answer::of(&mut process, &conf.to_string())
}

fn conf(version: &str) -> Value {
    json!({"cniVersion": version, "name": "net", "type": "loopback"})
}

fn with_prev_result(mut conf: Value) -> Value {
    conf["prevResult"] = json!({
        "cniVersion": conf["cniVersion"],
        "interfaces": [{"name": "eth0", "mac": "02:00:00:00:00:03", "sandbox": "/run/netns/container"}],
        "ips": [{"version": "4", "interface": 0, "address": "10.88.0.2/16"}],
        "dns": {"domain": "example.org"},
    });
    conf
}

/// Of no name resolution the reference library says nothing or `{}`, by its version.
fn parsed(answer: Answer) -> Value {
    let mut result: Value = serde_json::from_str(&answer.success()).unwrap();
    if result["dns"] == json!({}) {
        result.as_object_mut().unwrap().remove("dns");
    }
    result
}

#[test]
fn add_when_the_container_is_new_then_lo_is_up_and_the_result_is_debians() {
    let host = Host::new();
    for conf in [conf("1.0.0"), with_prev_result(conf("1.0.0")), with_prev_result(conf("0.4.0"))] {
        let debians = parsed(host.call(Program::Debians, "ADD", &conf));
        host.call(Program::Debians, "DEL", &conf).success();
        assert_eq!(host.lo().0, "DOWN");
        let ours = parsed(host.call(Program::Ours, "ADD", &conf));
        assert_eq!(ours, debians, "{conf}");
        assert_eq!(host.lo(), ("UP", vec!["127.0.0.1".to_owned(), "::1".to_owned()]));
    }
}

#[test]
fn add_when_the_version_is_old_then_the_result_has_its_shape() {
    let host = Host::new();
    let result = parsed(host.call(Program::Ours, "ADD", &conf("0.2.0")));
    let expected = json!({
        "cniVersion": "0.2.0", "ip4": {"ip": "127.0.0.1/8"}, "ip6": {"ip": "::1/128"},
    });
    assert_eq!(result, expected);
    let result = parsed(host.call(Program::Ours, "ADD", &conf("0.4.0")));
    assert_eq!(result["ips"][1], json!({"version": "6", "interface": 0, "address": "::1/128"}));
}

#[test]
fn add_when_lo_has_an_address_of_the_network_then_it_is_refused_as_debians_does() {
    let host = Host::new();
    host.container.ip("address add 10.1.1.1/32 dev lo");
    let msg = "loopback interface found with non-loopback address \"10.1.1.1\"";
    assert_eq!(host.call(Program::Debians, "ADD", &conf("1.0.0")).error(), (999, msg.to_owned()));
    assert_eq!(host.call(Program::Ours, "ADD", &conf("1.0.0")).error(), (101, msg.to_owned()));
}

#[test]
fn add_when_repeated_then_the_answer_is_the_same() {
    let host = Host::new();
    let first = host.call(Program::Ours, "ADD", &conf("1.1.0")).success();
    assert_eq!(host.call(Program::Ours, "ADD", &conf("1.1.0")).success(), first);
}

#[test]
fn add_when_the_netns_is_none_or_ones_own_then_code_8_and_nothing_is_done() {
    let host = Host::new();
    for netns in ["/run/netns/gone", "/etc/passwd", "/proc/self/ns/net", "/run/netns/host"] {
        let (code, msg) = call(Program::Ours, "ADD", netns, &conf("1.0.0")).error();
        assert_eq!(code, 8, "{netns}: {msg}");
    }
    assert_eq!(host.lo().0, "DOWN");
}

#[test]
fn check_when_lo_is_up_then_success_and_when_down_then_says_so() {
    let host = Host::new();
    let conf = conf("1.0.0");
    let msg = "loopback interface is down".to_owned();
    assert_eq!(host.call(Program::Debians, "CHECK", &conf).error(), (999, msg.clone()));
    assert_eq!(host.call(Program::Ours, "CHECK", &conf).error(), (105, msg));
    host.container.ip("link set lo up");
    assert_eq!(host.call(Program::Debians, "CHECK", &conf).success(), "");
    assert_eq!(host.call(Program::Ours, "CHECK", &conf).success(), "");
    assert_eq!(host.call(Program::Ours, "CHECK", &with_prev_result(conf)).success(), "");
}

#[test]
fn del_when_lo_is_up_then_it_is_down_and_again_is_no_error() {
    let host = Host::new();
    host.container.ip("link set lo up");
    for _ in 0..2 {
        assert_eq!(host.call(Program::Ours, "DEL", &conf("1.0.0")).success(), "");
        assert_eq!(host.lo().0, "DOWN");
    }
}

#[test]
fn del_when_the_netns_is_gone_or_unknown_then_success() {
    let _host = Host::new();
    for netns in ["/run/netns/gone", ""] {
        for program in [Program::Debians, Program::Ours] {
            assert_eq!(call(program, "DEL", netns, &conf("1.0.0")).success(), "", "{netns:?}");
        }
    }
}

#[test]
fn del_when_the_netns_is_ones_own_then_its_lo_stays_up() {
    let _host = Host::new();
    run(Command::new("ip").args(["link", "set", "lo", "up"]), "");
    let (code, _) = call(Program::Ours, "DEL", "/run/netns/host", &conf("1.0.0")).error();
    assert_eq!(code, 8);
    let output = run(Command::new("ip").args(["-json", "link", "show", "lo"]), "");
    let link: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(link[0]["flags"].as_array().unwrap().contains(&"UP".into()), "{link}");
}

#[test]
fn gc_and_status_when_asked_then_there_is_nothing_to_say() {
    let host = Host::new();
    let mut conf = conf("1.1.0");
    conf["cni.dev/valid-attachments"] = json!([]);
    for command in ["GC", "STATUS"] {
        assert_eq!(host.call(Program::Ours, command, &conf).success(), "", "{command}");
    }
    let version = host.call(Program::Ours, "VERSION", &conf).success();
    let version: Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["cniVersion"], "1.1.0");
    assert_eq!(version["supportedVersions"].as_array().unwrap().len(), 7);
}

#[test]
fn prev_result_when_it_cannot_be_read_then_lo_stays_down() {
    let host = Host::new();
    let mut conf = conf("1.0.0");
    conf["prevResult"] = json!({"cniVersion": "0.3.1"});
    let (code, msg) = host.call(Program::Ours, "ADD", &conf).error();
    assert_eq!(code, 6);
    assert!(msg.contains("unmarshalled CNIVersion is \"0.3.1\""), "{msg}");
    assert_eq!(host.lo().0, "DOWN");
}

//! `externalSetMarkChain`: somebody else's chain sets the mark, somebody else masquerades.

use std::process::Command;

use serde_json::Value;

use super::call::{Answer, Call};
use super::host::Host;
use crate::lab::{Lab, Subject};

const CHAIN: &str = "KUBE-MARK-MASQ";

/// What kube-proxy makes; `program` is iptables or ip6tables.
fn mark_chain(host: &Host, program: &str, rules: &[&[&str]]) {
    host.tool(program, &["-t", "nat", "-N", CHAIN]);
    for rule in rules {
        host.tool(program, &[&["-t", "nat", "-A", CHAIN][..], rule].concat());
    }
}

const SET_0X4000: &[&str] = &["-j", "MARK", "--set-xmark", "0x4000/0x4000"];

fn external(call: Call) -> Call {
    call.with(|conf| conf["externalSetMarkChain"] = CHAIN.into())
}

fn ours(host: &Host) -> String {
    host.tool("nft", &["list", "table", "inet", "portcullis"])
}

#[test]
fn external_chain_when_it_sets_a_mark_then_ours_sets_the_same_and_masquerades_nothing() {
    let host = Host::new();
    for program in ["iptables", "ip6tables"] {
        mark_chain(&host, program, &[SET_0X4000]);
    }
    let foreign = host.netns.ruleset();
    let add = external(host.add());
    host.run(&add).success();
    let ours = ours(&host);
    assert!(ours.contains("meta mark set meta mark | 0x00004000"), "{ours}");
    assert!(!ours.contains("0x00004000 == 0x00004000 masquerade"), "{ours}");
    host.run(&add.command("CHECK")).success();
    host.run(&add.command("DEL")).success();
    assert!(host.netns.ruleset().starts_with(&foreign));
    assert!(host.listed().is_empty());
}

/// prevResults of other plugins have no interfaces, or an interface whose index is left out.
#[test]
fn external_chain_when_addresses_name_no_interface_then_is_read_as_well() {
    let host = Host::new();
    for program in ["iptables", "ip6tables"] {
        mark_chain(&host, program, &[SET_0X4000]);
    }
    host.run(&external(host.add()).with(|conf| {
        for ip in conf["prevResult"]["ips"].as_array_mut().unwrap() {
            ip.as_object_mut().unwrap().remove("interface");
        }
    }))
    .success();
    let ours = ours(&host);
    assert!(ours.contains("meta mark set meta mark | 0x00004000"), "{ours}");
}

#[test]
fn external_chain_when_missing_then_chain_and_table_are_named() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for program in ["iptables", "ip6tables"] {
        let (code, text) = host.run(&external(host.add())).error();
        assert_eq!(code, 7, "{text}");
        let table = if program == "iptables" { "ip nat" } else { "ip6 nat" };
        assert!(text.contains(CHAIN) && text.contains(table), "{program}: {text}");
        if program == "iptables" {
            assert_eq!(host.ruleset(), before);
        }
        mark_chain(&host, program, &[SET_0X4000]);
    }
    host.run(&external(host.add())).success();
}

/// A container without IPv6 does not need the IPv6 chain.
#[test]
fn external_chain_when_only_in_the_family_of_the_container_then_is_enough() {
    let host = Host::new();
    mark_chain(&host, "iptables", &[SET_0X4000]);
    host.run(&external(host.add()).with(|conf| {
        conf["prevResult"]["ips"].as_array_mut().unwrap().truncate(1);
    }))
    .success();
    assert!(ours(&host).contains("meta mark set meta mark | 0x00004000"));
}

#[test]
fn external_chain_when_it_does_not_just_set_bits_then_is_refused() {
    let wrong: [&[&[&str]]; 5] = [
        &[],
        &[&["-j", "ACCEPT"]],
        &[SET_0X4000, SET_0X4000],
        &[&["-p", "tcp", "-j", "MARK", "--set-xmark", "0x4000/0x4000"]],
        &[&["-j", "MARK", "--set-xmark", "0x4000/0xffffffff"]],
    ];
    for rules in wrong {
        let host = Host::new();
        mark_chain(&host, "iptables", rules);
        mark_chain(&host, "ip6tables", &[SET_0X4000]);
        let before = host.ruleset();
        let (code, text) = host.run(&external(host.add())).error();
        assert_eq!(code, 7, "{rules:?}: {text}");
        assert!(text.contains(CHAIN) && text.contains("ip nat"), "{rules:?}: {text}");
        assert_eq!(host.ruleset(), before);
    }
}

#[test]
fn external_chains_when_of_different_marks_then_both_are_named() {
    let host = Host::new();
    mark_chain(&host, "iptables", &[SET_0X4000]);
    mark_chain(&host, "ip6tables", &[&["-j", "MARK", "--set-xmark", "0x8000/0x8000"]]);
    let (code, text) = host.run(&external(host.add())).error();
    assert_eq!(code, 7, "{text}");
    assert!(text.contains("0x4000") && text.contains("0x8000"), "{text}");
}

/// The chain is gone at DEL, or was never there: that must not keep ports published.
#[test]
fn external_chain_when_gone_at_del_then_ports_are_removed() {
    let host = Host::new();
    for program in ["iptables", "ip6tables"] {
        mark_chain(&host, program, &[SET_0X4000]);
    }
    let add = external(host.add());
    host.run(&add).success();
    for program in ["iptables", "ip6tables"] {
        host.tool(program, &["-t", "nat", "-F", CHAIN]);
        host.tool(program, &["-t", "nat", "-X", CHAIN]);
    }
    host.run(&add.command("DEL")).success();
    assert!(!ours(&host).contains("id-container"));
}

/// kube-proxy's whole arrangement: its rule masquerades what has the mark.
#[test]
fn hairpin_when_external_owner_masquerades_then_answers_and_else_not() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let iptables = |rule: &str| {
        let words = rule.split(' ').filter(|word| !word.is_empty());
        lab.host.enter(|| Answer::of(Command::new("iptables").args(words), "")).success();
    };
    iptables("-t nat -N KUBE-MARK-MASQ");
    iptables("-t nat -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000");
    let v4_only = |conf: &mut Value| {
        conf["prevResult"]["ips"].as_array_mut().unwrap().truncate(1);
    };
    let add = external(Call::new("ADD", &lab.container, 2).tcp(8080, 80)).with(v4_only);
    lab.host.enter(|| add.run(subject.binary())).success();
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
        ("container tcp 192.0.2.1:8080", "silent"),
    ]);
    iptables("-t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE");
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
        ("container tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
        ("sibling tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
    ]);
}

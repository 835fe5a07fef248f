//! `ingressPolicy`: who may send to whom, across two bridges and on one.

use std::process::Command;

use serde_json::{Value, json};

use crate::in_a_lab;
use crate::lab::Lab;
use crate::plugin::{
    CONTAINER, Container, Maker, OTHER, SIBLING, add, ask, call, conf, del, second_bridge,
};

fn policy(name: &str) -> Value {
    json!({"ingressPolicy": name})
}

/// Puts the containers under a policy and asks from bridge to bridge, on one bridge, and outside:
/// one line for each.
fn matrix(maker: Maker, first: &str, second: &str) -> Vec<String> {
    let mut lines = Vec::new();
    in_a_lab(|lab| {
        let (other, _echo) = second_bridge(lab);
        // Frames between two ports of a bridge pass the firewall.
        lab.bridge_netfilter("1");
        for (container, name) in [(&CONTAINER, first), (&SIBLING, first), (&OTHER, second)] {
            add(lab, maker, container, &policy(name));
        }
        let places = [(&lab.container, "container"), (&other, "other"), (&lab.outside, "outside")];
        for (netns, place) in places {
            let to = ["10.88.0.3:80", "[fd00:88::3]:80", "10.99.0.2:80", "198.51.100.7:8080"];
            for to in to.iter().filter(|to| place != "other" || !to.starts_with("10.99")) {
                let outcome = ask(netns, &format!("container tcp {to}"));
                lines.push(format!("{place} {to} {outcome}"));
            }
        }
    });
    lines
}

#[test]
fn matrix_when_same_bridge_then_bridges_are_apart_as_with_debians_plugin() {
    let ours = matrix(Maker::Portcullis, "same-bridge", "same-bridge");
    assert_eq!(
        ours,
        [
            "container 10.88.0.3:80 sibling sees 10.88.0.2",
            "container [fd00:88::3]:80 sibling sees fd00:88::2",
            "container 10.99.0.2:80 silent",
            "container 198.51.100.7:8080 remote sees 10.88.0.2",
            "other 10.88.0.3:80 silent",
            "other [fd00:88::3]:80 silent",
            "other 198.51.100.7:8080 remote sees 10.99.0.2",
            "outside 10.88.0.3:80 sibling sees 192.0.2.2",
            "outside [fd00:88::3]:80 sibling sees 2001:db8::2",
            "outside 10.99.0.2:80 other sees 192.0.2.2",
            "outside 198.51.100.7:8080 remote sees 192.0.2.2",
        ]
    );
    assert_eq!(ours, matrix(Maker::Debian, "same-bridge", "same-bridge"));
}

#[test]
fn matrix_when_one_network_is_open_then_nobody_is_apart_as_with_debians_plugin() {
    let ours = matrix(Maker::Portcullis, "same-bridge", "open");
    assert!(ours.iter().all(|line| !line.ends_with("silent")), "{ours:#?}");
    assert_eq!(ours, matrix(Maker::Debian, "same-bridge", "open"));
}

#[test]
fn matrix_when_isolated_then_containers_of_one_bridge_are_apart_too() {
    let ours = matrix(Maker::Portcullis, "isolated", "same-bridge");
    let silent: Vec<&String> = ours.iter().filter(|line| line.ends_with("silent")).collect();
    assert_eq!(
        silent,
        [
            "container 10.88.0.3:80 silent",
            "container [fd00:88::3]:80 silent",
            "container 10.99.0.2:80 silent",
            "other 10.88.0.3:80 silent",
            "other [fd00:88::3]:80 silent",
        ]
    );
}

/// The elements that stand for bridges.
fn bridges(lab: &Lab) -> String {
    let listing = lab.host.ruleset();
    let lines = listing.lines().filter(|line| line.contains("elements = { \"cni"));
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

fn add_ours(lab: &Lab, container: &Container, name: &str) {
    add(lab, Maker::Portcullis, container, &policy(name));
}

#[test]
fn bridge_when_several_containers_are_on_it_then_is_apart_until_the_last_goes() {
    in_a_lab(|lab| {
        add_ours(lab, &CONTAINER, "same-bridge");
        add_ours(lab, &SIBLING, "isolated");
        add_ours(lab, &SIBLING, "isolated");
        let elements = "elements = { \"cni0\" comment \"portcullis/firewall/bridge/cni0\" }\n\
                        elements = { \"cni0\" . \"cni0\" comment \"portcullis/firewall/bridge/cni0\" }";
        let closed =
            "elements = { \"cni0\" . \"cni0\" comment \"portcullis/firewall/closed/cni0\" }";
        assert_eq!(bridges(lab), format!("{elements}\n{closed}"));
        // Another policy at a repeated ADD.
        add_ours(lab, &SIBLING, "same-bridge");
        assert_eq!(bridges(lab), elements);
        del(lab, &CONTAINER);
        del(lab, &CONTAINER);
        assert_eq!(bridges(lab), elements);
        // The listing, loaded by nft, says as much.
        let listing = lab.host.ruleset();
        lab.host.nft("flush ruleset\n");
        lab.host.nft(&listing);
        assert_eq!(lab.host.ruleset(), listing);
        del(lab, &SIBLING);
        assert_eq!(bridges(lab), "");
        assert!(!lab.host.ruleset().contains("counter portcullis"), "{}", lab.host.ruleset());
    });
}

#[test]
fn container_when_gone_without_a_del_then_its_address_and_its_share_go_to_the_next() {
    in_a_lab(|lab| {
        add_ours(lab, &CONTAINER, "isolated");
        let same_address = Container { name: "sibling", ..CONTAINER };
        let conf = conf(&same_address, &policy("open"));
        let next = || call(lab, Maker::Portcullis, "firewall", "ADD", &same_address, &conf);
        let error = next().unwrap_err();
        assert_eq!(error["code"], 103, "{error}");
        let message = error["msg"].as_str().unwrap();
        assert!(message.contains("by container container (network cni0"), "{error}");
        // Its namespace goes, as at a crash of the machine's runtime.
        let words = ["netns", "del", "container"];
        let deleted = lab.host.enter(|| Command::new("ip").args(words).status()).unwrap();
        assert!(deleted.success());
        next().unwrap();
        assert_eq!(bridges(lab), "");
        let listing = lab.host.ruleset();
        assert!(!listing.contains("firewall/cni0/container"), "{listing}");
        assert!(listing.contains("0 elements for 1 container\""), "{listing}");
    });
}

#[test]
fn check_gc_and_status_when_called_then_tell_and_do_the_truth() {
    in_a_lab(|lab| {
        let ours = |command, container: &Container, conf: &Value| {
            call(lab, Maker::Portcullis, "firewall", command, container, conf)
        };
        let container = conf(&CONTAINER, &policy("same-bridge"));
        let missing = ours("CHECK", &CONTAINER, &container).unwrap_err();
        assert_eq!(missing["code"], 105, "{missing}");
        let plan = missing["details"].as_str().unwrap();
        assert!(plan.contains("add element inet portcullis forwarded4 { 10.88.0.2"), "{plan}");
        add_ours(lab, &CONTAINER, "same-bridge");
        add_ours(lab, &SIBLING, "same-bridge");
        ours("CHECK", &CONTAINER, &container).unwrap();
        crate::plugin::drop_forwarded(lab);
        let shut = ours("CHECK", &CONTAINER, &container).unwrap_err();
        assert!(shut["details"].as_str().unwrap().contains("insert rule ip filter FORWARD"));
        add_ours(lab, &CONTAINER, "same-bridge");
        crate::plugin::tool(lab, "iptables-nft -I FORWARD -d 203.0.113.1 -j DROP");
        ours("CHECK", &CONTAINER, &container).unwrap();
        let gc = |valid: Value| {
            json!({"cniVersion": "1.1.0", "name": "cni0", "type": "firewall",
                   "cni.dev/valid-attachments": valid})
        };
        let sibling = json!([{"containerID": "sibling", "ifname": "eth0"}]);
        ours("GC", &CONTAINER, &gc(sibling)).unwrap();
        assert_eq!(ours("CHECK", &CONTAINER, &container).unwrap_err()["code"], 105);
        ours("CHECK", &SIBLING, &conf(&SIBLING, &policy("same-bridge"))).unwrap();
        assert!(bridges(lab).contains("cni0"));
        ours("GC", &CONTAINER, &gc(json!([]))).unwrap();
        let left = lab.host.ruleset();
        assert!(!left.contains("cni0") && !left.contains("accepted"), "{left}");
        let versions = ours("VERSION", &CONTAINER, &json!({})).unwrap();
        let versions: Value = serde_json::from_str(&versions).unwrap();
        assert_eq!(versions["supportedVersions"], json!(["0.4.0", "1.0.0", "1.1.0"]));
        ours("STATUS", &CONTAINER, &gc(json!([]))).unwrap();
    });
}

#[test]
fn configuration_when_wrong_then_is_refused_in_the_words_that_runtimes_know() {
    in_a_lab(|lab| {
        let refused = |command, conf: &Value| {
            let error = call(lab, Maker::Portcullis, "firewall", command, &CONTAINER, conf);
            error.unwrap_err()["msg"].as_str().unwrap().to_owned()
        };
        let unknown = conf(&CONTAINER, &policy("foo"));
        assert_eq!(refused("ADD", &unknown), "unknown ingress policy: \"foo\"");
        assert_eq!(refused("DEL", &unknown), "unknown ingress policy: \"foo\"");
        let mut alone = conf(&CONTAINER, &json!({}));
        alone.as_object_mut().unwrap().remove("prevResult");
        assert_eq!(refused("ADD", &alone), "missing prevResult from earlier plugin");
        assert_eq!(refused("CHECK", &alone), "missing prevResult from earlier plugin");
        let mut unbridged = conf(&CONTAINER, &policy("same-bridge"));
        unbridged["prevResult"]["interfaces"] = json!([]);
        unbridged["prevResult"]["ips"] = json!([{"address": "10.88.0.2/16"}]);
        assert_eq!(
            refused("ADD", &unbridged),
            "interface needs to be set for ingress policy \"same-bridge\", make sure to chain \
             \"firewall\" plugin with \"bridge\""
        );
        let any_backend = conf(&CONTAINER, &json!({"backend": "whatever"}));
        call(lab, Maker::Portcullis, "firewall", "ADD", &CONTAINER, &any_backend).unwrap();
    });
}

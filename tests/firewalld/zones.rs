//! Addresses of containers in firewalld's zones.

use serde_json::{Value, json};

use crate::in_a_lab;
use crate::lab::{Echo, Lab};
use crate::plugin::{CONTAINER, Maker, SIBLING, add, call, conf, del};
use crate::service::{bus, cmd, firewalld, sources};

/// Both addresses of the laboratory's first container.
pub const BOTH: [&str; 2] = ["10.88.0.2/32", "fd00:88::2/128"];
/// What a container may do that firewalld trusts.
pub const TRUSTED: [(&str, &str); 4] = [
    ("container udp 10.88.0.1:53", "host sees 10.88.0.2"),
    ("container tcp [fd00:88::1]:53", "host sees fd00:88::2"),
    ("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2"),
    ("container tcp [2001:db8:1::7]:8080", "remote sees fd00:88::2"),
];
/// The same container in the zone public. ICMP says "prohibited by an administrator", which a TCP
/// client hears as "no route".
pub const REJECTED: [(&str, &str); 4] = [
    ("container udp 10.88.0.1:53", "silent"),
    ("container tcp [fd00:88::1]:53", "silent"),
    ("container tcp 198.51.100.7:8080", "silent"),
    ("container tcp [2001:db8:1::7]:8080", "silent"),
];

/// A plugin's call for the first container, with these keys.
pub fn call_with(lab: &Lab, command: &str, keys: &Value) -> Result<String, Value> {
    call(lab, Maker::Portcullis, "firewall", command, &CONTAINER, &conf(&CONTAINER, keys))
}

#[test]
fn container_when_added_then_firewalld_trusts_it_until_it_goes() {
    in_a_lab(|lab| {
        let _echo = Echo::serve(&lab.host, 53);
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        lab.expect(&REJECTED);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        assert_eq!(sources(lab, "trusted"), BOTH);
        lab.expect(&TRUSTED);
        lab.expect(&[("sibling udp 10.88.0.1:53", "silent")]);
        let listing = lab.host.ruleset();
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        assert_eq!(lab.host.ruleset(), listing);
        call_with(lab, "CHECK", &json!({})).unwrap();
        // Without configuration or addresses: the record knows.
        del(lab, &CONTAINER);
        assert_eq!(sources(lab, "trusted"), [""; 0]);
        lab.expect(&REJECTED);
        del(lab, &CONTAINER);
    });
}

#[test]
fn container_when_debians_plugin_adds_it_then_is_in_the_same_zone() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        add(lab, Maker::Debian, &CONTAINER, &json!({}));
        assert_eq!(sources(lab, "trusted"), BOTH);
        // What is there already is no obstacle.
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        assert_eq!(sources(lab, "trusted"), BOTH);
    });
}

#[test]
fn zone_when_named_is_used_and_a_new_one_replaces_it() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({"firewalldZone": "internal"}));
        assert_eq!(sources(lab, "internal"), BOTH);
        assert!(lab.host.ruleset().contains(" for open in zone internal, netns "));
        add(lab, Maker::Portcullis, &CONTAINER, &json!({"firewalldZone": "work"}));
        assert_eq!(sources(lab, "internal"), [""; 0]);
        assert_eq!(sources(lab, "work"), BOTH);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({"backend": "iptables"}));
        assert_eq!(sources(lab, "work"), [""; 0]);
    });
}

#[test]
fn zone_when_it_does_not_exist_then_add_fails_and_leaves_nothing() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        add(lab, Maker::Portcullis, &SIBLING, &json!({}));
        let before = lab.host.ruleset();
        let error = call_with(lab, "ADD", &json!({"firewalldZone": "nowhere"})).unwrap_err();
        assert_eq!(error["code"], 7);
        let text =
            "firewalld refused to add 10.88.0.2/32 to zone \"nowhere\": INVALID_ZONE: nowhere";
        assert_eq!(error["msg"], text);
        assert_eq!(lab.host.ruleset(), before);
    });
}

#[test]
fn address_when_in_another_zone_then_add_fails_and_leaves_it_there() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        cmd(lab, &["--zone=drop", "--add-source=fd00:88::2/128"]);
        let error = call_with(lab, "ADD", &json!({})).unwrap_err();
        assert_eq!(error["code"], 104);
        let text = error["msg"].as_str().unwrap();
        assert!(text.contains("fd00:88::2/128 to zone \"trusted\": ZONE_CONFLICT"), "{text}");
        assert_eq!(sources(lab, "trusted"), [""; 0]);
        assert_eq!(sources(lab, "drop"), ["fd00:88::2/128"]);
        let listing = lab.host.ruleset();
        assert!(!listing.contains("firewall/cni0/container"), "{listing}");
    });
}

#[test]
fn containers_when_collected_then_leave_their_zone() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let _firewalld = firewalld(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({"ingressPolicy": "isolated"}));
        add(lab, Maker::Portcullis, &SIBLING, &json!({"ingressPolicy": "isolated"}));
        let valid = json!([{"containerID": "container", "ifname": "eth0"}]);
        let keys = json!({"cniVersion": "1.1.0", "cni.dev/valid-attachments": valid});
        call_with(lab, "GC", &keys).unwrap();
        assert_eq!(sources(lab, "trusted"), BOTH);
        del(lab, &CONTAINER);
        let listing = lab.host.ruleset();
        assert!(!listing.contains("portcullis/firewall/closed"), "{listing}");
    });
}

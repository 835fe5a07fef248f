//! The configuration of `bridge`: what is refused, with which words, and what a key does.

use serde_json::{Value, json};

use super::bridge_site::{Site, links, plain, tool};

/// Refused by each of its commands that needs a whole configuration, and nothing is done.
fn refused(site: &Site, keys: &Value, code: u64, text: &str) {
    let before = site.state();
    let error = site.run(&site.call("ADD", keys)).error();
    assert_eq!(error, (code, text.to_owned()), "{keys}");
    assert_eq!(site.state(), before, "{keys}");
    // What was never made can be deleted, whatever its configuration says.
    assert_eq!(site.run(&site.call("DEL", keys)).success(), "");
    assert_eq!(site.state(), before, "{keys}");
}

#[test]
fn configuration_when_it_makes_no_sense_then_is_refused_with_the_known_words() {
    let site = Site::new();
    let range = |min: i64, max: i64| json!({"vlanTrunk": [{"minID": min, "maxID": max}]});
    let together = "minID and maxID should be configured simultaneously";
    for (keys, text) in [
        (json!({"ipMasqBackend": "foo"}), "unknown ipmasq backend \"foo\""),
        (
            json!({"ipMasq": true, "ipMasqBackend": "ebtables"}),
            "unknown ipmasq backend \"ebtables\"",
        ),
        (
            json!({"disableContainerInterface": true}),
            "cannot use IPAM when DisableContainerInterface flag is set",
        ),
        (
            json!({"hairpinMode": true, "promiscMode": true}),
            "cannot set hairpin mode and promiscuous mode at the same time",
        ),
        (json!({"vlan": 5000}), "invalid VLAN ID 5000 (must be between 0 and 4094)"),
        (json!({"vlan": -1}), "invalid VLAN ID -1 (must be between 0 and 4094)"),
        (range(0, 5), "incorrect trunk minID parameter"),
        (range(5, 4095), "incorrect trunk maxID parameter"),
        (range(6, 5), "minID is greater than maxID in trunk parameter"),
        (json!({"vlanTrunk": [{"id": 4095}]}), "incorrect trunk id parameter"),
        (json!({"vlanTrunk": [{"id": 3}, {"id": -1}]}), "incorrect trunk id parameter"),
        (json!({"vlanTrunk": [{"minID": 3}]}), &format!("{together}, maxID is missing")),
        (json!({"vlanTrunk": [{"maxID": 3}]}), &format!("{together}, minID is missing")),
        (
            json!({"runtimeConfig": {"mac": "zz"}}),
            "failed to make veth pair: address zz: invalid MAC address",
        ),
    ] {
        refused(&site, &keys, 7, text);
    }
}

#[test]
fn vlans_when_the_kernel_has_none_then_its_option_is_named_and_nothing_is_left() {
    let site = Site::new();
    let works = site.netns.enter(|| {
        let words = ["link", "add", "try0", "type", "bridge", "vlan_filtering", "1"];
        let made = std::process::Command::new("ip").args(words).output().unwrap();
        made.status.success()
    });
    if works {
        site.netns.ip("link del try0\n");
    }
    for keys in
        [json!({"vlan": 100}), json!({"vlanTrunk": [{"id": 7}], "preserveDefaultVlan": false})]
    {
        let before = site.state();
        let answer = site.run(&site.call("ADD", &keys));
        if works {
            answer.success();
            let vlans = tool(&site.netns, &["bridge", "vlan", "show"]);
            assert!(["100", "7"].iter().any(|id| vlans.contains(id)), "{vlans}");
            site.run(&site.call("DEL", &keys)).success();
            site.netns.ip("link del br0\n");
            continue;
        }
        let (code, text) = answer.error();
        assert_eq!(code, 106, "{text}");
        assert!(text.contains("BRIDGE_VLAN_FILTERING"), "{text}");
        assert_eq!(site.state(), before, "{keys}");
    }
}

#[test]
fn back_ends_when_known_then_both_mean_the_same_rules() {
    let site = Site::new();
    let rules = ["iptables", "nftables", ""].map(|backend| {
        let call = site.call("ADD", &json!({"ipMasq": true, "ipMasqBackend": backend}));
        site.add(&call);
        let rules = site.netns.ruleset();
        assert!(rules.contains("masquerade"), "{rules}");
        site.run(&call.command("DEL")).success();
        std::fs::remove_dir_all("/var/lib/cni").unwrap();
        rules
    });
    assert_eq!(rules[0], rules[1]);
    assert_eq!(rules[1], rules[2]);
}

#[test]
fn disabled_interface_when_added_then_is_left_down_and_can_be_deleted() {
    let site = Site::new();
    let keys = json!({"disableContainerInterface": true, "ipam": null, "isDefaultGateway": null});
    let call = site.call("ADD", &keys);
    let result = site.add(&call);
    assert_eq!(plain(result.clone())["interfaces"][2]["name"], "eth0");
    assert!(result.get("ips").is_none(), "{result}");
    let state = tool(&site.container, &["ip", "-br", "link", "show", "eth0"]);
    assert!(state.contains("DOWN") && !state.contains(",UP"), "{state}");
    site.run(&call.command("CHECK").with(|conf| conf["prevResult"] = result.clone())).success();
    site.run(&call.command("DEL")).success();
    assert_eq!(links(&site.container), [""; 0]);
    assert_eq!(links(&site.netns).iter().filter(|name| name.starts_with("veth")).count(), 0);
}

/// The address that an ADD with these keys and arguments gives.
fn mac(site: &Site, keys: &Value, args: &str) -> String {
    let mut keys = keys.clone();
    keys["ipam"] = json!({});
    let call = site.call("ADD", &keys).set("CNI_ARGS", args);
    let result = site.add(&call);
    let there = tool(&site.container, &["cat", "/proc/net/dev"]);
    assert!(there.contains("eth0"), "{there}");
    site.run(&call.command("DEL")).success();
    result["interfaces"][2]["mac"].as_str().unwrap().to_owned()
}

#[test]
fn mac_when_given_in_several_places_then_the_runtime_comes_first() {
    let site = Site::new();
    let address = |last: u8| format!("02:00:00:00:01:{last:02x}");
    let runtime = json!({"mac": address(1)});
    let args = json!({"cni": {"mac": address(2)}});
    let cni_args = format!("IgnoreUnknown=1;K8S_POD_NAME=x;MAC={}", address(3));
    let all = json!({"runtimeConfig": runtime, "args": args});
    assert_eq!(mac(&site, &all, &cni_args), address(1));
    assert_eq!(mac(&site, &json!({"args": args}), &cni_args), address(2));
    assert_eq!(mac(&site, &json!({}), &cni_args), address(3));
    assert_eq!(mac(&site, &json!({"runtimeConfig": {"mac": ""}}), &cni_args), address(3));
}

#[test]
fn arguments_when_unknown_or_wrong_then_are_named() {
    let site = Site::new();
    let before = site.state();
    for (args, text) in [
        ("FOO=1", "ARGS: unknown args [\"FOO=1\"]"),
        ("IgnoreUnknown=0;FOO=1", "ARGS: unknown args [\"FOO=1\"]"),
        ("garbage", "ARGS: invalid pair \"garbage\""),
    ] {
        let call = site.call("ADD", &json!({})).set("CNI_ARGS", args);
        assert_eq!(site.run(&call).error(), (4, text.to_owned()), "{args}");
    }
    let call = site.call("ADD", &json!({})).set("CNI_ARGS", "IgnoreUnknown=1;MAC=02:00");
    let expected = (7, "failed to make veth pair: address 02:00: invalid MAC address".to_owned());
    assert_eq!(site.run(&call).error(), expected);
    assert_eq!(site.state(), before);
}

#[test]
fn dns_when_configured_then_replaces_the_address_managers() {
    let site = Site::new();
    std::fs::write("/run/resolv", "nameserver 192.0.2.9\nsearch inside\n").unwrap();
    let mut ipam = super::bridge_site::ipam();
    ipam["resolvConf"] = "/run/resolv".into();
    let theirs = site.call("ADD", &json!({"ipam": ipam}));
    let result = site.add(&theirs);
    assert_eq!(result["dns"], json!({"nameservers": ["192.0.2.9"], "search": ["inside"]}));
    site.run(&theirs.command("DEL")).success();
    let own = site.call("ADD", &json!({"ipam": ipam, "dns": {"domain": "lab"}}));
    assert_eq!(site.add(&own)["dns"], json!({"domain": "lab"}));
}

#[test]
fn result_when_of_any_version_then_has_its_shape() {
    let site = Site::new();
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let call = site.call("ADD", &json!({"cniVersion": version}));
        let result = site.add(&call);
        assert_eq!(result["cniVersion"], version);
        if version < "0.3" {
            assert!(result["ip4"]["ip"].as_str().unwrap().ends_with("/24"), "{result}");
            assert_eq!(result["ip4"]["gateway"], "10.1.0.1");
            assert_eq!(result["ip4"]["routes"], json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}]));
            assert_eq!(result["ip6"]["gateway"], "fd00:1::1");
        } else {
            assert_eq!(result["interfaces"].as_array().unwrap().len(), 3, "{result}");
            assert_eq!(result["ips"][0]["interface"], 2);
            let family = &result["ips"][1]["version"];
            assert_eq!(family, &if version < "1" { json!("6") } else { Value::Null });
            let mtu = &result["interfaces"][2]["mtu"];
            assert_eq!(mtu, &if version < "1" { Value::Null } else { json!(1500) });
        }
        site.run(&call.command("DEL").with(|conf| conf["prevResult"] = result)).success();
    }
}

/// Before 0.3.0 a result has nothing but addresses: a network without an address manager has none,
/// which the reference library reports as a failure when all is made. Here it is a success, as in
/// every other version; the reader finds neither `ip4` nor `ip6`.
#[test]
fn result_when_there_are_no_addresses_then_is_one_in_every_version() {
    let site = Site::new();
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let call = site.call("ADD", &json!({"cniVersion": version, "ipam": null}));
        let result = site.add(&call);
        let keys: Vec<&String> = result.as_object().unwrap().keys().collect();
        match version {
            "0.1.0" | "0.2.0" => assert_eq!(keys, ["cniVersion", "dns"]),
            "1.0.0" | "1.1.0" => assert_eq!(keys, ["cniVersion", "interfaces"]),
            _ => assert_eq!(keys, ["cniVersion", "interfaces", "dns"]),
        }
        site.run(&call.command("DEL").with(|conf| conf["prevResult"] = result)).success();
    }
}

//! CHECK of `bridge`: each difference, made one by one on a system that was right before.

use serde_json::{Value, json};

use super::bridge_site::{Site, tool};
use super::call::Call;

/// What is spoilt, and where.
enum Spoil {
    Host(&'static str),
    Inside(&'static str),
    Nft(&'static str),
}

/// After an ADD with `keys` CHECK is content, and after `spoil` it is not. `{port}` is the host's
/// end, `{mac}` the address of the container's, `{bridge mac}` the bridge's.
fn differs(site: &Site, keys: &Value, spoil: &Spoil, text: &str) -> String {
    let add = site.call("ADD", keys);
    let result = site.add(&add);
    let check = add.command("CHECK").with(|conf| conf["prevResult"] = result.clone());
    assert_eq!(site.run(&check).success(), "", "{keys}");
    let word = |at: usize, key: &str| result["interfaces"][at][key].as_str().unwrap().to_owned();
    let fill = |text: &str| {
        let text = text.replace("{port}", &word(1, "name")).replace("{mac}", &word(2, "mac"));
        text.replace("{bridge mac}", &word(0, "mac"))
    };
    match spoil {
        Spoil::Host(commands) => site.netns.ip(&fill(commands)),
        Spoil::Inside(commands) => site.container.ip(commands),
        Spoil::Nft(commands) => site.netns.nft(commands),
    }
    let error = site.run(&check).error();
    let (msg, details) = error.1.split_once('\n').unwrap_or((&error.1, ""));
    assert_eq!((error.0, msg), (105, fill(text).as_str()), "{keys}");
    clean(site, &add, &result);
    details.to_owned()
}

fn clean(site: &Site, add: &Call, result: &Value) {
    site.run(&add.command("DEL").with(|conf| conf["prevResult"] = result.clone())).success();
    let bridges = tool(&site.netns, &["ip", "-br", "link"]);
    if bridges.lines().any(|line| line.starts_with("br0")) {
        site.netns.ip("link del br0\n");
    }
    std::fs::remove_dir_all("/var/lib/cni").unwrap();
}

#[test]
fn check_when_something_differs_then_names_it() {
    let site = Site::new();
    let plain = json!({});
    let routed = json!({"ipam": {"type": "host-local", "subnet": "10.1.0.0/24",
        "routes": [{"dst": "198.51.100.0/24", "gw": "10.1.0.9"}]}});
    for (keys, spoil, text) in [
        (
            &plain,
            Spoil::Host("link del br0\n"),
            "CNI created bridge br0 in host namespace was not found",
        ),
        (
            &plain,
            Spoil::Host("link del br0\nlink add br0 type veth peer name br0peer\n"),
            "Interface br0 is not a bridge",
        ),
        (
            &plain,
            Spoil::Host("link set br0 address 02:00:00:00:00:99\n"),
            "Bridge interface br0 Mac doesn't match: {bridge mac}",
        ),
        (&plain, Spoil::Inside("link del eth0\n"), "Interface name eth0 not found"),
        (&plain, Spoil::Inside("link set eth0 name other\n"), "Interface name eth0 not found"),
        (
            &plain,
            Spoil::Inside("link set eth0 address 02:00:00:00:00:99\n"),
            "Interface eth0 Mac {mac} doesn't match container Mac: 02:00:00:00:00:99",
        ),
        (
            &plain,
            Spoil::Host("link set {port} nomaster\n"),
            "CNI veth created for bridge br0 was not found",
        ),
        (
            &plain,
            Spoil::Inside("addr del 10.1.0.2/24 dev eth0\n"),
            "Failed to match addr 10.1.0.2/24 on interface eth0",
        ),
        (
            &plain,
            Spoil::Inside("addr del fd00:1::2/64 dev eth0\n"),
            "Failed to match addr fd00:1::2/64 on interface eth0",
        ),
        (
            &routed,
            Spoil::Inside("route del 198.51.100.0/24\n"),
            "Expected Route 198.51.100.0/24 via 10.1.0.9 not found in routing table",
        ),
        (
            &json!({"promiscMode": true}),
            Spoil::Host("link set br0 promisc off\n"),
            "Bridge interface br0 is not promiscuous",
        ),
        (
            &json!({"hairpinMode": true}),
            Spoil::Host("link set {port} type bridge_slave hairpin off\n"),
            "Bridge port {port} is not in hairpin mode",
        ),
        (
            &json!({"portIsolation": true}),
            Spoil::Host("link set {port} type bridge_slave isolated off\n"),
            "Bridge port {port} is not isolated",
        ),
    ] {
        assert_eq!(differs(&site, keys, &spoil, text), "", "{text}");
    }
}

#[test]
fn check_when_rules_are_missing_then_details_are_the_plan() {
    let site = Site::new();
    let keys = json!({"ipMasq": true, "macspoofchk": true});
    let text = "the rules of the container are not as they should be";
    let plan = differs(&site, &keys, &Spoil::Nft("flush ruleset\n"), text);
    assert!(plan.contains("10.1.0.2") && plan.contains("add "), "{plan}");
}

#[test]
fn check_when_a_lease_is_gone_or_a_result_missing_then_is_an_error() {
    let site = Site::new();
    let add = site.call("ADD", &json!({}));
    let result = site.add(&add);
    let check = add.command("CHECK");
    assert_eq!(site.run(&check).error(), (7, "Required prevResult missing".to_owned()));
    let check = check.with(|conf| conf["prevResult"] = result.clone());
    let without = |index: usize| {
        check.clone().with(|conf| {
            conf["prevResult"]["interfaces"].as_array_mut().unwrap().remove(index);
        })
    };
    for (index, part) in [(0, "br0"), (2, "eth0 in /run/netns/container")] {
        let (code, text) = site.run(&without(index)).error();
        assert_eq!(code, 6, "{text}");
        assert!(text.contains(part), "{text}");
    }
    std::fs::remove_file("/var/lib/cni/networks/net/10.1.0.2").unwrap();
    std::fs::remove_file("/var/lib/cni/networks/net/fd00:1::2").unwrap();
    let (code, text) = site.run(&check).error();
    assert_eq!(code, 105, "{text}");
    let expected = "host-local: Failed to find address added by container id-container";
    assert_eq!(text, expected);
    let (code, text) = site.run(&check.with(|conf| conf["cniVersion"] = "0.3.1".into())).error();
    assert_eq!((code, text.as_str()), (1, "config version does not allow CHECK"));
}

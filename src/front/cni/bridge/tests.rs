#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::BRIDGE;
use super::conf::{BridgeConf, bridge_name, ipam_type};
use crate::attachment::{Gateway, Reflection};
use crate::front::cni::call::Call;
use crate::front::cni::env::Environment;
use crate::front::cni::error::Error;
use crate::net::{IfName, VlanRange};

fn call(keys: &Value, args: &str) -> Call {
    let env = Environment::read(|name| {
        let value = match name {
            "CNI_COMMAND" => "ADD",
            "CNI_CONTAINERID" => "web",
            "CNI_NETNS" => "/run/netns/web",
            "CNI_IFNAME" => "eth0",
            "CNI_PATH" => "/opt/cni/bin",
            "CNI_ARGS" => args,
            _ => "",
        };
        value.to_owned()
    });
    let mut conf = json!({"cniVersion": "1.1.0", "name": "net"});
    for (key, value) in keys.as_object().into_iter().flatten() {
        conf[key] = value.clone();
    }
    Call::parse(&env, conf.to_string().as_bytes(), BRIDGE.versions).unwrap()
}

fn parse(keys: &Value) -> Result<BridgeConf, Error> {
    BridgeConf::parse(&call(keys, ""))
}

fn error(keys: &Value) -> (u32, String) {
    let error = parse(keys).unwrap_err();
    (error.code(), error.to_string())
}

fn mac(keys: &Value, args: &str) -> Option<String> {
    let conf = BridgeConf::parse(&call(keys, args)).unwrap();
    let link = conf.container_link(&IfName::new("eth0").unwrap());
    link.mac.map(|mac| mac.to_string())
}

#[test]
fn configuration_when_empty_then_is_a_plain_bridge() {
    for keys in [
        json!({}),
        json!({"bridge": "", "ipam": {}, "mtu": 0, "vlan": 0, "vlanTrunk": [], "dns": {}}),
        json!({"bridge": null, "ipam": null, "isGateway": null, "vlanTrunk": null, "args": null}),
        json!({"ipam": {"type": ""}, "ipMasqBackend": "", "hairpinMode": false}),
    ] {
        let conf = parse(&keys).unwrap();
        let network = &conf.network;
        assert_eq!(network.bridge.as_str(), "cni0", "{keys}");
        assert_eq!(network.mtu, None);
        assert_eq!(network.gateway, Gateway::None);
        assert_eq!(network.reflection, Reflection::None);
        assert!(!network.vlans.are_wanted() && network.vlans.preserve_default);
        assert!(!network.has_rules() && !network.left_down && !network.isolated);
        assert_eq!(conf.ipam, None);
        assert!(conf.dns.is_empty() && conf.prev_result.is_none());
    }
}

#[test]
fn keys_when_in_another_case_then_are_read() {
    let keys = json!({"BRIDGE": "br7", "IsDefaultGateway": true, "MTU": 1400, "ipmasq": true,
        "IPAM": {"Type": "host-local"}, "HairpinMode": true});
    let conf = parse(&keys).unwrap();
    assert_eq!(conf.network.bridge.as_str(), "br7");
    assert_eq!(conf.network.gateway, Gateway::DefaultRoute);
    assert_eq!(conf.network.mtu, Some(1400));
    assert_eq!(conf.network.reflection, Reflection::Hairpin);
    assert!(conf.network.masquerade);
    assert_eq!(conf.ipam.as_deref(), Some("host-local"));
}

#[test]
fn gateway_when_default_then_needs_no_other_key() {
    let gateway = |keys: Value| parse(&keys).unwrap().network.gateway;
    assert_eq!(gateway(json!({"isGateway": true})), Gateway::Address);
    assert_eq!(gateway(json!({"isDefaultGateway": true})), Gateway::DefaultRoute);
    assert_eq!(gateway(json!({"isGateway": false, "isDefaultGateway": true})), {
        Gateway::DefaultRoute
    });
}

#[test]
fn keys_when_of_the_wrong_type_or_out_of_range_then_are_named() {
    for (keys, part) in [
        (json!({"isGateway": "yes"}), "isGateway: expected true or false"),
        (json!({"mtu": "1500"}), "mtu: expected an integer"),
        (json!({"mtu": -1}), "mtu: "),
        (json!({"bridge": "a/b"}), "bridge: "),
        (json!({"bridge": "sixteencharacter"}), "bridge: "),
        (json!({"vlanTrunk": {}}), "vlanTrunk: expected a list"),
        (json!({"vlanTrunk": [5]}), "vlanTrunk[0]: expected an object"),
        (json!({"vlanTrunk": [{"id": "5"}]}), "vlanTrunk[0].id: expected an integer"),
        (json!({"ipam": []}), "ipam: expected an object"),
        (json!({"ipam": {"type": 5}}), "ipam.type: expected a string"),
        (json!({"runtimeConfig": {"mac": 5}}), "runtimeConfig.mac: expected a string"),
        (json!({"dns": {"nameservers": [5]}}), "dns.nameservers"),
    ] {
        let (code, text) = error(&keys);
        assert_eq!(code, 7, "{keys}: {text}");
        assert!(text.contains(part), "{keys}: {text}");
    }
}

#[test]
fn trunk_when_ranges_and_single_vlans_then_both_are_taken() {
    let keys = json!({"vlan": 5, "preserveDefaultVlan": false,
        "vlanTrunk": [{"minID": 10, "maxID": 20}, {"id": 30}, {"minID": 40, "maxID": 40, "id": 50}, {}]});
    let vlans = parse(&keys).unwrap().network.vlans;
    assert_eq!(vlans.native.map(|id| id.number()), Some(5));
    assert!(!vlans.preserve_default);
    let numbers = |range: &VlanRange| (range.first().number(), range.last().number());
    let trunk: Vec<_> = vlans.trunk.iter().map(numbers).collect();
    assert_eq!(trunk, [(10, 20), (30, 30), (40, 40), (50, 50)]);
}

#[test]
fn mac_when_asked_for_in_several_places_then_the_runtimes_is_taken() {
    let runtime = json!({"runtimeConfig": {"mac": "02:00:00:00:00:01"},
        "args": {"cni": {"mac": "02:00:00:00:00:02"}}});
    let args = json!({"args": {"cni": {"mac": "02:00:00:00:00:02"}}});
    let cni_args = "IgnoreUnknown=1;X=y;MAC=02:00:00:00:00:03";
    assert_eq!(mac(&runtime, cni_args).as_deref(), Some("02:00:00:00:00:01"));
    assert_eq!(mac(&args, cni_args).as_deref(), Some("02:00:00:00:00:02"));
    assert_eq!(mac(&json!({}), cni_args).as_deref(), Some("02:00:00:00:00:03"));
    assert_eq!(mac(&json!({}), "IgnoreUnknown=1;mac=02:00:00:00:00:03"), None);
    assert_eq!(mac(&json!({"args": {"cni": {"mac": ""}}}), ""), None);
}

#[test]
fn names_when_the_rest_makes_no_sense_then_are_read_all_the_same() {
    let broken = call(&json!({"bridge": "br7", "vlan": 5000, "ipam": {"type": "x"}}), "");
    assert!(BridgeConf::parse(&broken).is_err());
    assert_eq!(bridge_name(&broken).unwrap().as_str(), "br7");
    assert_eq!(ipam_type(&broken).unwrap(), Some("x"));
    assert_eq!(bridge_name(&call(&json!({"bridge": 5}), "")), None);
    assert_eq!(bridge_name(&call(&json!({}), "")).unwrap().as_str(), "cni0");
}

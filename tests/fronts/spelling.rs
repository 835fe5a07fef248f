//! JSON as runtimes really write it: keys in any case, empty text and null for what is not set.

use serde_json::{Map, Value, json};

use super::call::mapping;
use super::host::Host;

/// All keys of all objects through `spell`.
fn respell(value: &Value, spell: fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (spell(key), respell(value, spell)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(|value| respell(value, spell)).collect(),
        other => other.clone(),
    }
}

fn capitalised(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
}

#[test]
fn keys_when_in_another_case_then_mean_the_same() {
    let host = Host::inhabited();
    let call = host.add().with(|conf| {
        conf["markMasqBit"] = 5.into();
        conf["conditionsV4"] = json!(["!", "-s", "198.51.100.0/24"]);
        conf["prevResult"]["dns"] = json!({"nameservers": ["192.0.2.53"], "domain": "example.org"});
        conf["runtimeConfig"]["portMappings"][0]["hostIP"] = "192.0.2.1".into();
    });
    let result = host.run(&call).success();
    let ruleset = host.ruleset();
    for spell in [capitalised, str::to_uppercase, str::to_lowercase as fn(&str) -> String] {
        let respelt = call.clone().with(|conf| *conf = respell(conf, spell));
        assert_eq!(host.run(&respelt).success(), result);
        assert_eq!(host.ruleset(), ruleset);
        host.run(&respelt.command("CHECK")).success();
    }
    let upper = call.command("DEL").with(|conf| *conf = respell(conf, str::to_uppercase));
    host.run(&upper).success();
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
}

/// containerd's go-cni sends these very keys.
#[test]
fn mapping_when_spelt_by_containerd_then_is_published() {
    let host = Host::new();
    let mappings =
        json!([{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]);
    host.run(&host.add().mappings(mappings)).success();
    let listed = host.listed();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed.iter().all(|row| row["hostPort"] == 8080 && row["hostAddress"].is_null()));
}

#[test]
fn key_when_twice_in_two_cases_then_the_exact_one_counts() {
    let host = Host::new();
    let mappings = json!([{"HOSTPORT": 1, "hostPort": 8080, "hostport": 2, "containerPort": 80,
                           "protocol": "tcp"}]);
    host.run(&host.add().mappings(mappings)).success();
    assert!(host.listed().iter().all(|row| row["hostPort"] == 8080));
}

/// What is done to a configuration.
type Change = fn(&mut Value);

#[test]
fn null_and_empty_and_unknown_when_given_then_are_as_absent() {
    let host = Host::inhabited();
    host.run(&host.add()).success();
    let ruleset = host.ruleset();
    let changes: [(&str, Change); 6] = [
        ("null", |conf| {
            for key in ["snat", "masqAll", "markMasqBit", "externalSetMarkChain", "conditionsV4"] {
                conf[key] = Value::Null;
            }
            for key in ["conditionsV6", "backend", "capabilities", "args", "ipam", "dns"] {
                conf[key] = Value::Null;
            }
            conf["runtimeConfig"]["portMappings"][0]["hostIP"] = Value::Null;
            conf["prevResult"]["dns"] = Value::Null;
            conf["prevResult"]["ips"][1]["gateway"] = Value::Null;
        }),
        ("empty", |conf| {
            for key in ["externalSetMarkChain", "backend"] {
                conf[key] = "".into();
            }
            conf["conditionsV4"] = json!([]);
            conf["conditionsV6"] = json!([]);
            conf["runtimeConfig"]["portMappings"][0]["hostIP"] = "".into();
            conf["prevResult"]["ips"][1]["gateway"] = "".into();
        }),
        ("defaults", |conf| {
            conf["snat"] = true.into();
            conf["masqAll"] = false.into();
            conf["markMasqBit"] = 13.into();
        }),
        ("backends", |conf| conf["backend"] = "iptables".into()),
        ("other backend", |conf| conf["backend"] = "nftables".into()),
        ("unknown keys", |conf| {
            conf["runtimeConfig"]["ips"] = json!(["x"]);
            conf["runtimeConfig"]["portMappings"][0]["name"] = json!({"a": [1.5, null]});
            conf["prevResult"]["extra"] = json!([[]]);
            conf["prevResult"]["interfaces"][0]["extra"] = json!(7);
            conf["isGateway"] = "maybe".into();
            conf[""] = json!([]);
        }),
    ];
    for (name, change) in changes {
        let call = host.add().with(change);
        host.run(&call).success();
        assert_eq!(host.ruleset(), ruleset, "{name}");
        host.run(&call.command("CHECK")).success();
    }
}

#[test]
fn mappings_when_null_or_absent_or_empty_then_add_only_prints() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let result = host.run(&host.add().mappings(json!([]))).success();
    for change in [
        |conf: &mut Value| conf["runtimeConfig"]["portMappings"] = Value::Null,
        |conf: &mut Value| conf["runtimeConfig"] = Value::Null,
        |conf: &mut Value| conf["runtimeConfig"] = json!({}),
        |conf: &mut Value| drop(conf.as_object_mut().unwrap().remove("runtimeConfig")),
    ] {
        let call = host.add().with(change);
        assert_eq!(host.run(&call).success(), result);
        assert_eq!(host.run(&call.command("CHECK")).success(), "");
        assert_eq!(host.run(&call.command("DEL")).success(), "");
    }
    assert_eq!(host.ruleset(), before);
}

/// An address of no family in particular still says which family is meant.
#[test]
fn host_ip_when_unspecified_or_mapped_then_restricts_the_family() {
    let host = Host::new();
    for (host_ip, container, address) in [
        ("", "10.88.0.2", None),
        ("0.0.0.0", "10.88.0.2", None),
        ("::", "fd00:88::2", None),
        ("192.0.2.1", "10.88.0.2", Some("192.0.2.1")),
        ("::ffff:192.0.2.1", "10.88.0.2", Some("192.0.2.1")),
        ("2001:DB8::0:1", "fd00:88::2", Some("2001:db8::1")),
    ] {
        let mut entry = mapping("tcp", 8080, 80);
        entry["hostIP"] = host_ip.into();
        host.run(&host.add().mappings(json!([entry]))).success();
        let listed = host.listed();
        assert_eq!(listed.len(), if host_ip.is_empty() { 2 } else { 1 }, "{host_ip}: {listed:?}");
        assert_eq!(listed[0]["containerAddress"], container, "{host_ip}");
        assert_eq!(listed[0]["hostAddress"].as_str(), address, "{host_ip}");
    }
}

/// Kubernetes writes TCP.
#[test]
fn protocol_when_in_upper_case_then_is_published() {
    let host = Host::new();
    let mappings = json!([
        mapping("TCP", 1, 1),
        mapping("Udp", 1, 1),
        mapping("SCTP", 1, 1),
        mapping("dccp", 1, 1),
        mapping("UDPLite", 1, 1)
    ]);
    host.run(&host.add().mappings(mappings)).success();
    let mut protocols: Vec<String> =
        host.listed().iter().map(|row| row["protocol"].as_str().unwrap().to_owned()).collect();
    protocols.dedup();
    assert_eq!(protocols, ["tcp", "udp", "sctp", "dccp", "udplite"].map(str::to_owned).to_vec());
}

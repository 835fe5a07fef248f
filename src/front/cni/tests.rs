//! What can be said of a call without a kernel: reading, deciding, printing.

mod answers;
mod calls;
mod environment;
mod keys;
mod ports;
mod results;

use std::net::IpAddr;
use std::process::ExitCode;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::call::Call;
use super::config::Config;
use super::env::Environment;
use super::error::{Error, fault_code};
use super::json::Object;
use super::mappings::{self, Mapping};
use super::plugin::run;
use super::portmap::{PORTMAP, portmap_intent};
use super::result::{CniResult, Ip};
use super::version::CniVersion;
use crate::attachment::{self, NetnsError};
use crate::firewall::{Hostports, Masquerading, Publish};
use crate::net::IpVersion;

fn env(command: &str) -> Environment {
    Environment::read(|name| {
        let value = match name {
            "CNI_COMMAND" => command,
            "CNI_CONTAINERID" => "web",
            "CNI_NETNS" => "/run/netns/web",
            "CNI_IFNAME" => "eth0",
            "CNI_PATH" => "/opt/cni/bin",
            _ => "",
        };
        value.to_owned()
    })
}

fn conf(keys: &Value) -> Value {
    let mut conf = json!({
        "cniVersion": "1.1.0",
        "name": "net",
        "prevResult": {"ips": [{"address": "10.88.0.2/16"}, {"address": "fd00:88::2/64"}]},
    });
    for (key, value) in keys.as_object().into_iter().flatten() {
        conf[key] = value.clone();
    }
    conf
}

fn call(keys: &Value) -> Result<Call, Error> {
    Call::parse(&env("ADD"), conf(keys).to_string().as_bytes(), PORTMAP.versions)
}

fn intent(keys: &Value) -> Result<Hostports, Error> {
    portmap_intent(&call(keys)?)
}

fn tcp(entry: &Value) -> Value {
    let mut mapping = json!({"hostPort": 8080, "containerPort": 80, "protocol": "tcp"});
    for (key, value) in entry.as_object().into_iter().flatten() {
        mapping[key] = value.clone();
    }
    json!({"runtimeConfig": {"portMappings": [mapping]}})
}

fn published(keys: &Value) -> Vec<String> {
    let hostports = intent(keys).map(|hostports| hostports.publishes);
    let text = |publish: &Publish| {
        let host = publish.host_address.map_or("*".to_owned(), |address| address.to_string());
        let (proto, port) = (publish.proto, publish.host_port);
        format!("{proto} {host} {port} {} {}", publish.container, publish.container_port)
    };
    hostports.map_or_else(
        |error| vec![error.to_string()],
        |publishes| publishes.iter().map(text).collect(),
    )
}

proptest! {
    /// Whatever comes in is read or refused.
    #[test]
    fn calls_when_random_bytes_then_do_not_panic(stdin in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Call::parse(&env("ADD"), &stdin, PORTMAP.versions);
    }

    /// Any value at any of the known keys.
    #[test]
    fn configurations_when_values_are_random_then_do_not_panic(
        key in prop::sample::select(vec![
            "snat", "masqAll", "markMasqBit", "externalSetMarkChain", "backend", "conditionsV4",
            "conditionsV6", "runtimeConfig", "prevResult", "name", "cniVersion",
        ]),
        value in value(),
    ) {
        if let Err(error) = intent(&json!({key: value})) {
            prop_assert!([1, 6, 7].contains(&error.code()), "{error}");
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[!a-z0-9./:-]{0,8}".prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec!["portMappings", "hostPort", "ips", "address", "dns", "x"]);
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..4).prop_map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

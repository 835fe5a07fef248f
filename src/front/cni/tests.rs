//! What can be said of a call without a kernel: reading, deciding, printing.

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

mod environment {
    use super::*;

    #[test]
    fn variables_when_missing_then_are_named_in_order() {
        let empty = Environment::default();
        let error = empty.need(&["CNI_CONTAINERID", "CNI_PATH"]).err();
        let text = error.map(|error| error.to_string());
        let expected = "required env variables [CNI_CONTAINERID,CNI_PATH] missing";
        assert_eq!(text.as_deref(), Some(expected));
        assert!(empty.need(&[]).is_ok());
        assert!(env("ADD").need(&["CNI_IFNAME", "CNI_NETNS"]).is_ok());
    }

    #[test]
    fn netns_override_when_read_then_only_the_words_of_the_library_count() {
        for (word, expected) in
            [("1", true), ("TRUE", true), ("true", true), ("", false), ("0", false)]
        {
            let get = |name: &str| match name {
                "CNI_NETNS_OVERRIDE" => word.to_owned(),
                _ => String::new(),
            };
            assert_eq!(Environment::read(get).netns_override, expected, "{word:?}");
        }
    }
}

mod calls {
    use super::*;

    /// Of several faults the first is told: environment, JSON, network, command, names, version.
    #[test]
    fn faults_when_several_then_the_first_one_is_told() {
        let parse = |env: &Environment, stdin: &str| {
            let error = Call::parse(env, stdin.as_bytes(), PORTMAP.versions).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        let mut bad = Environment { container_id: String::new(), ..env("ADD") };
        assert_eq!(parse(&bad, "x"), "required env variables [CNI_CONTAINERID] missing");
        bad.container_id = "/".to_owned();
        bad.command = "FOO".to_owned();
        assert!(parse(&bad, "x").starts_with("error unmarshall network config"));
        assert_eq!(parse(&bad, "{}"), "missing network name");
        assert_eq!(parse(&bad, r#"{"name":"n"}"#), "unknown CNI_COMMAND: FOO");
        bad.command = "CHECK".to_owned();
        let old = r#"{"name":"n","cniVersion":"9"}"#;
        assert_eq!(parse(&bad, old), "invalid characters in containerID");
        bad.container_id = "web".to_owned();
        assert_eq!(parse(&bad, old), "incompatible CNI versions");
        assert_eq!(parse(&bad, r#"{"name":"n"}"#), "config version does not allow CHECK");
    }

    #[test]
    fn owner_when_of_a_container_then_names_network_container_and_interface() {
        let owner = call(&json!({})).map(|call| call.owner().label().to_owned());
        assert_eq!(owner.ok().as_deref(), Some("cni/net/web/eth0"));
    }

    #[test]
    fn valid_attachments_when_given_then_are_pairs() {
        let list = json!([
            {"containerID": "a", "ifname": "eth0"},
            {"CONTAINERID": "b", "IFNAME": "eth1"},
        ]);
        let config =
            Config::parse(json!({"cni.dev/valid-attachments": list}).to_string().as_bytes());
        let valid = config.and_then(|config| config.valid_attachments()).unwrap_or_default();
        let pair = |id: &str, ifname: &str| (id.to_owned(), ifname.to_owned());
        assert_eq!(valid, [pair("a", "eth0"), pair("b", "eth1")]);
    }

    #[test]
    fn version_when_absent_or_empty_then_is_the_oldest() {
        for text in [None, Some(""), Some("0.1.0")] {
            let version = CniVersion::parse(text, &CniVersion::ALL);
            assert_eq!(version.ok(), Some(CniVersion::V0_1_0), "{text:?}");
        }
        for version in CniVersion::ALL {
            let text = version.to_string();
            assert_eq!(CniVersion::parse(Some(&text), &CniVersion::ALL).ok(), Some(version));
            assert!(CniVersion::parse(Some(&text), &[]).is_err());
        }
        assert!(CniVersion::ALL.is_sorted());
    }
}

mod keys {
    use super::*;

    fn port(value: &Value) -> Option<i64> {
        Object::root(value).and_then(|root| root.integer("hostPort")).unwrap_or(Some(-1))
    }

    #[test]
    fn key_when_spelt_differently_then_is_found_and_the_exact_one_first() {
        assert_eq!(port(&json!({"HOSTPORT": 1})), Some(1));
        assert_eq!(port(&json!({"HostPort": 1, "hostport": 2})), Some(2));
        assert_eq!(port(&json!({"hostPort": 3, "HostPort": 1})), Some(3));
        assert_eq!(port(&json!({"hostPorts": 1, "": 2})), None);
    }

    #[test]
    fn null_when_given_then_is_absent() {
        assert_eq!(port(&json!({"hostPort": null})), None);
    }

    #[test]
    fn wrong_type_when_nested_then_the_place_is_told() {
        let config = tcp(&json!({"hostPort": "80"}));
        let text = intent(&config).err().map(|error| error.to_string());
        let expected = "failed to parse config: runtimeConfig.portMappings[0].hostPort: \
                        expected an integer, found a string";
        assert_eq!(text.as_deref(), Some(expected));
    }
}

mod ports {
    use super::*;

    #[test]
    fn mapping_when_without_address_then_is_published_in_both_families() {
        let both = ["tcp * 8080 10.88.0.2 80", "tcp * 8080 fd00:88::2 80"];
        assert_eq!(published(&tcp(&json!({}))), both);
        assert_eq!(published(&tcp(&json!({"hostIP": ""}))), both);
        assert_eq!(published(&tcp(&json!({"hostIP": null}))), both);
    }

    #[test]
    fn mapping_when_with_an_address_then_is_published_in_its_family() {
        for (host_ip, expected) in [
            ("0.0.0.0", "tcp * 8080 10.88.0.2 80"),
            ("::", "tcp * 8080 fd00:88::2 80"),
            ("192.0.2.1", "tcp 192.0.2.1 8080 10.88.0.2 80"),
            ("::ffff:192.0.2.1", "tcp 192.0.2.1 8080 10.88.0.2 80"),
            ("2001:DB8::1", "tcp 2001:db8::1 8080 fd00:88::2 80"),
        ] {
            assert_eq!(published(&tcp(&json!({"hostIP": host_ip}))), [expected], "{host_ip}");
        }
    }

    #[test]
    fn mapping_when_given_twice_then_is_published_once() {
        let entry = json!({"hostPort": 1, "containerPort": 2, "protocol": "UDP"});
        let keys = json!({"runtimeConfig": {"portMappings": [entry, entry]}});
        assert_eq!(published(&keys), ["udp * 1 10.88.0.2 2", "udp * 1 fd00:88::2 2"]);
    }

    #[test]
    fn masquerading_when_chosen_then_follows_snat_and_masq_all() {
        let masquerading = |mut keys: Value, snat: bool, all: bool| {
            keys["snat"] = snat.into();
            keys["masqAll"] = all.into();
            intent(&keys).map(|hostports| hostports.masquerading).ok()
        };
        let keys = tcp(&json!({}));
        assert_eq!(masquerading(keys.clone(), false, true), Some(Masquerading::Never));
        assert_eq!(masquerading(keys.clone(), false, false), Some(Masquerading::Never));
        assert_eq!(masquerading(keys.clone(), true, true), Some(Masquerading::Always));
        let subnets = match masquerading(keys, true, false) {
            Some(Masquerading::Hairpin(subnets)) => subnets,
            Some(Masquerading::Never | Masquerading::Always) | None => vec![],
        };
        let subnets: Vec<String> = subnets.iter().map(ToString::to_string).collect();
        assert_eq!(subnets, ["10.88.0.0/16", "fd00:88::/64"]);
    }

    /// The words may speak of ports, so they are translated for each protocol.
    #[test]
    fn conditions_when_given_then_there_is_one_for_each_protocol_of_the_family() {
        let entry =
            |protocol: &str| json!({"hostPort": 1, "containerPort": 1, "protocol": protocol});
        let keys = json!({
            "conditionsV4": ["!", "-s", "198.51.100.0/24"],
            "runtimeConfig": {"portMappings": [entry("tcp"), entry("udp"), entry("sctp")]},
        });
        let conditions = intent(&keys).map(|hostports| hostports.conditions).unwrap_or_default();
        assert_eq!(conditions.len(), 3);
        assert!(conditions.iter().all(|c| c.version == IpVersion::V4 && !c.exprs.is_empty()));
    }

    #[test]
    fn conditions_when_wrong_and_nothing_is_published_then_are_refused() {
        for keys in [json!({"conditionsV4": ["--bogus"]}), json!({"conditionsV6": ["-j", "DROP"]})]
        {
            assert!(matches!(intent(&keys), Err(Error::Conditions { .. })), "{keys}");
        }
    }

    fn mapping() -> impl Strategy<Value = Value> {
        let address = prop::sample::select(vec!["", "0.0.0.0", "::", "192.0.2.1", "2001:db8::1"]);
        let protocol = prop::sample::select(vec!["tcp", "udp", "SCTP"]);
        (1..6_u16, 1..4_u16, protocol, address).prop_map(|(host, container, protocol, address)| {
            json!({"hostPort": host, "containerPort": container, "protocol": protocol,
                   "hostIP": address})
        })
    }

    proptest! {
        /// Each host port leads to one place, or the configuration is refused; the order of the
        /// entries does not matter.
        #[test]
        fn publishes_when_random_then_are_unambiguous(entries in prop::collection::vec(mapping(), 0..8)) {
            let forward = json!({"runtimeConfig": {"portMappings": entries}});
            let backward: Vec<Value> = entries.iter().rev().cloned().collect();
            let backward = json!({"runtimeConfig": {"portMappings": backward}});
            match (intent(&forward), intent(&backward)) {
                (Ok(one), Ok(other)) => {
                    prop_assert_eq!(&one.publishes, &other.publishes);
                    let mut keys: Vec<_> = one
                        .publishes
                        .iter()
                        .map(|p| (p.version(), p.host_address, p.host_port, p.proto))
                        .collect();
                    keys.dedup();
                    prop_assert_eq!(keys.len(), one.publishes.len());
                    let of_family =
                        |p: &Publish| p.host_address.is_none_or(|a| IpVersion::of(a) == p.version());
                    prop_assert!(one.publishes.iter().all(of_family));
                    // Every mapping is there, in each family that it is for.
                    let root = json!({"runtimeConfig": {"portMappings": entries}});
                    let root = Object::root(&root)?;
                    let addresses: [IpAddr; 2] = ["10.88.0.2".parse()?, "fd00:88::2".parse()?];
                    for mapping in Mapping::parse_all(&root)? {
                        for address in addresses {
                            let publish = mapping.publish_at(address);
                            prop_assert!(publish.is_none_or(|p| one.publishes.contains(&p)));
                        }
                    }
                }
                (Err(Error::Value { key, .. }), Err(Error::Value { .. })) => {
                    prop_assert_eq!(key, "runtimeConfig.portMappings");
                }
                (one, other) => prop_assert!(false, "{one:?} {other:?}"),
            }
        }

        #[test]
        fn port_numbers_when_out_of_range_then_are_refused(number in prop_oneof![
            Just(0_i64), any::<i64>().prop_filter("no port", |n| !(1..=65_535).contains(n))
        ]) {
            for key in ["hostPort", "containerPort"] {
                let refused = intent(&tcp(&json!({key: number})));
                let is_the_same =
                    matches!(refused, Err(Error::PortNumber { number: told, .. }) if told == number);
                prop_assert!(is_the_same);
            }
        }
    }

    #[test]
    fn publishes_when_there_is_no_address_then_are_none() {
        let root = tcp(&json!({}));
        let mappings = Object::root(&root).and_then(|root| Mapping::parse_all(&root));
        let publishes = mappings.and_then(|mappings| mappings::publishes(&mappings, &[]));
        assert_eq!(publishes.map(|publishes| publishes.len()).ok(), Some(0));
    }
}

mod results {
    use super::*;

    fn addresses(prev: &Value, ifname: &str) -> Vec<String> {
        let parsed = CniResult::parse(prev, CniVersion::V1_0_0);
        let addresses = parsed.map(|prev| prev.container_addresses(ifname)).unwrap_or_default();
        addresses.iter().map(|(host, subnet)| format!("{host} {subnet}")).collect()
    }

    #[test]
    fn addresses_when_of_interfaces_then_the_containers_count() {
        let prev = json!({
            "interfaces": [{"name": "eth0"}, {"name": "eth0", "sandbox": "/x"},
                           {"name": "eth1", "sandbox": "/x"}],
            "ips": [{"interface": 0, "address": "10.0.0.1/8"}, {"interface": 2, "address": "10.0.0.2/8"},
                    {"interface": 1, "address": "10.0.0.3/8"}, {"interface": 1, "address": "fd00::3/8"},
                    {"interface": 1, "address": "10.0.0.4/8"}],
        });
        assert_eq!(addresses(&prev, "eth0"), ["10.0.0.3 10.0.0.0/8", "fd00::3 fd00::/8"]);
        assert_eq!(addresses(&prev, "eth1"), ["10.0.0.2 10.0.0.0/8"]);
        assert!(addresses(&prev, "eth2").is_empty());
    }

    #[test]
    fn addresses_when_of_no_known_interface_then_count() {
        for index in [json!(null), json!(7), json!(-1)] {
            let prev = json!({"ips": [{"interface": index, "address": "10.0.0.1/8"}]});
            assert_eq!(addresses(&prev, "eth0"), ["10.0.0.1 10.0.0.0/8"]);
        }
    }

    #[test]
    fn delegated_result_when_of_any_version_then_is_read_in_its_own_shape() {
        let texts = [
            r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/8","gateway":"10.0.0.1"}}"#,
            r#"{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.0.2/8","gateway":"10.0.0.1"}]}"#,
            r#"{"ips":[{"address":"10.0.0.2/8","gateway":"10.0.0.1"}]}"#,
        ];
        for text in texts {
            let result = CniResult::parse_delegated(text.as_bytes(), CniVersion::V1_0_0);
            let ips = result.map(|result| result.ips).unwrap_or_default();
            let (address, gateway) = ("10.0.0.2/8".parse().ok(), "10.0.0.1".parse().ok());
            let expected = address.map(|address| vec![Ip::new(address, gateway)]);
            assert_eq!(Some(ips), expected, "{text}");
        }
        let error = CniResult::parse_delegated(br#"{"cniVersion":"9"}"#, CniVersion::V1_0_0).err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.ends_with("unsupported CNI result version \"9\""), "{text}");
    }

    fn ip() -> impl Strategy<Value = Value> {
        let v4 =
            (any::<[u8; 4]>(), 0..=32_u8).prop_map(|(a, p)| format!("{}/{p}", IpAddr::from(a)));
        // Not those that are IPv4 in other clothes.
        let v6 = (any::<[u8; 15]>(), 0..=128_u8).prop_map(|(rest, prefix)| {
            let mut octets = [0x20; 16];
            octets[1..].copy_from_slice(&rest);
            format!("{}/{prefix}", IpAddr::from(octets))
        });
        let gateway = prop::option::of(prop::sample::select(vec!["", "10.0.0.1", "fd00::1"]));
        (prop_oneof![v4, v6], prop::option::of(0..4_i64), gateway).prop_map(
            |(address, at, gw)| json!({"address": address, "interface": at, "gateway": gw}),
        )
    }

    fn interface() -> impl Strategy<Value = Value> {
        let text = || prop::option::of("[a-z0-9:/.<&]{0,9}");
        (text(), text(), text(), prop::option::of(0..9000_u16)).prop_map(|(name, mac, sandbox, mtu)| {
            json!({"name": name, "mac": mac, "sandbox": sandbox, "mtu": mtu})
        })
    }

    fn result() -> impl Strategy<Value = Value> {
        let dns = prop::option::of(prop::collection::vec("[a-z.]{1,9}", 0..3))
            .prop_map(|list| json!({"search": list, "domain": ""}));
        let interfaces = prop::collection::vec(interface(), 0..4);
        let routes = prop::collection::vec(ip().prop_map(|ip| json!({"dst": ip["address"]})), 0..3);
        (interfaces, prop::collection::vec(ip(), 0..4), routes, dns).prop_map(
            |(i, ips, r, dns)| json!({"interfaces": i, "ips": ips, "routes": r, "dns": dns}),
        )
    }

    proptest! {
        /// What is printed at a version is a result of that version, with the same content.
        #[test]
        fn result_when_printed_and_read_again_then_is_the_same(result in result()) {
            for version in CniVersion::ALL.into_iter().skip(2) {
                let once = CniResult::parse(&result, version)?.to_json(version);
                let again = CniResult::parse(&once, version)?;
                prop_assert_eq!(again.to_json(version), once);
            }
        }

        #[test]
        fn addresses_when_printed_at_any_version_then_are_kept(result in result()) {
            let prev = CniResult::parse(&result, CniVersion::V1_0_0)?;
            for version in CniVersion::ALL.into_iter().skip(2) {
                let again = CniResult::parse(&prev.to_json(version), version)?;
                prop_assert_eq!(again.container_addresses("eth0"), prev.container_addresses("eth0"));
            }
        }
    }
}

mod answers {
    use super::*;

    /// What a plugin writes to standard output and standard error.
    fn answer(command: &str, stdin: &str) -> (ExitCode, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let get =
            |name: &str| if name == "CNI_COMMAND" { command.to_owned() } else { String::new() };
        let code = run(&PORTMAP, get, stdin.as_bytes(), &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
        (code, text(out), text(err))
    }

    #[test]
    fn version_when_asked_then_is_one_line() {
        let (code, out, err) = answer("VERSION", "no json");
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(out.starts_with("{\"cniVersion\":\"1.1.0\",") && out.ends_with("]}\n"), "{out}");
        assert_eq!(err, "");
    }

    /// Four spaces, no newline at the end, as the reference library prints.
    #[test]
    fn error_when_printed_then_looks_like_the_librarys() {
        let (code, out, _) = answer("GC", "");
        assert_eq!(code, ExitCode::FAILURE);
        let expected =
            "{\n    \"code\": 4,\n    \"msg\": \"required env variables [CNI_PATH] missing\"\n}";
        assert_eq!(out, expected);
    }

    #[test]
    fn no_command_when_called_then_only_stderr_is_written() {
        let (code, out, err) = answer("", "");
        assert_eq!((code, out.as_str()), (ExitCode::SUCCESS, ""));
        assert!(err.starts_with("CNI portmap plugin portcullis v"), "{err}");
    }

    #[test]
    fn stdout_when_closed_then_is_a_failure() {
        let mut full: &mut [u8] = &mut [0; 4];
        let get = |name: &str| if name == "CNI_COMMAND" { "VERSION" } else { "" }.to_owned();
        let code = run(&PORTMAP, get, &b""[..], &mut full, &mut Vec::new());
        assert_eq!(code, ExitCode::FAILURE);
    }

    #[test]
    fn faults_when_mapped_then_have_the_documented_codes() {
        use crate::attachment::Fault;
        for (fault, code) in [
            (Fault::Netns, 8),
            (Fault::Io, 5),
            (Fault::Configuration, 7),
            (Fault::TryAgain, 11),
            (Fault::Firewall, 100),
            (Fault::Link, 101),
            (Fault::PortTaken, 103),
            (Fault::NotOurs, 104),
            (Fault::Differs, 105),
            (Fault::KernelLacks, 106),
        ] {
            assert_eq!(fault_code(fault), code, "{fault:?}");
        }
    }

    #[test]
    fn codes_when_mapped_then_are_those_of_the_specification_and_ours() {
        let taken = attachment::Error::PortTaken { port: "1/tcp".into(), owner: "web".into() };
        let differs = attachment::Error::Differs { plan: "add x".into() };
        for (error, code) in [
            (Error::CommandTooNew { command: "GC" }, 1),
            (Error::UnknownCommand { command: "x".into() }, 4),
            (Error::Stdin(std::io::Error::other("x")), 5),
            (Error::Json { reason: "x".into() }, 6),
            (Error::PrevResult { reason: "x".into() }, 6),
            (Error::TwoMarks, 7),
            (Error::NoPrevResult { command: "ADD" }, 7),
            (Error::Netns(NetnsError::Own), 8),
            (Error::NotAvailable(Box::new(Error::TwoMarks)), 50),
            (taken.into(), 103),
            (differs.into(), 105),
        ] {
            assert_eq!(error.code(), code, "{error}");
            let json = error.to_json(Some(CniVersion::V1_0_0));
            assert_eq!(json["code"], code);
            assert_eq!(json["cniVersion"], "1.0.0");
            assert!(json["msg"].as_str().is_some_and(|msg| !msg.is_empty()));
        }
    }

    #[test]
    fn difference_when_told_then_the_plan_is_in_the_details() {
        let error = Error::from(attachment::Error::Differs { plan: "add x".into() });
        assert_eq!(error.details().as_deref(), Some("add x"));
    }
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

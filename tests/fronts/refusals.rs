//! Calls that cannot be done: each is an error with its code, and nothing has changed.

use serde_json::{Value, json};

use super::call::{Call, mapping};
use super::host::Host;

/// What is done to the configuration, the code, and what the message says among other things.
type Case = (&'static str, fn(&mut Value), u64, &'static str);

/// Refused by ADD and by CHECK. DEL is tolerant: see `ownership`.
const CONFIGURATIONS: &[Case] = &[
    // The keys that every plugin has cannot be decoded.
    ("name number", |c| c["name"] = 5.into(), 6, "name"),
    ("name list", |c| c["name"] = json!(["labnet"]), 6, "name"),
    ("cniVersion number", |c| c["cniVersion"] = 1.into(), 6, "cniVersion"),
    ("cniVersion object", |c| c["cniVersion"] = json!({}), 6, "cniVersion"),
    ("prevResult list", |c| c["prevResult"] = json!([]), 6, "prevResult"),
    ("prevResult text", |c| c["prevResult"] = "x".into(), 6, "prevResult"),
    ("prevResult version", |c| c["prevResult"]["cniVersion"] = 1.into(), 6, "cniVersion"),
    ("interfaces object", |c| c["prevResult"]["interfaces"] = json!({}), 6, "interfaces"),
    ("interface text", |c| c["prevResult"]["interfaces"][0] = "x".into(), 6, "interfaces[0]"),
    (
        "name of it",
        |c| c["prevResult"]["interfaces"][1]["name"] = 1.into(),
        6,
        "interfaces[1].name",
    ),
    ("sandbox", |c| c["prevResult"]["interfaces"][1]["sandbox"] = 1.into(), 6, "sandbox"),
    ("ips object", |c| c["prevResult"]["ips"] = json!({}), 6, "ips"),
    ("ip text", |c| c["prevResult"]["ips"][0] = "10.88.0.2/16".into(), 6, "ips[0]"),
    ("interface index", |c| c["prevResult"]["ips"][0]["interface"] = "1".into(), 6, "interface"),
    ("address number", |c| c["prevResult"]["ips"][0]["address"] = 10.into(), 6, "address"),
    ("address bare", |c| c["prevResult"]["ips"][0]["address"] = "10.88.0.2".into(), 6, "10.88.0.2"),
    ("address prefix", |c| c["prevResult"]["ips"][0]["address"] = "10.88.0.2/33".into(), 6, "/33"),
    ("address word", |c| c["prevResult"]["ips"][0]["address"] = "web/16".into(), 6, "web/16"),
    ("gateway word", |c| c["prevResult"]["ips"][0]["gateway"] = "gw".into(), 6, "gateway"),
    ("routes object", |c| c["prevResult"]["routes"] = json!({}), 6, "routes"),
    ("route dst", |c| c["prevResult"]["routes"][0]["dst"] = "x".into(), 6, "routes[0].dst"),
    ("dns list", |c| c["prevResult"]["dns"] = json!([]), 6, "dns"),
    ("nameservers", |c| c["prevResult"]["dns"] = json!({"nameservers": "x"}), 6, "nameservers"),
    // The plugin's own keys.
    ("runtimeConfig list", |c| c["runtimeConfig"] = json!([]), 7, "runtimeConfig"),
    ("mappings object", |c| mappings(c, json!({})), 7, "runtimeConfig.portMappings"),
    ("mapping text", |c| mappings(c, json!(["8080:80"])), 7, "runtimeConfig.portMappings[0]"),
    ("second mapping", |c| mappings(c, json!([mapping("tcp", 1, 1), 7])), 7, "portMappings[1]"),
    ("hostPort text", |c| first(c, "hostPort", json!("8080")), 7, "portMappings[0].hostPort"),
    ("hostPort fraction", |c| first(c, "hostPort", json!(80.5)), 7, "portMappings[0].hostPort"),
    ("hostPort flag", |c| first(c, "hostPort", json!(true)), 7, "portMappings[0].hostPort"),
    ("hostPort huge", |c| first(c, "hostPort", json!(u64::MAX)), 7, "portMappings[0].hostPort"),
    (
        "hostPort 70000",
        |c| first(c, "hostPort", json!(70000)),
        7,
        "Invalid host port number: 70000",
    ),
    (
        "hostPort 65536",
        |c| first(c, "hostPort", json!(65536)),
        7,
        "Invalid host port number: 65536",
    ),
    ("hostPort 0", |c| first(c, "hostPort", json!(0)), 7, "Invalid host port number: 0"),
    ("hostPort -1", |c| first(c, "hostPort", json!(-1)), 7, "Invalid host port number: -1"),
    ("hostPort none", |c| first(c, "hostPort", json!(null)), 7, "Invalid host port number: 0"),
    ("containerPort text", |c| first(c, "containerPort", json!("80")), 7, "containerPort"),
    ("containerPort list", |c| first(c, "containerPort", json!([80])), 7, "containerPort"),
    (
        "containerPort 0",
        |c| first(c, "containerPort", json!(0)),
        7,
        "Invalid container port number: 0",
    ),
    ("containerPort -1", |c| first(c, "containerPort", json!(-1)), 7, "container port number: -1"),
    ("containerPort high", |c| first(c, "containerPort", json!(70000)), 7, "port number: 70000"),
    ("protocol number", |c| first(c, "protocol", json!(6)), 7, "portMappings[0].protocol"),
    ("protocol none", |c| first(c, "protocol", json!(null)), 7, "portMappings[0].protocol"),
    ("protocol empty", |c| first(c, "protocol", json!("")), 7, "portMappings[0].protocol"),
    ("protocol icmp", |c| first(c, "protocol", json!("icmp")), 7, "icmp"),
    ("protocol space", |c| first(c, "protocol", json!("tcp ")), 7, "portMappings[0].protocol"),
    ("hostIP number", |c| first(c, "hostIP", json!(1)), 7, "portMappings[0].hostIP"),
    ("hostIP word", |c| first(c, "hostIP", json!("localhost")), 7, "localhost"),
    ("hostIP short", |c| first(c, "hostIP", json!("10.1")), 7, "10.1"),
    ("hostIP prefix", |c| first(c, "hostIP", json!("192.0.2.1/24")), 7, "192.0.2.1/24"),
    ("hostIP zone", |c| first(c, "hostIP", json!("fe80::1%eth0")), 7, "fe80::1%eth0"),
    (
        "one port, two targets",
        |c| {
            mappings(c, json!([mapping("tcp", 9000, 80), mapping("TCP", 9000, 81)]));
        },
        7,
        "9000",
    ),
    ("snat text", |c| c["snat"] = "yes".into(), 7, "snat"),
    ("snat number", |c| c["snat"] = 0.into(), 7, "snat"),
    ("masqAll number", |c| c["masqAll"] = 1.into(), 7, "masqAll"),
    ("markMasqBit text", |c| c["markMasqBit"] = "13".into(), 7, "markMasqBit"),
    ("markMasqBit fraction", |c| c["markMasqBit"] = json!(1.5), 7, "markMasqBit"),
    ("markMasqBit 32", |c| c["markMasqBit"] = 32.into(), 7, "MasqMarkBit must be between 0 and 31"),
    (
        "markMasqBit -1",
        |c| c["markMasqBit"] = (-1).into(),
        7,
        "MasqMarkBit must be between 0 and 31",
    ),
    ("external chain list", |c| c["externalSetMarkChain"] = json!([]), 7, "externalSetMarkChain"),
    (
        "both marks",
        |c| {
            c["markMasqBit"] = 5.into();
            c["externalSetMarkChain"] = "KUBE-MARK-MASQ".into();
        },
        7,
        "Cannot specify externalSetMarkChain and markMasqBit",
    ),
    (
        "no external chain",
        |c| {
            c["externalSetMarkChain"] = "KUBE-MARK-MASQ".into();
        },
        7,
        "KUBE-MARK-MASQ",
    ),
    ("backend foo", |c| c["backend"] = "foo".into(), 7, "unrecognized backend \"foo\""),
    ("backend flag", |c| c["backend"] = true.into(), 7, "backend"),
    ("conditionsV4 text", |c| c["conditionsV4"] = "! -s 192.0.2.1".into(), 7, "conditionsV4"),
    ("conditionsV4 number", |c| c["conditionsV4"] = json!(["-s", 1]), 7, "conditionsV4[1]"),
    ("conditionsV4 word", |c| c["conditionsV4"] = json!(["--bogus"]), 7, "--bogus"),
    (
        "conditionsV4 nft",
        |c| c["conditionsV4"] = json!(["ip", "saddr", "192.0.2.1"]),
        7,
        "conditionsV4",
    ),
    ("conditionsV4 cut", |c| c["conditionsV4"] = json!(["-s"]), 7, "-s"),
    ("conditionsV4 target", |c| c["conditionsV4"] = json!(["-j", "ACCEPT"]), 7, "-j"),
    ("conditionsV4 table", |c| c["conditionsV4"] = json!(["-t", "nat"]), 7, "-t"),
    ("conditionsV6 v4", |c| c["conditionsV6"] = json!(["-s", "192.0.2.1"]), 7, "192.0.2.1"),
    ("conditionsV6 object", |c| c["conditionsV6"] = json!({}), 7, "conditionsV6"),
    ("conditionsV6 word", |c| c["conditionsV6"] = json!(["-m", "nosuch"]), 7, "nosuch"),
];

fn mappings(conf: &mut Value, value: Value) {
    conf["runtimeConfig"]["portMappings"] = value;
}

fn first(conf: &mut Value, key: &str, value: Value) {
    conf["runtimeConfig"]["portMappings"][0][key] = value;
}

#[test]
fn configuration_when_wrong_then_code_and_message_say_so_and_nothing_changes() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let mut wrong = Vec::new();
    for (name, spoil, code, part) in CONFIGURATIONS {
        for command in ["ADD", "CHECK"] {
            let answer = host.run(&host.add().command(command).with(spoil));
            if answer.status.success() {
                wrong.push(format!("{command} {name}: was done"));
                continue;
            }
            let (found, text) = answer.error();
            if found != *code || !text.contains(part) {
                wrong.push(format!("{command} {name}: {found} {text:?}, not {code} {part:?}"));
            }
            if host.ruleset() != before {
                wrong.push(format!("{command} {name}: the ruleset changed"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn stdin_when_no_json_object_then_cannot_be_decoded() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let whole = host.add().stdin();
    let deep = "[".repeat(100_000);
    let cut = &whole[..whole.len() - 1];
    let twice = format!("{whole}{whole}");
    let comma = whole.replace('}', ",}");
    for stdin in
        ["", " ", "x", "null", "[]", "7", "\"labnet\"", "{", "{}}", &deep, cut, &twice, &comma]
    {
        for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
            let (code, text) = host.run(&host.add().command(command).raw(stdin)).error();
            let start: String = stdin.chars().take(20).collect();
            assert_eq!(code, 6, "{command} {start:?}: {text}");
            assert!(text.starts_with("error unmarshall network config"), "{start:?}: {text}");
        }
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn version_when_unknown_then_supported_ones_are_told() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for version in ["2.0.0", "0.5.0", "1.0", "v1.0.0", "1.0.0 ", "latest"] {
        for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
            let call = host.add().command(command).with(|conf| conf["cniVersion"] = version.into());
            let (code, text) = host.run(&call).error();
            assert_eq!(code, 1, "{command} {version}: {text}");
            let lines = format!(
                "incompatible CNI versions\nconfig is {version:?}, plugin supports [\"0.1.0\" \
                 \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]"
            );
            assert_eq!(text, lines);
        }
    }
    assert_eq!(host.ruleset(), before);
}

const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

#[test]
fn command_when_newer_than_the_version_then_is_refused() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for (command, since) in [("CHECK", 4), ("GC", 6), ("STATUS", 6)] {
        for version in &VERSIONS[..since] {
            let call =
                host.add().command(command).with(|conf| conf["cniVersion"] = (*version).into());
            let (code, text) = host.run(&call).error();
            assert_eq!(code, 1, "{command} {version}: {text}");
            assert_eq!(text.as_str(), format!("config version does not allow {command}"));
        }
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn prev_result_when_missing_then_each_command_has_its_message() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let without: [fn(&mut Value); 2] = [
        |conf| drop(conf.as_object_mut().unwrap().remove("prevResult")),
        |conf| conf["prevResult"] = Value::Null,
    ];
    for remove in without {
        for ports in [json!([mapping("tcp", 8080, 80)]), json!([])] {
            let call = host.add().mappings(ports).with(remove);
            let (code, text) = host.run(&call).error();
            assert_eq!((code, text.as_str()), (7, "must be called as chained plugin"));
            let (code, text) = host.run(&call.command("CHECK")).error();
            assert_eq!((code, text.as_str()), (7, "Required prevResult missing"));
        }
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn prev_result_when_of_another_shape_of_version_then_is_refused() {
    let shape = |version: &str| {
        VERSIONS.iter().position(|v| *v == version).map(|at| [0, 0, 1, 1, 1, 2, 2][at])
    };
    let host = Host::inhabited();
    let before = host.ruleset();
    for config in VERSIONS {
        for prev in VERSIONS.into_iter().chain(["2.0.0", "x"]) {
            let call = host.add().mappings(json!([])).with(|conf| {
                conf["cniVersion"] = config.into();
                conf["prevResult"] = json!({"cniVersion": prev});
            });
            let answer = host.run(&call);
            if shape(prev) == shape(config) {
                let printed: Value = serde_json::from_str(&answer.success()).unwrap();
                assert_eq!(printed["cniVersion"], config, "{config} {prev}");
            } else {
                let (code, text) = answer.error();
                assert_eq!(code, 6, "{config} {prev}: {text}");
                assert!(text.starts_with("could not parse prevResult"), "{config} {prev}: {text}");
                assert!(text.contains(prev), "{config} {prev}: {text}");
            }
        }
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn netns_when_own_or_gone_or_none_then_add_and_check_are_refused() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let own = "plugin's netns and netns from CNI_NETNS should not be the same";
    let path = host.netns.path().to_string_lossy().into_owned();
    for (netns, part) in [
        (path.as_str(), own),
        ("/proc/self/ns/net", own),
        ("/run/netns/nosuch", "/run/netns/nosuch"),
        ("/proc/0/ns/net", "/proc/0/ns/net"),
        ("/etc/passwd", "/etc/passwd"),
        ("/etc/passwd/net", "/etc/passwd/net"),
        ("/run", "/run"),
        ("relative", "relative"),
    ] {
        for command in ["ADD", "CHECK"] {
            let (code, text) =
                host.run(&host.add().command(command).set("CNI_NETNS", netns)).error();
            assert_eq!(code, 8, "{command} {netns}: {text}");
            assert!(text.contains(part), "{command} {netns}: {text}");
        }
    }
    assert_eq!(host.ruleset(), before);
}

/// The host's own namespace is allowed where the caller says that it means it.
#[test]
fn netns_when_own_and_overridden_then_add_check_and_del_work() {
    let host = Host::inhabited();
    for word in ["1", "TRUE", "true"] {
        let call = |command: &str| -> Call {
            let own = host.add().command(command).set("CNI_NETNS", host.netns.path());
            own.set("CNI_NETNS_OVERRIDE", word)
        };
        host.run(&call("ADD")).success();
        host.run(&call("CHECK")).success();
        host.run(&call("DEL")).success();
    }
    let (code, _) = host
        .run(&host.add().set("CNI_NETNS", host.netns.path()).set("CNI_NETNS_OVERRIDE", "0"))
        .error();
    assert_eq!(code, 8);
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
}

/// Every namespace is a file of the same filesystem.
#[test]
fn netns_when_a_namespace_of_another_kind_then_is_refused() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for kind in ["mnt", "uts", "user"] {
        let netns = format!("/proc/self/ns/{kind}");
        let (code, text) = host.run(&host.add().set("CNI_NETNS", &netns)).error();
        assert_eq!(code, 8, "{text}");
        assert!(text.contains(&netns), "{text}");
    }
    assert_eq!(host.ruleset(), before);
}

/// A device as namespace: opening `/dev/console` or a FIFO could block or have effects.
#[test]
fn netns_when_a_fifo_then_is_refused_at_once() {
    let host = Host::inhabited();
    host.tool("mkfifo", &["/run/fifo"]);
    let call = host.add().set("CNI_NETNS", "/run/fifo").under(&["timeout", "5"]);
    let (code, text) = host.run(&call).error();
    assert_eq!(code, 8, "{text}");
}

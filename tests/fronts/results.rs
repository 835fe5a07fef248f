//! What ADD prints, beside what Debian's plugin (1.1.1) prints for the same configuration. Without
//! port mappings neither touches the firewall.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::host::Host;
use super::random::Random;
use crate::lab::Subject;

/// Those that Debian's 1.1.1 knows.
const VERSIONS: [&str; 6] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"];

const V4: [&str; 5] =
    ["10.88.0.2/16", "192.0.2.7/32", "0.0.0.0/0", "198.51.100.255/25", "127.0.0.1/8"];
const V6: [&str; 6] = [
    "fd00:88::2/64",
    "2001:DB8:0:0:0:0:0:1/128",
    "::1/128",
    "::/0",
    "2001:db8:0:0:1:0:0:1/33",
    "1:2:3:4:5:6:7:8/127",
];
const DESTINATIONS: [&str; 6] =
    ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32", "::/0", "fd00::/8", "2001:db8::1/128"];
const GATEWAYS: [&str; 4] = ["10.88.0.1", "fd00:88::1", "FE80:0::1", "192.0.2.254"];

fn interfaces(random: &mut Random) -> Vec<Value> {
    let interface = |random: &mut Random| {
        let mut interface =
            json!({"name": *random.pick(&["eth0", "cni0", "veth1", "", "e\u{e9}"])});
        if random.once_in(2) {
            interface["mac"] = "02:00:00:00:00:01".into();
        }
        if random.once_in(2) {
            interface["sandbox"] = (*random.pick(&["/run/netns/container", ""])).into();
        }
        if random.once_in(6) {
            interface["unknown"] = 5.into();
        }
        interface
    };
    (0..random.below(4)).map(|_| interface(random)).collect()
}

fn route(random: &mut Random) -> Value {
    let mut route = json!({"dst": *random.pick(&DESTINATIONS)});
    if random.once_in(2) {
        route["gw"] = (*random.pick(&GATEWAYS)).into();
    }
    route
}

fn routes(random: &mut Random) -> Vec<Value> {
    (0..random.below(3)).map(|_| route(random)).collect()
}

fn dns(random: &mut Random) -> Value {
    let mut dns = json!({});
    if random.once_in(2) {
        dns["nameservers"] = json!(["192.0.2.53", "2001:db8::53"]);
    }
    if random.once_in(2) {
        dns["domain"] = (*random.pick(&["example.org", ""])).into();
    }
    if random.once_in(3) {
        dns["search"] = random.pick(&[json!(["example.org", "a b"]), json!([])]).clone();
    }
    if random.once_in(3) {
        dns["options"] = json!(["ndots:5"]);
    }
    dns
}

/// A result in the shape of 0.3.0 and later.
fn result(random: &mut Random, version: &str) -> Value {
    let mut result = json!({"cniVersion": version});
    let interfaces = interfaces(random);
    let ip = |random: &mut Random| {
        let v6 = random.once_in(2);
        let address = *if v6 { random.pick(&V6) } else { random.pick(&V4) };
        let mut ip = json!({"address": address});
        if version.starts_with("0.") {
            ip["version"] = if v6 { "6" } else { "4" }.into();
        }
        if !interfaces.is_empty() && random.once_in(2) {
            ip["interface"] = random.below(interfaces.len()).into();
        }
        if random.once_in(2) {
            ip["gateway"] = (*random.pick(&GATEWAYS)).into();
        }
        ip
    };
    let ips: Vec<Value> = (0..random.below(4)).map(|_| ip(random)).collect();
    for (key, list) in [("interfaces", interfaces), ("ips", ips), ("routes", routes(random))] {
        if !list.is_empty() || random.once_in(4) {
            result[key] = list.into();
        }
    }
    if random.once_in(2) {
        result["dns"] = dns(random);
    }
    result
}

/// A result in the shape of 0.1.0 and 0.2.0.
fn old_result(random: &mut Random, version: &str) -> Value {
    let mut result = json!({"cniVersion": version});
    for (key, addresses) in [("ip4", &V4[..]), ("ip6", &V6[..])] {
        if random.once_in(3) {
            continue;
        }
        let family = |route: &Value| route["dst"].as_str().unwrap().contains(':') == (key == "ip6");
        let mut config = json!({"ip": *random.pick(addresses)});
        if random.once_in(2) {
            let gateways = GATEWAYS.iter().filter(|gw| gw.contains(':') == (key == "ip6"));
            config["gateway"] = (*random.pick(&gateways.collect::<Vec<_>>())).to_owned().into();
        }
        let routes: Vec<Value> = routes(random).into_iter().filter(family).collect();
        if !routes.is_empty() {
            config["routes"] = routes.into();
        }
        result[key] = config;
    }
    if random.once_in(2) {
        result["dns"] = dns(random);
    }
    result
}

/// What both print for a prevResult.
fn both(host: &Host, config: &str, prev: &Value) -> (Answer, Answer) {
    let call = host.add().mappings(json!([])).with(|conf| {
        conf["cniVersion"] = config.into();
        conf["prevResult"] = prev.clone();
    });
    // Without this Debian's looks for iptables first.
    let theirs: Call = call.clone().with(|conf| conf["backend"] = "iptables".into());
    let debian = Subject::debian();
    let mut theirs = host.netns.enter(|| theirs.run(debian.binary()));
    if config == "1.0.0" {
        theirs.stdout = newer(&theirs.stdout);
    }
    (host.run(&call), theirs)
}

/// How a plugin with the library of today prints what Debian's prints: at 1.0.0 and later it leaves
/// out an empty `dns`, and the keys of a result, though not those of its parts, stand in the order
/// of the alphabet. (Measured with HEAD of containernetworking/plugins; see the reference study.)
pub fn newer(printed: &str) -> String {
    let Ok(Value::Object(mut result)) = serde_json::from_str(printed) else {
        return printed.to_owned();
    };
    result.retain(|key, value| key != "dns" || *value != json!({}));
    result.sort_keys();
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(&result, &mut serializer).unwrap();
    // As Go's encoder escapes.
    let escapes = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u{2028}", "\\u2028")];
    escapes.iter().fold(String::from_utf8(text).unwrap(), |text, (c, code)| text.replace(c, code))
}

#[test]
fn results_when_handed_on_then_are_debians_byte_for_byte() {
    let host = Host::new();
    let mut random = Random::new(1);
    let mut differences = Vec::new();
    for round in 0..60 {
        for config in VERSIONS {
            let family: &[&str] = match config {
                "0.1.0" | "0.2.0" => &["0.1.0", "0.2.0"],
                "1.0.0" => &["1.0.0"],
                _ => &["0.3.0", "0.3.1", "0.4.0"],
            };
            let version = *random.pick(family);
            let mut prev = match config {
                "0.1.0" | "0.2.0" => old_result(&mut random, version),
                _ => result(&mut random, version),
            };
            if random.once_in(4) {
                prev.as_object_mut().unwrap().remove("cniVersion");
            }
            let (ours, theirs) = both(&host, config, &prev);
            let same = ours.stdout == theirs.stdout && ours.status == theirs.status;
            if !same {
                let (ours, theirs) = (&ours.stdout, &theirs.stdout);
                differences.push(format!(
                    "{round} {config}: {prev}\n--- ours\n{ours}\n--- theirs\n{theirs}"
                ));
            }
        }
    }
    let count = differences.len();
    assert!(
        differences.is_empty(),
        "{count} differ, such as\n{}",
        differences[..count.min(3)].join("\n")
    );
}

/// Compares what both print, at 0.4.0 and at 1.0.0.
fn odd(results: &[Value], is_same: fn(&str, &str) -> bool) {
    let host = Host::new();
    let mut differences = Vec::new();
    for prev in results {
        for config in ["0.4.0", "1.0.0"] {
            let mut prev = prev.clone();
            if config == "0.4.0" && prev["ips"].is_array() {
                prev["ips"][0]["version"] = "4".into();
            }
            let (ours, theirs) = both(&host, config, &prev);
            let (ours, theirs) = (ours.success(), theirs.success());
            if !is_same(&ours, &theirs) {
                differences
                    .push(format!("{config}: {prev}\n--- ours\n{ours}\n--- theirs\n{theirs}"));
            }
        }
    }
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn results_when_fields_are_odd_then_are_debians_byte_for_byte() {
    let results = [
        json!({}),
        json!({"ips": [{"address": "10.88.0.2/16", "interface": 7}]}),
        json!({"ips": [{"address": "10.88.0.2/16", "interface": -1}]}),
        json!({"ips": [{"address": "10.88.0.2/16", "gateway": ""}]}),
        json!({"routes": [{"dst": "10.0.0.0/8", "gw": ""}]}),
        json!({"dns": {"domain": "\"\\/\u{e9}\t\u{7f}\u{1}"}}),
        json!({"interfaces": [{}]}),
        json!({"interfaces": [{"name": "eth0", "sandbox": ""}]}),
        json!({"dns": {"nameservers": [], "search": [""], "options": null}}),
        json!({"interfaces": null, "ips": null, "routes": null, "dns": null}),
    ];
    odd(&results, |ours, theirs| ours == theirs);
}

/// Routes are handed on as they came, host bits and all.
#[test]
fn route_when_its_destination_has_host_bits_then_they_are_kept() {
    odd(&[json!({"routes": [{"dst": "10.1.2.3/8"}]})], |ours, theirs| ours == theirs);
    odd(&[json!({"routes": [{"dst": "fd00::1/8"}]})], |ours, theirs| ours == theirs);
}

/// Go's encoder escapes what HTML could mistake; ours need not. To a reader of JSON it is the same.
#[test]
fn results_when_go_escapes_letters_then_are_the_same_json() {
    let results =
        [json!({"dns": {"domain": "a<b>&\u{2028}"}}), json!({"interfaces": [{"name": "a<b>&c"}]})];
    odd(&results, |ours, theirs| {
        let read = |text| serde_json::from_str::<Value>(text).unwrap();
        ours != theirs && read(ours) == read(theirs)
    });
}

/// An IPv4 address in IPv6 clothes: Debian's prints it bare (192.0.2.1/24), and as version 4. Ours
/// hands on what came; no plugin is known to send it.
#[test]
fn address_when_mapped_into_ipv6_then_is_handed_on_as_it_came() {
    odd(&[json!({"ips": [{"address": "::ffff:192.0.2.1/120"}]})], |ours, theirs| {
        ours.contains("::ffff:192.0.2.1/120") && theirs.contains("\"192.0.2.1/24\"")
    });
}

/// 1.1.0 has what 1.0.0 has, and more of interfaces and routes. Debian's does not know it.
#[test]
fn result_when_of_1_1_0_then_keeps_the_keys_of_that_version() {
    let host = Host::new();
    let call = host.add().mappings(json!([])).with(|conf| {
        conf["prevResult"] = json!({
            "cniVersion": "1.1.0",
            "interfaces": [{"name": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1400,
                            "sandbox": "/run/netns/container", "socketPath": "/run/s",
                            "pciID": "0000:00:01.0"}],
            "ips": [{"interface": 0, "address": "10.88.0.2/16", "gateway": "10.88.0.1"}],
            "routes": [{"dst": "0.0.0.0/0", "gw": "10.88.0.1", "mtu": 1400, "advmss": 1360,
                        "priority": 10, "table": 100, "scope": 0}],
            "dns": {},
        });
    });
    let expected = "{
    \"cniVersion\": \"1.1.0\",
    \"interfaces\": [
        {
            \"name\": \"eth0\",
            \"mac\": \"02:00:00:00:00:01\",
            \"mtu\": 1400,
            \"sandbox\": \"/run/netns/container\",
            \"socketPath\": \"/run/s\",
            \"pciID\": \"0000:00:01.0\"
        }
    ],
    \"ips\": [
        {
            \"interface\": 0,
            \"address\": \"10.88.0.2/16\",
            \"gateway\": \"10.88.0.1\"
        }
    ],
    \"routes\": [
        {
            \"dst\": \"0.0.0.0/0\",
            \"gw\": \"10.88.0.1\",
            \"mtu\": 1400,
            \"advmss\": 1360,
            \"priority\": 10,
            \"table\": 100,
            \"scope\": 0
        }
    ]
}";
    assert_eq!(host.run(&call).success(), expected);
}

/// What is printed is an own result: the next plugin, or a repeated call, can take it.
#[test]
fn result_when_fed_back_then_is_printed_again() {
    let host = Host::new();
    let mut random = Random::new(2);
    for config in VERSIONS.into_iter().chain(["1.1.0"]) {
        for _ in 0..5 {
            let prev = match config {
                "0.1.0" | "0.2.0" => old_result(&mut random, config),
                _ => result(&mut random, config),
            };
            let call = host.add().mappings(json!([])).with(|conf| {
                conf["cniVersion"] = config.into();
                conf["prevResult"] = prev;
            });
            let once = host.run(&call).success();
            let call = call.with(|conf| conf["prevResult"] = serde_json::from_str(&once).unwrap());
            assert_eq!(host.run(&call).success(), once);
        }
    }
}

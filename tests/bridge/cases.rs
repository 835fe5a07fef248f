//! Configurations that are tried in every run: each key of the plugin, each error of it.

use serde_json::{Value, json};

use super::play::{Case, Step};

/// A network named `net` on br0, with these keys in place of or beside the usual.
pub fn conf(keys: &Value) -> Value {
    let mut conf = json!({
        "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0",
        "ipam": ipam(&[&["10.1.0.0/24"]]),
    });
    for (key, value) in keys.as_object().expect("an object") {
        conf[key] = value.clone();
    }
    conf
}

/// host-local with these range sets.
pub fn ipam(sets: &[&[&str]]) -> Value {
    let range = |subnet: &&str| json!({"subnet": subnet});
    let sets: Vec<Vec<Value>> = sets.iter().map(|set| set.iter().map(range).collect()).collect();
    json!({"type": "host-local", "ranges": sets})
}

/// host-local with one set, and these keys.
fn ipam_with(keys: &Value) -> Value {
    let mut ipam = ipam(&[&["10.1.0.0/24"]]);
    for (key, value) in keys.as_object().expect("an object") {
        ipam[key] = value.clone();
    }
    ipam
}

pub fn dual() -> Value {
    ipam(&[&["10.1.0.0/24"], &["fd00:1::/64"]])
}

/// Two containers come, are checked, and go, the first one twice.
pub fn life(name: &str, conf: &Value) -> Case {
    let steps = vec![
        Step::new("ADD", 1, conf),
        Step::new("ADD", 2, conf),
        // The second, since the first one's bridge may have got a new MAC address with it.
        Step::new("CHECK", 2, conf).handing_back(),
        Step::new("DEL", 1, conf).handing_back(),
        Step::new("DEL", 1, conf),
        Step::new("DEL", 2, conf),
    ];
    Case { name: name.to_owned(), before: "", steps, reach: true }
}

/// An ADD that is refused, and the DEL that a runtime makes after it.
fn refused(name: &str, keys: &Value) -> Case {
    let conf = conf(keys);
    let steps = vec![Step::new("ADD", 1, &conf), Step::new("DEL", 1, &conf)];
    Case { name: name.to_owned(), before: "", steps, reach: false }
}

pub fn cases() -> Vec<Case> {
    let mut all = lives();
    all.extend(versions());
    all.extend(macs());
    all.extend(requests());
    all.extend(refusals());
    all.extend(encounters());
    all
}

fn lives() -> Vec<Case> {
    let routes = json!([{"dst": "0.0.0.0/0"}, {"dst": "198.51.100.0/24", "gw": "10.1.0.9"}]);
    [
        ("plain", json!({})),
        ("default bridge name", json!({"bridge": null, "isGateway": true})),
        ("gateway", json!({"isGateway": true})),
        ("default gateway, dual", json!({"isDefaultGateway": true, "ipam": dual()})),
        ("v6 alone", json!({"isDefaultGateway": true, "ipam": ipam(&[&["fd00:1::/64"]])})),
        ("masquerade, dual", json!({"isDefaultGateway": true, "ipMasq": true, "ipam": dual()})),
        ("forced address", json!({"isGateway": true, "forceAddress": true})),
        ("mtu", json!({"isGateway": true, "mtu": 1400})),
        ("hairpin", json!({"isDefaultGateway": true, "hairpinMode": true})),
        ("promiscuous", json!({"isGateway": true, "promiscMode": true})),
        ("dad", json!({"isGateway": true, "enabledad": true, "ipam": dual()})),
        ("portIsolation", json!({"isGateway": true, "portIsolation": true})),
        ("no ipam", json!({"ipam": {}})),
        ("no ipam at all", json!({"ipam": null})),
        ("several ranges", json!({"ipam": ipam(&[&["10.1.0.0/30", "10.2.0.0/24"], &["fd00:1::/64"]])})),
        ("two sets of one family", json!({"isGateway": true, "ipam": ipam(&[&["10.1.0.0/24"], &["10.2.0.0/24"]])})),
        ("routes", json!({"isGateway": true, "ipam": ipam_with(&json!({"routes": routes}))})),
        ("own directory", json!({"ipam": ipam_with(&json!({"dataDir": "/run/leases"}))})),
        ("dns", json!({"dns": {"nameservers": ["192.0.2.53"], "domain": "lab", "search": ["a"], "options": ["b"]}})),
        ("old style range", json!({"isGateway": true, "ipam": {"type": "host-local",
            "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.12", "gateway": "10.1.0.254"}})),
    ]
    .iter()
    .map(|(name, keys)| life(name, &conf(keys)))
    .collect()
}

fn versions() -> Vec<Case> {
    let mut all: Vec<Case> = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"]
        .iter()
        .map(|version| {
            let keys = json!({"cniVersion": version, "isDefaultGateway": true, "ipam": dual()});
            life(&format!("cni {version}"), &conf(&keys))
        })
        .collect();
    all.push(refused("version unknown", &json!({"cniVersion": "9.9.9"})));
    all
}

fn macs() -> Vec<Case> {
    let (one, two) = ("02:00:00:00:01:01", "02:00:00:00:01:02");
    let mut by_args = refused("mac by CNI_ARGS", &json!({}));
    by_args.steps[0].args = "IgnoreUnknown=1;MAC=02:00:00:00:01:03";
    let mut unknown = refused("mac that host-local does not know", &json!({}));
    unknown.steps[0].args = "MAC=02:00:00:00:01:03";
    let runtime = json!({"runtimeConfig": {"mac": one}, "args": {"cni": {"mac": two}}});
    vec![
        by_args,
        unknown,
        refused("mac by runtime", &runtime),
        refused("mac by args", &json!({"args": {"cni": {"mac": two}}})),
        refused("mac that is none", &json!({"runtimeConfig": {"mac": "zz"}})),
    ]
}

fn requests() -> Vec<Case> {
    let mut by_args = refused("address by CNI_ARGS", &json!({"isGateway": true}));
    by_args.steps[0].args = "IgnoreUnknown=1;IP=10.1.0.77";
    let mut bad = refused("address by CNI_ARGS that is none", &json!({}));
    bad.steps[0].args = "IP=zz";
    let mut garbage = refused("CNI_ARGS that is none", &json!({}));
    garbage.steps[0].args = "garbage";
    vec![
        by_args,
        bad,
        garbage,
        refused("address by args", &json!({"args": {"cni": {"ips": ["10.1.0.78"]}}})),
        refused("address by runtime", &json!({"runtimeConfig": {"ips": ["10.1.0.79/24"]}})),
        refused("address that is the gateway", &json!({"args": {"cni": {"ips": ["10.1.0.1"]}}})),
        refused("address out of range", &json!({"args": {"cni": {"ips": ["10.9.0.1"]}}})),
    ]
}

fn refusals() -> Vec<Case> {
    [
        ("hairpin and promiscuous", json!({"hairpinMode": true, "promiscMode": true})),
        ("mtu too large", json!({"mtu": 70_000})),
        ("vlan too large", json!({"vlan": 5000})),
        ("no such ipam", json!({"ipam": {"type": "nope"}})),
        ("ipam without ranges", json!({"ipam": {"type": "host-local"}})),
        ("subnet too small", json!({"ipam": ipam(&[&["10.1.0.0/31"]])})),
        ("subnet with host bits", json!({"ipam": ipam(&[&["10.1.0.7/24"]])})),
        ("overlapping sets", json!({"ipam": ipam(&[&["10.1.0.0/24"], &["10.1.0.0/25"]])})),
        ("mixed set", json!({"ipam": ipam(&[&["10.1.0.0/24", "fd00:1::/64"]])})),
        ("no name", json!({"name": null})),
        ("bad name", json!({"name": "a b"})),
        ("wrong type of a key", json!({"mtu": "large"})),
        (
            "two v4 sets under 0.2.0",
            json!({"cniVersion": "0.2.0", "ipam": ipam(&[&["10.1.0.0/24"], &["10.2.0.0/24"]])}),
        ),
        (
            "route that the kernel refuses",
            json!({"ipam": ipam_with(&json!({
            "routes": [{"dst": "198.51.100.0/24", "gw": "203.0.113.9"}]}))}),
        ),
    ]
    .iter()
    .map(|(name, keys)| refused(name, &conf(keys)))
    .collect()
}

/// What is there already: links, addresses, other networks, other interfaces.
fn encounters() -> Vec<Case> {
    let gateway = conf(&json!({"isGateway": true}));
    let other = conf(&json!({"name": "other", "bridge": "br1", "isGateway": true,
        "ipam": ipam(&[&["10.2.0.0/24"]])}));
    let second = Step { ifname: "eth1", ..Step::new("ADD", 1, &gateway) };
    let removed = Step { ifname: "eth1", ..Step::new("DEL", 1, &gateway) };
    let gone = Step { netns: Some("/run/netns/gone"), ..Step::new("ADD", 1, &gateway) };
    let no_netns = Step { netns: Some("/run"), ..Step::new("ADD", 1, &gateway) };
    let (add, del) = (Step::new("ADD", 1, &gateway), Step::new("DEL", 1, &gateway));
    let case = |name: &str, before: &'static str, steps: Vec<Step>| Case {
        name: name.to_owned(),
        before,
        steps,
        reach: false,
    };
    let forced = conf(&json!({"isGateway": true, "forceAddress": true}));
    let taken = "link add br0 type bridge\naddr add 10.1.0.99/24 dev br0\n";
    let unforced = vec![Step::new("ADD", 1, &gateway), del.clone()];
    vec![
        case("no bridge", "link add br0 type veth peer name x0\n", vec![add.clone(), del.clone()]),
        case("bridge with another address", taken, unforced),
        case(
            "bridge with another address, forced",
            taken,
            vec![Step::new("ADD", 1, &forced), del.clone()],
        ),
        case("bridge that is there", "link add br0 type bridge\n", vec![add.clone(), del.clone()]),
        case("netns that is gone", "", vec![gone, del.clone()]),
        case("netns that is none", "", vec![no_netns, del.clone()]),
        case("second interface", "", vec![add.clone(), second, removed, del.clone()]),
        case(
            "second network",
            "",
            vec![
                add.clone(),
                Step { ifname: "eth1", ..Step::new("ADD", 1, &other) },
                Step { ifname: "eth1", ..Step::new("DEL", 1, &other) },
                del.clone(),
            ],
        ),
        case("repeated ADD", "", vec![add.clone(), add.clone(), del.clone()]),
        case(
            "CHECK without prevResult",
            "",
            vec![add.clone(), Step::new("CHECK", 1, &gateway), del.clone()],
        ),
        case("DEL before all", "", vec![del.clone()]),
        case("DEL without a netns", "", vec![add, Step { netns: Some(""), ..del }]),
    ]
}

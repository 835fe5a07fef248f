//! `host-local` beside Debian's (1.1.1): same calls, same answers, same files; and each takes over
//! the other's directory.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::call::Answer;
use super::host_local::{Data, Ipam, Program, addresses};
use super::random::Random;
use super::results::newer;

/// Those that Debian's knows; absent is 0.1.0.
const VERSIONS: [&str; 7] = ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"];

const V4: [&str; 5] = [
    r#"{"subnet": "10.88.0.0/29"}"#,
    r#"{"subnet": "10.88.0.0/16", "rangeStart": "10.88.3.250", "rangeEnd": "10.88.4.3"}"#,
    r#"{"subnet": "10.88.0.0/24", "rangeEnd": "10.88.0.5", "gateway": "10.88.0.4"}"#,
    r#"{"subnet": "10.88.0.0/30", "gateway": "192.0.2.1"}"#,
    r#"{"Subnet": "10.88.1.0/24", "RANGESTART": "10.88.1.9", "rangeEnd": "", "gateway": ""}"#,
];
const SECOND_V4: [&str; 3] = [
    r#"{"subnet": "172.16.0.0/28"}"#,
    r#"{"subnet": "172.16.1.0/24", "rangeStart": "172.16.1.0", "rangeEnd": "172.16.1.4"}"#,
    r#"{"subnet": "172.16.2.0/24", "rangeStart": "172.16.2.254"}"#,
];
const V6: [&str; 4] = [
    r#"{"subnet": "fd00:88::/64"}"#,
    r#"{"subnet": "FD00:0088:0::/125"}"#,
    r#"{"subnet": "2001:db8::/32", "rangeStart": "2001:db8:0:0:ffff:ffff:ffff:fffe", "gateway": "fe80::1"}"#,
    r#"{"subnet": "fd00:99::/126", "rangeStart": "fd00:99::0"}"#,
];

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A configuration that is right: one to three range sets, in all the ways to write them.
fn conf(random: &mut Random, data: &Data, version: &str) -> Value {
    let mut ipam = json!({});
    if random.once_in(2) {
        ipam = value(V4[random.below(V4.len())]);
    }
    let mut sets: Vec<Value> = Vec::new();
    let is_new = !["", "0.1.0", "0.2.0"].contains(&version);
    if is_new && random.once_in(2) {
        let ranges: Vec<Value> = SECOND_V4.iter().map(|text| value(text)).collect();
        let from = random.below(3);
        sets.push(ranges[from..(from + 1 + random.below(2)).min(3)].into());
    }
    if ipam == json!({}) && sets.is_empty() || random.once_in(2) {
        sets.push(json!([value(V6[random.below(V6.len())])]));
    }
    let mut conf = data.conf(version, &ipam);
    if version.is_empty() {
        conf.as_object_mut().unwrap().remove("cniVersion");
    }
    if random.once_in(3) {
        conf["runtimeConfig"]["ipRanges"] = sets.into();
    } else if !sets.is_empty() {
        conf["ipam"]["ranges"] = sets.into();
    }
    if random.once_in(3) {
        conf["ipam"]["routes"] = json!([{"dst": "0.0.0.0/0"}, {"dst": "fd00::/8", "gw": "FD00:88::1"}, {"dst": "10.1.2.3/8"}]);
    }
    if random.once_in(5) {
        let path = data.path().join("resolv.conf");
        fs::write(&path, "nameserver 192.0.2.53\nsearch example.org a\n#x\noptions ndots:5\n")
            .unwrap();
        conf["ipam"]["resolvConf"] = path.to_str().unwrap().into();
    }
    conf
}

const WISHES: [&str; 9] = [
    "10.88.0.2",
    "10.88.0.1",
    "10.88.3.251",
    "10.88.0.4",
    "172.16.0.7",
    "172.16.1.0",
    "fd00:88::7",
    "FD00:88:0::9",
    "192.0.2.1",
];

fn wish(random: &mut Random, call: &mut Ipam) {
    let wish = *random.pick(&WISHES);
    match random.below(4) {
        0 => call.args = format!("IP={wish};IgnoreUnknown=1;K8S_POD_NAME=web"),
        1 => call.args = format!("IgnoreUnknown=true;IP={wish}"),
        2 => call.conf["args"]["cni"]["ips"] = json!([wish]),
        _ => call.conf["runtimeConfig"]["ips"] = json!([format!("{wish}/24")]),
    }
}

/// What a plugin of today prints where Debian's prints this.
fn expected(answer: &Answer, version: &str) -> String {
    if version == "1.0.0" { newer(&answer.stdout) } else { answer.stdout.clone() }
}

fn message(stdout: &str) -> String {
    let error: Value = serde_json::from_str(stdout).unwrap();
    error["msg"].as_str().unwrap().to_owned()
}

/// The same files, so that an answer does not depend on an earlier difference.
fn copy(from: &Data, to: &Data) {
    let _ = fs::remove_dir_all(to.network());
    fs::create_dir_all(to.network()).unwrap();
    for (name, content) in from.files() {
        fs::write(to.network().join(name), content).unwrap();
    }
}

#[test]
fn calls_when_made_to_both_then_answers_and_files_are_the_same() {
    let mut random = Random::new(5);
    let (mut added, mut refused) = (0, 0);
    for round in 0..40 {
        let (ours, theirs) = (Data::new(), Data::new());
        let version = *random.pick(&VERSIONS);
        let conf = conf(&mut random, &theirs, version);
        for step in 0..9 {
            let mut call = Ipam::add(&format!("c{}", random.below(4)), &conf);
            call.ifname = format!("eth{}", random.below(2));
            call.command = *random.pick(&["ADD", "ADD", "ADD", "DEL", "CHECK"]);
            if call.command == "CHECK" && !["0.4.0", "1.0.0"].contains(&version) {
                call.command = "ADD";
            }
            if random.once_in(3) {
                wish(&mut random, &mut call);
            }
            let their_answer = call.run(Program::Debians);
            call.conf["ipam"]["dataDir"] = ours.path().to_str().unwrap().into();
            let our_answer = call.ours();
            let place = format!("{round} {step}: {call:#?}\n{our_answer:#?}\n{their_answer:#?}");
            assert_eq!(our_answer.status, their_answer.status, "{place}");
            if our_answer.status.success() {
                added += usize::from(call.command == "ADD");
                assert_eq!(our_answer.stdout, expected(&their_answer, version), "{place}");
                // Debian's DEL makes a directory where there is none.
                let lock = |data: &Data| data.network().join("lock").exists();
                if lock(&ours) || call.command == "ADD" {
                    assert_eq!(ours.files(), theirs.files(), "{place}");
                }
            } else {
                refused += 1;
                assert_eq!(message(&our_answer.stdout), message(&their_answer.stdout), "{place}");
                // Debian's keeps `last_reserved_ip` of a set whose address it took back, and
                // takes back what was there before the call, too.
                copy(&theirs, &ours);
            }
        }
    }
    assert!(added > 80 && refused > 30, "{added} {refused}");
}

/// Configurations and arguments that are wrong. Where a key of the configuration is at fault, ours
/// says which before it says the same.
#[test]
fn refusals_when_compared_then_have_the_words_of_the_reference_plugin() {
    let subnet = json!({"subnet": "10.88.0.0/24"});
    let with = |keys: Value| {
        let mut ipam = subnet.clone();
        ipam.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        ipam
    };
    let ranges = |sets: Value| json!({"ranges": sets});
    for ipam in [
        json!({}),
        json!({"subnet": "zz"}),
        json!({"subnet": "10.88.0.0"}),
        json!({"subnet": "10.88.0.1/24"}),
        json!({"subnet": "fd00::1/64"}),
        json!({"subnet": "10.88.0.0/31"}),
        json!({"subnet": "10.88.0.0/32"}),
        json!({"subnet": "fd00::/127"}),
        json!({"subnet": "::ffff:10.0.0.0/112"}),
        with(json!({"gateway": "zz"})),
        with(json!({"rangeStart": "10.88.0.9", "rangeEnd": "10.88.0.5"})),
        with(json!({"rangeStart": "fd00::1"})),
        with(json!({"rangeStart": "x"})),
        with(json!({"rangeEnd": "10.89.0.5"})),
        with(json!({"rangeEnd": "fd00::1"})),
        with(json!({"rangeEnd": "10.88.0.0"})),
        with(json!({"routes": [{"dst": "zz"}]})),
        with(json!({"routes": [{"dst": "0.0.0.0/0", "gw": "zz"}]})),
        ranges(json!([])),
        ranges(json!([[]])),
        ranges(json!([null])),
        ranges(json!([[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]])),
        ranges(json!([[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/16"}]])),
        ranges(json!([[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/16"}]])),
        ranges(
            json!([[{"subnet": "fd00::/64"}], [{"subnet": "10.1.0.0/16"}], [{"subnet": "fd00::/16"}]]),
        ),
    ] {
        let data = Data::new();
        compare(&Ipam::add("a", &data.conf("0.4.0", &ipam)), &data);
    }
    let data = Data::new();
    let call = Ipam::add("a", &data.conf("0.4.0", &subnet));
    for args in [
        "IP=zz",
        "IP=10.88.0.1",
        "IP=192.0.2.1",
        "FOO=1",
        "FOO=1;BAR=\"2\";IgnoreUnknown=0",
        "ip=10.88.0.2",
        "IgnoreUnknown=x",
        "garbage",
        "a=b=c",
        ";",
        "IP=10.88.0.7;",
    ] {
        compare(&call.args(args), &data);
    }
    let mut call = Ipam::add(
        "a",
        &data.conf(
            "0.2.0",
            &ranges(json!([[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]])),
        ),
    );
    compare(&call, &data);
    call.conf["ipam"].take();
    compare(&call, &data);
}

fn compare(call: &Ipam, data: &Data) {
    let theirs = call.run(Program::Debians);
    // What Debian's leaves of an attempt is not what is compared.
    let _ = fs::remove_dir_all(data.network());
    let ours = call.ours();
    assert_eq!(theirs.status.code(), Some(1), "{call:#?}\n{theirs:#?}");
    let (_, text) = ours.error();
    let theirs = message(&theirs.stdout);
    let is_same =
        text == theirs || text.starts_with("failed to parse config: ") && text.ends_with(&theirs);
    assert!(is_same, "{call:#?}\n--- ours\n{text}\n--- theirs\n{theirs}");
    assert!(data.addresses().is_empty());
}

/// Any call may be answered by either program, and nothing tells.
#[test]
fn directory_when_both_take_turns_then_no_address_is_given_twice_or_lost() {
    let mut random = Random::new(6);
    let data = Data::new();
    let conf = data.conf(
        "0.4.0",
        &json!({"ranges": [[{"subnet": "10.88.0.0/28"}], [{"subnet": "fd00:88::/64"}]]}),
    );
    let mut books: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for step in 0..250 {
        let program = *random.pick(&[Program::Ours, Program::Debians]);
        let (container, interface) = (random.below(8), random.below(2));
        let mut call = Ipam::add(&format!("c{container}"), &conf);
        call.ifname = format!("eth{interface}");
        let has = books.contains_key(&(container, interface));
        let place = format!("{step} {program:?} {container} {interface} {books:?}");
        match (random.below(3), has) {
            (0, _) => {
                assert_eq!(call.command("CHECK").run(program).status.success(), has, "{place}");
            }
            (1, true) => {
                call.command("DEL").run(program).success();
                books.remove(&(container, interface));
            }
            (_, true) => assert!(!call.run(program).status.success(), "{place}"),
            // Hosts 2 to 14 of the smaller range.
            (_, false) if books.len() == 13 => {
                let error = message(&call.run(program).stdout);
                assert!(error.contains("no IP addresses available"), "{place}\n{error}");
                // Debian's took the address of the other set back.
                assert_eq!(data.addresses().len(), 26, "{place}");
            }
            (_, false) => {
                let given = addresses(&call.run(program).success());
                assert!(
                    given.iter().all(|address| !books.values().flatten().any(|it| it == address))
                );
                books.insert((container, interface), given);
            }
        }
        let mut expected: Vec<String> = books
            .values()
            .flatten()
            .map(|cidr| cidr.split('/').next().unwrap().to_owned())
            .collect();
        expected.sort();
        assert_eq!(data.addresses(), expected, "{place}");
    }
}

/// The format before interfaces were written down, which nobody but an update leaves.
#[test]
fn old_format_when_released_by_either_then_goes() {
    for program in [Program::Ours, Program::Debians] {
        let data = Data::new();
        let conf = data.conf("0.4.0", &json!({"subnet": "10.88.0.0/24"}));
        let call = Ipam::add("a", &conf);
        fs::create_dir(data.network()).unwrap();
        fs::write(data.network().join("10.88.0.9"), "a").unwrap();
        let text = message(&call.run(program).stdout);
        assert!(text.contains("10.88.0.9 has been allocated to a"), "{program:?} {text}");
        call.command("CHECK").run(program).success();
        call.command("DEL").run(program).success();
        assert!(data.addresses().is_empty(), "{program:?}");
    }
}

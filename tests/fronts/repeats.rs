//! The same ADD again, and an ADD with other ports.

use std::fs;

use serde_json::{Value, json};

use super::call::{Call, mapping};
use super::host::Host;
use crate::lab::{Lab, Subject};

/// How many batches a call sends.
fn batches(host: &Host, call: &Call) -> usize {
    let trace = host.file("trace");
    let strace = ["strace", "-f", "-qq", "-e", "trace=sendto,sendmsg", "-s", "65536", "-o", &trace];
    host.run(&call.clone().under(&strace)).success();
    let text = fs::read_to_string(trace).unwrap();
    text.lines().filter(|line| line.contains("NFNL_MSG_BATCH_BEGIN")).count()
}

#[test]
fn add_when_repeated_then_sends_no_batch() {
    let host = Host::inhabited();
    let add = host.add();
    assert_eq!(batches(&host, &add), 1);
    let ruleset = host.ruleset();
    assert_eq!(batches(&host, &add), 0);
    assert_eq!(batches(&host, &add.command("CHECK")), 0);
    assert_eq!(host.ruleset(), ruleset);
    assert_eq!(batches(&host, &add.command("DEL")), 1);
    assert_eq!(batches(&host, &add.command("DEL")), 0);
}

#[test]
fn add_when_ports_are_others_then_one_batch_exchanges_them() {
    let host = Host::inhabited();
    let old = host.add().mappings(json!([mapping("tcp", 1000, 80), mapping("udp", 2000, 53)]));
    let new = host.add().mappings(json!([mapping("udp", 2000, 54), mapping("tcp", 3000, 80)]));
    host.run(&old).success();
    assert_eq!(batches(&host, &new), 1);
    let mut ports: Vec<(u64, u64, String)> = host
        .listed()
        .iter()
        .filter(|row| row["container"] == "id-container")
        .map(|row| {
            let number = |key: &str| row[key].as_u64().unwrap();
            let address = row["containerAddress"].as_str().unwrap().to_owned();
            (number("hostPort"), number("containerPort"), address)
        })
        .collect();
    ports.sort();
    let (v4, v6) = ("10.88.0.2".to_owned(), "fd00:88::2".to_owned());
    let expected = [(2000, 54, v4.clone()), (2000, 54, v6.clone()), (3000, 80, v4), (3000, 80, v6)];
    assert_eq!(ports, expected);
    host.run(&new.command("CHECK")).success();
    host.run(&old.command("CHECK")).error();
    host.run(&new.command("DEL")).success();
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
}

/// Each change of a key alone: the ruleset is as if the old one had never been.
#[test]
fn add_when_other_keys_change_then_ruleset_is_that_of_the_new_ones() {
    let changes: [fn(&mut Value); 7] = [
        |_| {},
        |conf| conf["snat"] = false.into(),
        |conf| conf["masqAll"] = true.into(),
        |conf| conf["markMasqBit"] = 5.into(),
        |conf| conf["conditionsV4"] = json!(["!", "-s", "198.51.100.0/24"]),
        |conf| conf["prevResult"]["ips"][0]["address"] = "10.88.0.9/24".into(),
        |conf| conf["runtimeConfig"]["portMappings"][0]["hostIP"] = "192.0.2.1".into(),
    ];
    let host = Host::new();
    let mut alone = Vec::new();
    // Twice, since sets and chains that are everybody's stay.
    for _ in 0..2 {
        alone.clear();
        for change in changes {
            let add = host.add().with(change);
            host.run(&add).success();
            alone.push(host.netns.ruleset());
            host.run(&add.command("DEL")).success();
        }
    }
    for (from, first) in changes.iter().enumerate() {
        for (to, second) in changes.iter().enumerate() {
            host.run(&host.add().with(first)).success();
            let add = host.add().with(second);
            host.run(&add).success();
            assert_eq!(host.netns.ruleset(), alone[to], "from {from} to {to}");
            host.run(&add.command("DEL")).success();
        }
    }
}

/// nft prints the counter of each element: packets that began a flow.
#[test]
fn add_when_repeated_after_traffic_then_counters_stay() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let add = Call::new("ADD", &lab.container, 2).tcp(8080, 80);
    let run = |call: &Call| lab.host.enter(|| call.run(subject.binary())).success();
    run(&add);
    for _ in 0..3 {
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside tcp [2001:db8::1]:8080", "container sees 2001:db8::2"),
        ]);
    }
    let counted = lab.host.ruleset();
    assert_eq!(counted.matches("counter packets 3 ").count(), 2, "{counted}");
    run(&add);
    assert_eq!(lab.host.ruleset(), counted);
    // A port more: those that stay keep their counters.
    run(&add.mappings(json!([mapping("tcp", 8080, 80), mapping("tcp", 8081, 80)])));
    assert_eq!(lab.host.ruleset().matches("counter packets 3 ").count(), 2);
}

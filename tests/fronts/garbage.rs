//! GC: what is left of containers that nobody knows any more.

use serde_json::{Value, json};

use super::call::Call;
use super::host::Host;

fn container(host: &Host, id: &str, number: u8) -> Call {
    Call::new("ADD", &host.container, number).set("CNI_CONTAINERID", id)
}

/// A GC of a network that knows these containers' `eth0`.
fn gc(host: &Host, network: &str, valid: &[&str]) -> Call {
    let valid: Vec<Value> =
        valid.iter().map(|id| json!({"containerID": id, "ifname": "eth0"})).collect();
    let call = host.add().command("GC").network(network).with(|conf| {
        conf["cni.dev/valid-attachments"] = valid.into();
        conf.as_object_mut().unwrap().remove("prevResult");
        conf.as_object_mut().unwrap().remove("runtimeConfig");
    });
    ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"].into_iter().fold(call, Call::unset)
}

#[test]
fn gc_when_attachments_are_listed_then_removes_all_others_of_that_network_only() {
    let host = Host::inhabited();
    host.run(&container(&host, "a", 10)).success();
    host.run(&container(&host, "d", 14).network("othernet")).success();
    host.run(&container(&host, "b", 15).network("lab")).success();
    host.run(&container(&host, "b", 16).network("labnet.2")).success();
    let kept = host.netns.ruleset();
    host.run(&container(&host, "b", 11)).success();
    host.run(&container(&host, "a", 12).ifname("eth1")).success();
    host.run(&container(&host, "c", 13)).success();
    let call = gc(&host, "labnet", &["a", "id-sibling", "never-seen"]);
    assert_eq!(host.run(&call).success(), "");
    assert_eq!(
        host.published(),
        [
            "lab/b/eth0",
            "labnet.2/b/eth0",
            "labnet/a/eth0",
            "labnet/id-sibling/eth0",
            "othernet/d/eth0"
        ]
    );
    assert_eq!(host.netns.ruleset(), kept);
    assert_eq!(host.run(&call).success(), "");
    assert_eq!(host.netns.ruleset(), kept);
    host.run(&container(&host, "a", 10).command("CHECK")).success();
    // Removed is removed: the port is free again.
    host.run(&container(&host, "e", 11)).success();
}

#[test]
fn gc_when_nothing_is_listed_then_removes_all_of_the_network() {
    let host = Host::inhabited();
    host.run(&container(&host, "d", 14).network("othernet")).success();
    for change in [
        |conf: &mut Value| conf["cni.dev/valid-attachments"] = json!([]),
        |conf: &mut Value| conf["cni.dev/valid-attachments"] = Value::Null,
    ] {
        host.run(&container(&host, "a", 10)).success();
        host.run(&gc(&host, "labnet", &[]).with(change)).success();
        assert_eq!(host.published(), ["othernet/d/eth0"]);
    }
}

#[test]
fn gc_when_there_is_no_list_then_removes_nothing() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let without = |conf: &mut Value| {
        conf.as_object_mut().unwrap().remove("cni.dev/valid-attachments");
    };
    let (code, text) = host.run(&gc(&host, "labnet", &[]).with(without)).error();
    assert_eq!((code, text.contains("cni.dev/valid-attachments: missing")), (7, true), "{text}");
    assert_eq!(host.ruleset(), before);
}

#[test]
fn gc_when_host_is_empty_then_succeeds_and_makes_nothing() {
    let host = Host::new();
    assert_eq!(host.run(&gc(&host, "labnet", &["a"])).success(), "");
    assert_eq!(host.ruleset(), "");
}

/// Names too long for a label stand in it as a hash.
#[test]
fn gc_when_names_are_long_then_knows_them_all_the_same() {
    let host = Host::inhabited();
    let (network, kept, gone) = ("n".repeat(200), "a".repeat(200), "b".repeat(200));
    host.run(&container(&host, &kept, 10).network(&network)).success();
    let before = host.netns.ruleset();
    host.run(&container(&host, &gone, 11).network(&network)).success();
    host.run(&gc(&host, &network, &[&kept])).success();
    assert_eq!(host.netns.ruleset(), before);
    assert_eq!(host.published().len(), 2);
}

#[test]
fn gc_when_list_is_malformed_then_removes_nothing() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for list in [
        json!({}),
        json!("a"),
        json!([7]),
        json!([{"containerID": 1}]),
        json!([null]),
        json!([{}]),
        json!([{"containerID": "a"}]),
        json!([{"ifname": "eth0"}]),
    ] {
        let call = gc(&host, "labnet", &[]).with(|conf| conf["cni.dev/valid-attachments"] = list);
        let (code, text) = host.run(&call).error();
        assert_eq!(code, 7, "{text}");
        assert!(text.contains("cni.dev/valid-attachments"), "{text}");
    }
    assert_eq!(host.ruleset(), before);
}

//! Whose a port is: a container's on a network with an interface, as long as it lives.

use std::fs;

use serde_json::{Value, json};

use super::call::{Call, mapping};
use super::host::Host;
use crate::lab::Netns;

/// Two attachments of which the second wants the first one's port.
fn rivals(host: &Host) -> (Call, Call) {
    (host.add().tcp(8080, 80), Call::new("ADD", &host.sibling, 3).tcp(8080, 80))
}

fn owner_of_8080(host: &Host) -> Vec<Value> {
    let mut owners: Vec<Value> = host.listed().iter().map(|row| row["container"].clone()).collect();
    owners.dedup();
    owners
}

#[test]
fn port_when_a_live_container_has_it_then_is_refused_naming_the_container() {
    let host = Host::new();
    let (old, new) = rivals(&host);
    host.run(&old).success();
    let before = host.ruleset();
    let on = |host_ip: &str, ports: &[u16]| -> Call {
        let entry = |port: &u16| {
            let mut entry = mapping("tcp", *port, 80);
            entry["hostIP"] = host_ip.into();
            entry
        };
        new.clone().mappings(ports.iter().map(entry).collect())
    };
    for call in
        [new.clone(), on("", &[8079, 8080, 8081]), on("0.0.0.0", &[8080]), on("::", &[8080])]
    {
        let (code, text) = host.run(&call).error();
        assert_eq!(code, 103, "{text}");
        assert!(text.contains("8080/tcp") && text.contains("id-container"), "{text}");
        assert_eq!(host.ruleset(), before, "{call:?}");
    }
    // Another protocol, another port: nobody's.
    host.run(&new.mappings(json!([mapping("udp", 8080, 80), mapping("tcp", 8081, 80)]))).success();
    assert_eq!(host.published().len(), 2);
}

/// One container on several networks: podman sends the same port mappings for each. The first has
/// them; the others stand by, and have them when it goes, in one step with its going.
#[test]
fn ports_when_the_same_container_has_them_on_another_network_then_stand_by() {
    let host = Host::new();
    let first = host.add().mappings(json!([mapping("tcp", 8080, 80), mapping("udp", 5353, 53)]));
    let second = first.clone().network("othernet").ifname("eth1");
    let third = first.clone().ifname("eth2");
    let base = host.ruleset();
    for call in [&first, &second, &third, &second] {
        host.run(call).success();
        host.run(&call.command("CHECK")).success();
    }
    let in_use = || -> Vec<String> {
        let rows = host.listed().into_iter().filter(|row| row["standby"] == false);
        let mut names: Vec<String> =
            rows.map(|row| row["interface"].as_str().unwrap().to_owned()).collect();
        names.dedup();
        names
    };
    assert_eq!(host.listed().len(), 12);
    assert_eq!(in_use(), ["eth0"]);
    // To another container the ports are taken, whoever of these has them.
    let rival = Call::new("ADD", &host.sibling, 3).tcp(8080, 80);
    for gone in [&first, &third] {
        assert_eq!(host.run(&rival).error().0, 103);
        host.run(&gone.command("DEL")).success();
    }
    assert_eq!(host.run(&rival).error().0, 103);
    assert_eq!(host.published(), ["othernet/id-container/eth1"]);
    host.run(&second.command("CHECK")).success();
    // The next ADD finds the first rank free.
    host.run(&second).success();
    assert_eq!(in_use(), ["eth1"]);
    host.run(&second.command("DEL")).success();
    assert_eq!(host.listed().len(), 0);
    assert!(base.is_empty() && !host.ruleset().contains("id-container"), "{}", host.ruleset());
    host.run(&rival).success();
}

#[test]
fn port_when_its_owners_namespace_is_gone_then_is_taken_over_for_good() {
    let host = Host::new();
    let (old, new) = rivals(&host);
    host.run(&old).success();
    host.tool("ip", &["netns", "delete", "container"]);
    host.run(&new).success();
    assert_eq!(owner_of_8080(&host), ["id-sibling"]);
    host.run(&new.command("CHECK")).success();
    let taken = host.ruleset();
    host.run(&old.command("DEL")).success();
    assert_eq!(owner_of_8080(&host), ["id-sibling"]);
    assert_eq!(host.listed().len(), 2);
    host.run(&new.command("CHECK")).success();
    host.run(&old.command("DEL").set("CNI_NETNS", "").mappings(json!([]))).success();
    assert_eq!(host.listed().len(), 2);
    // At most the old one's record went.
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (was, is) = (lines(&taken), lines(&host.ruleset()));
    assert!(is.iter().all(|line| was.contains(line)), "{taken}{}", host.ruleset());
    host.run(&new.command("DEL")).success();
    assert!(!host.netns.ruleset().contains("id-"), "{}", host.netns.ruleset());
}

/// Packets to the one address would still go to the container that is gone.
#[test]
fn port_on_all_addresses_when_one_that_is_gone_has_it_on_one_address_then_is_taken_over() {
    for conditions in [json!([]), json!(["!", "-s", "198.51.100.0/24"])] {
        let host = Host::new();
        let (old, new) = rivals(&host);
        let mut entry = mapping("tcp", 8080, 80);
        entry["hostIP"] = "192.0.2.1".into();
        let mut old = old.mappings(json!([entry]));
        old.conf["conditionsV4"] = conditions;
        host.run(&old).success();
        host.run(&new).success();
        assert_eq!(host.listed().len(), 3, "both live: one address is the old one's");
        host.run(&new.command("DEL")).success();
        host.tool("ip", &["netns", "delete", "container"]);
        host.run(&new).success();
        assert_eq!(owner_of_8080(&host), ["id-sibling"]);
        assert!(!host.netns.ruleset().contains("id-container"), "{}", host.netns.ruleset());
        host.run(&new.command("CHECK")).success();
    }
}

#[test]
fn port_when_its_owners_path_leads_to_another_namespace_then_is_taken_over() {
    let host = Host::new();
    let (old, new) = rivals(&host);
    host.run(&old).success();
    Netns::add("reborn");
    host.tool("ip", &["netns", "delete", "container"]);
    fs::write("/run/netns/container", "").unwrap();
    host.tool("mount", &["--bind", "/run/netns/reborn", "/run/netns/container"]);
    host.run(&new).success();
    assert_eq!(owner_of_8080(&host), ["id-sibling"]);
}

/// Some of the ports are the new one's now; the others stay the old one's, and go with it.
#[test]
fn ports_when_some_were_taken_over_then_del_of_the_old_removes_the_rest_only() {
    let host = Host::new();
    let (old, new) = rivals(&host);
    let old = old.mappings(json!([mapping("tcp", 8080, 80), mapping("tcp", 8443, 443)]));
    host.run(&old).success();
    host.tool("ip", &["netns", "delete", "container"]);
    host.run(&new).success();
    host.run(&old.command("DEL")).success();
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
    assert_eq!(host.listed().len(), 2);
    host.run(&new.command("CHECK")).success();
}

/// All of an attachment goes, nothing else, whatever the configuration says now.
fn deleted_by(change: impl Fn(&Host, Call) -> Call) {
    let host = Host::inhabited();
    let same_container = [
        host.add().tcp(9001, 80).network("othernet"),
        host.add().tcp(9002, 80).ifname("eth1"),
        host.add().tcp(9003, 80).set("CNI_CONTAINERID", "id-container2"),
        host.add().tcp(9004, 80).network("labnet2"),
    ];
    for call in &same_container {
        host.run(call).success();
    }
    let conf = host.add().with(|conf| {
        conf["conditionsV4"] = json!(["!", "-s", "198.51.100.0/24"]);
        conf["runtimeConfig"]["portMappings"].as_array_mut().unwrap().push(mapping("sctp", 7, 7));
    });
    // What an ADD leaves for good are chains and sets that are everybody's.
    host.run(&conf).success();
    host.run(&conf.command("DEL")).success();
    let before = host.ruleset();
    host.run(&conf).success();
    assert_ne!(host.ruleset(), before);
    let del = change(&host, conf.command("DEL"));
    assert_eq!(host.run(&del).success(), "");
    assert_eq!(host.ruleset(), before);
    assert_eq!(host.run(&del).success(), "");
    assert_eq!(host.ruleset(), before);
}

#[test]
fn del_when_configured_as_at_add_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del);
}

#[test]
fn del_when_prev_result_is_missing_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del.with(|conf| drop(conf.as_object_mut().unwrap().remove("prevResult"))));
}

#[test]
fn del_when_port_mappings_are_missing_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| {
        del.with(|conf| drop(conf.as_object_mut().unwrap().remove("runtimeConfig")))
    });
}

#[test]
fn del_when_port_mappings_are_others_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del.tcp(9001, 80));
    deleted_by(|_, del| del.mappings(json!([mapping("tcp", 8002, 81), mapping("tcp", 1, 1)])));
}

#[test]
fn del_when_addresses_are_others_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| {
        del.with(|conf| {
            conf["prevResult"]["ips"] =
                json!([{"address": "10.99.0.2/24"}, {"address": "fd01::2/48"}]);
        })
    });
}

#[test]
fn del_when_a_mapping_is_malformed_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del.mappings(json!([{"hostPort": "x"}, 7])));
    deleted_by(|_, del| del.mappings(json!({})));
    deleted_by(|_, del| del.mappings(json!([mapping("icmp", 8002, 80)])));
}

#[test]
fn del_when_other_keys_are_malformed_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| {
        del.with(|conf| {
            conf["backend"] = "foo".into();
            conf["markMasqBit"] = 32.into();
            conf["conditionsV4"] = json!(["--bogus"]);
            conf["prevResult"] = json!({"cniVersion": "0.3.1", "ips": 7});
        })
    });
}

#[test]
fn del_when_netns_is_gone_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del.set("CNI_NETNS", "/run/netns/nosuch"));
    deleted_by(|host, del| {
        host.tool("ip", &["netns", "delete", "container"]);
        fs::write("/run/netns/container", "").unwrap();
        let del = del.set("CNI_NETNS", "/run/netns/container");
        Netns::add("unused");
        del
    });
}

#[test]
fn del_when_netns_is_empty_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| del.set("CNI_NETNS", ""));
    deleted_by(|_, del| del.unset("CNI_NETNS"));
}

#[test]
fn del_when_version_is_older_than_at_add_then_removes_all_of_the_attachment_only() {
    deleted_by(|_, del| {
        del.with(|conf| {
            conf["cniVersion"] = "0.1.0".into();
            conf.as_object_mut().unwrap().remove("prevResult");
        })
    });
}

#[test]
fn del_when_never_added_then_succeeds_and_makes_nothing() {
    let host = Host::new();
    assert_eq!(host.run(&host.add().command("DEL")).success(), "");
    assert_eq!(host.ruleset(), "");
    host.netns.nft(super::host::FOREIGN);
    let before = host.ruleset();
    assert_eq!(host.run(&host.add().command("DEL")).success(), "");
    assert_eq!(host.ruleset(), before);
}

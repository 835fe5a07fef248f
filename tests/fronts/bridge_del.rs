//! DEL of `bridge` where what it is told is not true: it deletes the container's things and nobody
//! else's.

use std::process::Command;

use serde_json::{Value, json};

use super::bridge_site::{PLUGINS, Site, leases, links, plugin, tool};
use super::call::{Answer, Call};
use crate::lab::{Netns, run, script};

fn guarded() -> Value {
    json!({"ipMasq": true, "macspoofchk": true, "cniVersion": "1.0.0"})
}

fn handing_back(call: &Call, result: &Value) -> Call {
    call.clone().with(|conf| conf["prevResult"] = result.clone())
}

fn veths(site: &Site) -> Vec<String> {
    links(&site.netns).into_iter().filter(|name| name.starts_with("veth")).collect()
}

/// Everything of the container is gone.
fn assert_gone(site: &Site) {
    assert_eq!(leases(), [""; 0]);
    assert_eq!(veths(site), [""; 0]);
    let rules = site.netns.ruleset();
    assert!(!rules.contains("id-container"), "{rules}");
}

#[test]
fn netns_when_it_is_the_hosts_own_then_no_link_of_the_host_goes() {
    let site = Site::new();
    site.add(&site.call("ADD", &guarded()));
    let before = site.state();
    for path in ["/proc/self/ns/net", "/run/netns/host"] {
        let del = site.call("DEL", &guarded()).set("CNI_NETNS", path).set("CNI_IFNAME", "up0");
        let text = "plugin's netns and netns from CNI_NETNS should not be the same";
        assert_eq!(site.run(&del).error(), (8, text.to_owned()));
        assert_eq!(site.state(), before);
        let own = site.call("DEL", &guarded()).set("CNI_NETNS", path);
        assert_eq!(site.run(&own).error(), (8, text.to_owned()));
        assert_eq!(site.state(), before);
    }
}

/// Who says so may have its container in the host's own namespace: its pair goes, and a link of
/// another kind or of another's is not touched.
#[test]
fn netns_when_it_may_be_the_hosts_own_then_only_the_pair_goes() {
    let site = Site::new();
    let add = site.call("ADD", &guarded());
    let add = add.set("CNI_NETNS", "/run/netns/host").set("CNI_NETNS_OVERRIDE", "1");
    let result = site.add(&add);
    assert!(links(&site.netns).contains(&"eth0".to_owned()));
    site.run(&handing_back(&add.command("DEL"), &result)).success();
    assert_gone(&site);
    let mut left = links(&site.netns);
    left.sort();
    assert_eq!(left, ["br0", "up0", "up1"]);
    // The bridge is no container's interface.
    site.run(&add.command("DEL").set("CNI_IFNAME", "br0")).success();
    assert!(links(&site.netns).contains(&"br0".to_owned()));
}

/// The name of the namespace has been given to another, in which another container lives.
#[test]
fn netns_when_its_path_leads_to_another_then_that_ones_link_stays() {
    let site = Site::new();
    let add = site.call("ADD", &guarded());
    let result = site.add(&add);
    // Something holds the first one, or its links would go with it.
    let mut holder = site.container.enter(|| Command::new("sleep").arg("60").spawn().unwrap());
    run(Command::new("ip").args(["netns", "del", "container"]), "");
    let reborn = Netns::add("container");
    let next = Site::call_for(&reborn, "ADD", &guarded()).set("CNI_CONTAINERID", "next");
    site.add(&next);
    for del in [add.command("DEL"), handing_back(&add.command("DEL"), &result)] {
        site.run(&del).success();
        assert_eq!(links(&reborn), ["eth0"]);
        assert_eq!(leases(), ["net/10.1.0.3", "net/fd00:1::3"]);
        assert_eq!(veths(&site).len(), 1);
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    site.run(&next.command("DEL")).success();
    assert_gone(&site);
}

#[test]
fn interface_when_renamed_inside_then_goes_by_what_the_host_knows() {
    let site = Site::new();
    for is_told in [true, false] {
        let add = site.call("ADD", &guarded());
        let result = site.add(&add);
        site.container.ip("link set eth0 down\nlink set eth0 name other\n");
        let del = add.command("DEL");
        let del = if is_told { handing_back(&del, &result) } else { del };
        site.run(&del).success();
        assert_gone(&site);
        assert_eq!(links(&site.container), [""; 0]);
    }
}

/// The result names a link of the host that has come to be another's.
#[test]
fn port_when_its_name_is_anothers_then_that_one_stays() {
    let site = Site::new();
    let add = site.call("ADD", &guarded());
    let mut result = site.add(&add);
    let sibling = Site::call_for(&site.sibling, "ADD", &guarded());
    let other = site.add(&sibling)["interfaces"][1].clone();
    site.netns.ip("link add veth0 type veth peer name veth1\n");
    // One of another container, one of nobody's, one that is no pair.
    let strange = json!({"name": "veth0", "mac": "02:00:00:00:00:01"});
    for named in [other, strange, json!({"name": "br0"}), json!({"name": "", "mac": "x"})] {
        result["interfaces"][1] = named;
        let del = handing_back(&add.command("DEL"), &result).set("CNI_NETNS", "");
        site.run(&del).success();
        assert_eq!(links(&site.sibling), ["eth0"]);
        assert!(veths(&site).contains(&"veth0".to_owned()));
        assert_eq!(links(&site.container), [""; 0], "{result}");
    }
    site.run(&sibling.command("CHECK").with(|conf| conf["ipam"] = json!({}))).error();
    assert_eq!(leases(), ["net/10.1.0.3", "net/fd00:1::3"]);
}

#[test]
fn failures_when_several_then_all_are_told_and_the_rest_is_done() {
    let site = Site::new();
    script(
        plugin("scripted"),
        r#"[ $CNI_COMMAND = DEL ] && { echo '{"code":77,"msg":"not today","details":"why"}'; exit 1; }
        echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7/24"}]}'"#,
    );
    let mut keys = guarded();
    keys["ipam"] = json!({"type": "scripted"});
    let add = site.call("ADD", &keys);
    site.add(&add);
    std::fs::write("/run/file", "").unwrap();
    let (code, text) = site.run(&add.command("DEL").set("CNI_NETNS", "/run/file")).error();
    let expected = "failed to open netns \"/run/file\": not a namespace; not today\nwhy";
    assert_eq!((code, text.as_str()), (8, expected));
    assert_gone(&site);
}

#[test]
fn result_when_of_another_add_or_unreadable_then_everything_goes_all_the_same() {
    let site = Site::new();
    let add = site.call("ADD", &guarded());
    let stale = site.add(&add);
    site.run(&handing_back(&add.command("DEL"), &stale)).success();
    for result in [stale, json!({"cniVersion": "1.0.0", "ips": 5}), json!([]), json!("x")] {
        site.add(&add);
        site.run(&handing_back(&add.command("DEL"), &result).set("CNI_NETNS", "")).success();
        assert_gone(&site);
    }
}

/// A host changes from Debian's plugins to these while containers run.
#[test]
fn container_when_debians_plugins_made_it_then_goes_with_its_addresses() {
    let site = Site::new();
    for netns in ["/run/netns/container", ""] {
        let add = site.call("ADD", &json!({"cniVersion": "1.0.0"})).set("CNI_PATH", "/usr/lib/cni");
        let answer = site.netns.enter(|| add.run(std::path::Path::new("/usr/lib/cni/bridge")));
        let result: Value = serde_json::from_str(&answer.success()).unwrap();
        assert_eq!((veths(&site).len(), leases().len()), (1, 2));
        let del = handing_back(&add.command("DEL"), &result).set("CNI_PATH", PLUGINS);
        site.run(&handing_back(&del.command("CHECK"), &result)).success();
        site.run(&del.set("CNI_NETNS", netns)).success();
        assert_gone(&site);
        assert_eq!(links(&site.container), [""; 0]);
    }
}

/// The namespace goes while the ADD is at work.
#[test]
fn add_when_the_namespace_goes_meanwhile_then_all_or_nothing_is_done() {
    let site = Site::new();
    script(
        plugin("scripted"),
        "ip netns del container\necho '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.7/24\"}]}'",
    );
    let mut keys = guarded();
    keys["ipam"] = json!({"type": "scripted"});
    let add = site.call("ADD", &keys);
    // The plugin holds it open: it can finish, and DEL finds everything by the host's end.
    let answer: Answer = site.run(&add);
    if answer.status.success() {
        assert!(!site.container.path().exists());
    } else {
        assert_eq!(veths(&site), [""; 0], "{answer:#?}");
    }
    script(plugin("scripted"), "true");
    site.run(&add.command("DEL")).success();
    assert_gone(&site);
    let text = tool(&site.netns, &["ip", "-br", "link"]);
    assert!(!text.contains("veth"), "{text}");
}

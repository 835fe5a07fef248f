//! `bridge`: GC and STATUS.

use serde_json::{Value, json};

use super::bridge_site::{Site, leases, links, plugin};
use super::call::Call;
use crate::lab::script;

fn masqueraded() -> Value {
    json!({"ipMasq": true, "macspoofchk": true})
}

/// The container and its sibling on the network, and both on another one.
fn crowded(site: &Site) -> [Call; 4] {
    let mut other = masqueraded();
    other["name"] = "other".into();
    other["bridge"] = "br1".into();
    other["ipam"] = json!({"type": "host-local", "subnet": "10.2.0.0/24"});
    let calls = [&masqueraded(), &other].map(|keys| {
        [&site.container, &site.sibling].map(|netns| Site::call_for(netns, "ADD", keys))
    });
    let [[first, second], [third, fourth]] = calls;
    let calls = [first, second, third.set("CNI_IFNAME", "eth1"), fourth.set("CNI_IFNAME", "eth1")];
    for call in &calls {
        site.add(call);
    }
    calls
}

fn rules_of(site: &Site, id: &str, network: &str) -> usize {
    let text = site.netns.ruleset();
    text.lines().filter(|line| line.contains(&format!("bridge/{network}/{id}/"))).count()
}

#[test]
fn gc_when_attachments_are_listed_then_only_the_others_of_the_network_go() {
    let site = Site::new();
    let [_, sibling, ..] = crowded(&site);
    assert_eq!(leases().len(), 6);
    assert!(rules_of(&site, "id-container", "net") > 0, "{}", site.netns.ruleset());
    // A link that others have put on the bridge, with and without an alias of theirs.
    site.netns.ip("link add foreign type veth peer name foreign1\nlink set foreign master br0\n");
    site.netns.ip("link set foreign1 alias bridge/net\n");
    let valid = json!([{"containerID": "id-sibling", "ifname": "eth0"}]);
    let gc = site.call("GC", &masqueraded()).unset("CNI_CONTAINERID").unset("CNI_NETNS");
    let gc = gc.with(|conf| conf["cni.dev/valid-attachments"] = valid);
    for _ in 0..2 {
        assert_eq!(site.run(&gc).success(), "");
        assert_eq!(links(&site.container), ["eth1"]);
        assert_eq!(links(&site.sibling), ["eth0", "eth1"]);
        assert_eq!(leases(), ["net/10.1.0.3", "net/fd00:1::3", "other/10.2.0.2", "other/10.2.0.3"]);
        assert_eq!(rules_of(&site, "id-container", "net"), 0, "{}", site.netns.ruleset());
        assert!(rules_of(&site, "id-sibling", "net") > 0);
        assert!(rules_of(&site, "id-container", "other") > 0);
        assert!(links(&site.netns).contains(&"foreign".to_owned()));
    }
    let again = site.run(&sibling.command("DEL"));
    again.success();
}

#[test]
fn gc_when_the_list_is_null_then_all_of_the_network_go() {
    let site = Site::new();
    crowded(&site);
    let gc = site.call("GC", &masqueraded());
    let none = gc.clone().with(|conf| conf["cni.dev/valid-attachments"] = Value::Null);
    // Without a list nothing is said about who is valid: that is no reason to delete all.
    let (code, text) = site.run(&gc).error();
    assert_eq!(code, 7, "{text}");
    assert!(text.contains("cni.dev/valid-attachments"), "{text}");
    assert_eq!(leases().len(), 6);
    assert_eq!(site.run(&none).success(), "");
    assert_eq!(links(&site.container), ["eth1"]);
    assert_eq!(links(&site.sibling), ["eth1"]);
    assert_eq!(leases(), ["other/10.2.0.2", "other/10.2.0.3"]);
    // Another version has no such command.
    let (code, text) = site.run(&none.with(|conf| conf["cniVersion"] = "1.0.0".into())).error();
    assert_eq!((code, text.as_str()), (1, "config version does not allow GC"));
}

#[test]
fn gc_when_ipam_fails_then_the_rest_is_done_and_it_is_told() {
    let site = Site::new();
    let call = site.call("ADD", &json!({"ipam": {"type": "scripted"}, "ipMasq": true}));
    script(
        plugin("scripted"),
        r#"[ $CNI_COMMAND = GC ] && { echo '{"code":77,"msg":"not today"}'; exit 1; }
        echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7/24"}]}'"#,
    );
    site.add(&call);
    let error = site.run(&call.command("GC")).error();
    assert_eq!(error, (77, "not today".to_owned()));
    assert_eq!(links(&site.container), [""; 0]);
    assert_eq!(rules_of(&site, "id-container", "net"), 0);
}

#[test]
fn status_when_the_address_manager_is_missing_or_refuses_then_says_so() {
    let site = Site::new();
    assert_eq!(site.run(&site.call("STATUS", &json!({}))).success(), "");
    let missing = site.call("STATUS", &json!({"ipam": {"type": "nope"}}));
    let (code, text) = site.run(&missing).error();
    assert_eq!(code, 50, "{text}");
    assert!(text.contains("failed to find plugin \"nope\" in path"), "{text}");
    script(plugin("scripted"), r#"echo '{"code":51,"msg":"few left","details":"2"}'; exit 1"#);
    let refusing = site.call("STATUS", &json!({"ipam": {"type": "scripted"}}));
    assert_eq!(site.run(&refusing).error(), (51, "few left\n2".to_owned()));
}

#[test]
fn status_when_no_rules_are_wanted_then_needs_no_firewall() {
    let site = Site::new();
    let powerless =
        |keys: &Value| site.call("STATUS", keys).under(&["setpriv", "--bounding-set=-net_admin"]);
    assert_eq!(site.run(&powerless(&json!({}))).success(), "");
    for keys in [json!({"ipMasq": true}), json!({"macspoofchk": true})] {
        let (code, text) = site.run(&powerless(&keys)).error();
        assert_eq!(code, 50, "{text}");
        assert!(text.contains("CAP_NET_ADMIN"), "{text}");
    }
}

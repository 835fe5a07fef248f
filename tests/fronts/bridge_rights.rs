//! `bridge` without the rights it needs, and in a user namespace, where it has all it needs.

use std::fs;

use serde_json::{Value, json};

use super::bridge_site::{Site, leases, links};

#[test]
fn add_when_rights_are_missing_then_they_are_named_and_nothing_is_left() {
    let site = Site::new();
    let before = site.state();
    let keys = json!({"ipMasq": true});
    for (right, code, name) in
        [("net_admin", 101, "Operation not permitted"), ("sys_admin", 8, "CAP_SYS_ADMIN")]
    {
        let drop = format!("--bounding-set=-{right}");
        let call = site.call("ADD", &keys).under(&["setpriv", &drop]);
        let (found, text) = site.run(&call).error();
        assert_eq!(found, code, "{right}: {text}");
        assert!(text.contains(name), "{right}: {text}");
        assert_eq!(site.state(), before, "{right}");
        assert_eq!(leases(), [""; 0]);
    }
}

/// An address that somebody still has must not be given to another.
#[test]
fn del_when_the_link_cannot_be_deleted_then_its_addresses_stay_assigned() {
    let site = Site::new();
    let add = site.call("ADD", &json!({}));
    site.add(&add);
    let powerless = ["setpriv", "--bounding-set=-net_admin"];
    let (code, text) = site.run(&add.command("DEL").under(&powerless)).error();
    assert_eq!(code, 101, "{text}");
    assert!(text.contains("Operation not permitted"), "{text}");
    assert_eq!(leases(), ["net/10.1.0.2", "net/fd00:1::2"]);
    site.run(&add.command("DEL")).success();
    assert_eq!(leases(), [""; 0]);
}

#[test]
fn del_when_the_namespace_cannot_be_entered_then_the_link_goes_by_its_other_end() {
    let site = Site::new();
    let add = site.call("ADD", &json!({"ipMasq": true}));
    site.add(&add);
    site.run(&add.command("DEL").under(&["setpriv", "--bounding-set=-sys_admin"])).success();
    assert_eq!(links(&site.container), [""; 0]);
    assert_eq!(leases(), [""; 0]);
}

/// The plugin in namespaces of an ordinary user's: `$0` is the plugin, its configuration is in a
/// file. Afterwards neither links nor rules of the container are left.
const ROOTLESS: &str = "
set -e
mount -t tmpfs rootless /run; mkdir /run/netns; ip netns add inner
export CNI_NETNS=/run/netns/inner
ip link set lo up
\"$0\" < /var/lib/conf > /run/result
ip netns exec inner ip -br addr show eth0 > /var/lib/inside
nft list ruleset > /var/lib/rules
CNI_COMMAND=CHECK \"$0\" < /var/lib/conf && exit 90
CNI_COMMAND=DEL \"$0\" < /var/lib/conf
ip -br link > /var/lib/after
nft list ruleset >> /var/lib/after
cat /run/result";

#[test]
fn calls_when_in_a_user_namespace_then_work() {
    let site = Site::new();
    let call = site.call("ADD", &json!({"ipMasq": true, "macspoofchk": true}));
    fs::write("/var/lib/conf", call.stdin()).unwrap();
    let call = call.under(&["unshare", "-Urnm", "sh", "-c", ROOTLESS]);
    let answer = site.run(&call).success();
    let start = answer.find("{\n    \"cniVersion\": \"1.1.0\",\n    \"interfaces\"").unwrap();
    let result: Value = serde_json::from_str(&answer[start..]).unwrap();
    assert_eq!(result["ips"][0]["address"], "10.1.0.2/24");
    let inside = fs::read_to_string("/var/lib/inside").unwrap();
    assert!(inside.contains("10.1.0.2/24") && inside.contains("fd00:1::2/64"), "{inside}");
    assert!(fs::read_to_string("/var/lib/rules").unwrap().contains("masquerade"));
    let after = fs::read_to_string("/var/lib/after").unwrap();
    assert!(!after.contains("veth") && !after.contains("id-container"), "{after}");
    assert_eq!(leases(), [""; 0]);
}

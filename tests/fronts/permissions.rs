//! What the kernel does not allow: the message says which right is missing.

use std::fs;

use serde_json::{Value, json};

use super::call::{Call, mapping};
use super::host::Host;

#[test]
fn status_when_permitted_then_says_nothing() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let answer = host.run(&host.add().command("STATUS"));
    assert_eq!(answer.stderr, "");
    assert_eq!(answer.success(), "");
    assert_eq!(host.ruleset(), before);
}

#[test]
fn calls_when_net_admin_is_missing_then_say_so_and_change_nothing() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let powerless = |command: &str| -> Call {
        host.add().command(command).under(&["setpriv", "--bounding-set=-net_admin"])
    };
    for (command, expected) in
        [("ADD", 100), ("CHECK", 100), ("DEL", 100), ("GC", 100), ("STATUS", 50)]
    {
        let (code, text) = host.run(&powerless(command)).error();
        assert_eq!(code, expected, "{command}: {text}");
        assert!(text.contains("CAP_NET_ADMIN"), "{command}: {text}");
    }
    assert_eq!(host.ruleset(), before);
    // Nothing to publish needs no right.
    host.run(&powerless("ADD").mappings(json!([]))).success();
}

/// Every TCP port there is.
fn all_ports() -> Value {
    (1..=u16::MAX).map(|port| mapping("tcp", port, port)).collect()
}

fn v4_only(conf: &mut Value) {
    conf["prevResult"]["ips"].as_array_mut().unwrap().truncate(1);
}

/// Runs the plugin in a user namespace of its own, with a network of its own: `$0` is the plugin,
/// standard input its own, and the rulesets before and after must be the same.
const IN_USER_NAMESPACE: &str = "
ip link set lo up && ip link add cni0 type bridge && ip addr add 10.88.0.1/16 dev cni0 &&
ip link set cni0 up && nft 'add table inet foreign { chain c { type filter hook input priority 0; }; }' &&
before=$(nft -a list ruleset) || exit 90
\"$0\"
rc=$?
[ \"$before\" = \"$(nft -a list ruleset)\" ] || { echo the ruleset changed >&2; exit 91; }
exit $rc";

#[test]
fn add_when_user_namespace_cannot_send_all_at_once_then_names_the_sysctl_and_the_size() {
    let host = Host::new();
    let call = host.add().mappings(all_ports()).with(v4_only);
    let call = call.under(&["unshare", "-Urn", "sh", "-c", IN_USER_NAMESPACE]);
    let (code, text) = host.run(&call).error();
    assert_eq!(code, 100, "{text}");
    assert!(text.contains("net.core.wmem_max"), "{text}");
    let words = text.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.iter().any(|bytes| *bytes > 4_000_000), "no size of the batch: {text}");
}

#[test]
fn calls_when_user_namespace_and_few_ports_then_work() {
    let host = Host::new();
    for script in [
        "$0 > /dev/null && CNI_COMMAND=CHECK $0 && CNI_COMMAND=DEL $0 && ! nft list ruleset | grep id- &&
         nft delete table inet portcullis",
        "CNI_COMMAND=STATUS $0",
    ] {
        let stdin = host.file("stdin");
        let call = host.add().with(v4_only);
        fs::write(&stdin, call.stdin()).unwrap();
        let script = script.replace("$0", "\"$0\" < /run/stdin");
        let network = IN_USER_NAMESPACE.replace("\"$0\"\n", &format!("{script}\n"));
        host.run(&call.under(&["unshare", "-Urn", "sh", "-c", &network])).success();
    }
}

/// The largest configuration there can be for one address and protocol.
#[test]
fn all_ports_when_published_at_once_then_are_listed_and_deleted() {
    let host = Host::inhabited();
    host.run(&Call::new("DEL", &host.sibling, 3)).success();
    let call = host.add().mappings(all_ports()).with(v4_only);
    host.run(&call).success();
    let listed = host.listed();
    assert_eq!(listed.len(), 65_535);
    assert!((1..).zip(&listed).all(|(port, row)| row["hostPort"] == port));
    host.run(&call.command("CHECK")).success();
    host.run(&call.command("DEL")).success();
    assert!(host.listed().is_empty());
    assert!(
        !host.netns.ruleset().split_once("inet portcullis").unwrap().1.contains("id-container")
    );
}

/// The same without knowing which ports they were.
#[test]
fn all_ports_when_deleted_without_configuration_then_are_gone() {
    let host = Host::new();
    let call = host.add().mappings(all_ports()).with(v4_only);
    host.run(&call).success();
    host.run(&call.command("DEL").mappings(json!([]))).success();
    assert!(host.listed().is_empty());
    assert!(!host.netns.ruleset().contains("id-container"));
}

#[test]
fn list_when_net_admin_is_missing_then_fails_with_the_reason() {
    let host = Host::inhabited();
    let list = format!("exec {} list", env!("CARGO_BIN_EXE_portcullis"));
    let call = host.add().under(&["setpriv", "--bounding-set=-net_admin", "sh", "-c", &list]);
    let answer = host.run(&call);
    assert_eq!((answer.status.code(), answer.stdout.as_str()), (Some(1), ""));
    assert!(answer.stderr.contains("CAP_NET_ADMIN"), "{answer:#?}");
}

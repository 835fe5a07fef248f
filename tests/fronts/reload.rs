//! Living with other owners of rules, and with those who save and reload a ruleset.

use serde_json::json;

use super::call::{Call, mapping};
use super::host::{FOREIGN, Host};

#[test]
fn foreign_tables_when_calls_come_and_go_then_stay_byte_for_byte() {
    let host = Host::new();
    host.netns.nft(FOREIGN);
    assert_eq!(host.netns.ruleset(), FOREIGN);
    let foreign = || -> String {
        let ruleset = host.ruleset();
        ruleset.split("table inet portcullis").next().unwrap().to_owned()
    };
    let before = foreign();
    let add = host.add();
    for call in [&add, &add, &add.command("CHECK"), &add.command("DEL"), &add.command("DEL")] {
        host.run(call).success();
        assert_eq!(foreign(), before, "{call:?}");
    }
    for command in ["GC", "STATUS"] {
        host.run(&add.command(command)).success();
        assert_eq!(foreign(), before, "{command}");
    }
}

/// Every kind of thing that an attachment can have.
fn rich(host: &Host) -> Call {
    let mut on_address = mapping("tcp", 8443, 443);
    on_address["hostIP"] = "192.0.2.1".into();
    let mut on_address_v6 = mapping("tcp", 8443, 443);
    on_address_v6["hostIP"] = "2001:db8::1".into();
    let ports = [mapping("tcp", 8080, 80), mapping("udp", 5353, 53), on_address, on_address_v6];
    host.add().mappings(ports.into_iter().collect())
}

/// `nft list ruleset > file; nft flush ruleset; nft -f file`
fn reload(host: &Host) {
    let listing = host.netns.ruleset();
    host.netns.nft(&format!("flush ruleset\n{listing}"));
    assert_eq!(host.netns.ruleset(), listing);
}

#[test]
fn ruleset_when_reloaded_from_its_listing_then_is_the_same_and_del_removes_all() {
    for variant in 0..5 {
        let host = Host::inhabited();
        let add = rich(&host).with(|conf| match variant {
            1 => conf["conditionsV4"] = json!(["!", "-s", "198.51.100.0/24", "-i", "wan0"]),
            2 => conf["masqAll"] = true.into(),
            3 => conf["markMasqBit"] = 31.into(),
            4 => conf["snat"] = false.into(),
            _ => {}
        });
        for del in [add.command("DEL"), add.command("DEL").mappings(json!([]))] {
            host.run(&add).success();
            reload(&host);
            assert_eq!(host.published().len(), 2);
            host.run(&del).success();
            assert_eq!(host.published(), ["labnet/id-sibling/eth0"], "variant {variant}");
            let ours = host.netns.ruleset().replace(FOREIGN, "");
            assert!(!ours.contains("id-container"), "variant {variant}: {ours}");
            assert!(host.netns.ruleset().contains(FOREIGN.split("table ip ").next().unwrap()));
        }
        let sibling = Call::new("ADD", &host.sibling, 3);
        host.run(&sibling.command("DEL")).success();
        assert!(host.listed().is_empty());
    }
}

/// The ports are in force as before, to the byte.
#[test]
fn check_when_reloaded_then_succeeds() {
    let host = Host::inhabited();
    host.run(&rich(&host)).success();
    reload(&host);
    host.run(&rich(&host).command("CHECK")).success();
}

#[test]
fn add_when_repeated_after_a_reload_then_ports_stay() {
    let host = Host::inhabited();
    let add = rich(&host);
    host.run(&add).success();
    reload(&host);
    let listing = host.netns.ruleset();
    host.run(&add).success();
    assert_eq!(host.netns.ruleset(), listing);
    host.run(&add.command("CHECK")).success();
    host.run(&add.tcp(9000, 80)).success();
    assert_eq!(host.listed().len(), 2 + 4);
}

/// The namespace's identity is not in a listing; an owner of whom nothing is known is alive.
#[test]
fn port_when_reloaded_then_is_still_its_owners() {
    let host = Host::inhabited();
    reload(&host);
    let (code, text) = host.run(&host.add().tcp(8003, 80)).error();
    assert_eq!(code, 103, "{text}");
    assert!(text.contains("id-sibling"), "{text}");
}

#[test]
fn ruleset_when_flushed_then_del_succeeds_and_add_builds_it_anew() {
    let host = Host::inhabited();
    let add = host.add();
    host.run(&add).success();
    host.netns.nft("flush ruleset");
    host.run(&add.command("DEL")).success();
    assert_eq!(host.ruleset(), "");
    let (code, text) = host.run(&add.command("CHECK")).error();
    assert_eq!(code, 105, "{text}");
    host.run(&add).success();
    host.run(&add.command("CHECK")).success();
}

/// Someone deletes one of our elements, rules, or chains: CHECK says what, ADD sets it right.
#[test]
fn parts_when_deleted_by_others_then_check_tells_and_add_mends() {
    let host = Host::inhabited();
    let add = host.add().tcp(8080, 80);
    host.run(&add).success();
    let whole = host.netns.ruleset();
    for damage in [
        "delete element inet portcullis hostports4 { tcp . 8080 }",
        "delete element inet portcullis hairpin4_16 { 10.88.0.0 . tcp . 8080 }",
        "flush chain inet portcullis CNI-HOSTPORT-DNAT",
        "flush chain inet portcullis prerouting",
        "flush chain inet portcullis postrouting",
        "delete chain inet portcullis output",
        "delete counter inet portcullis cni/labnet/id-container/eth0",
        "delete table inet portcullis",
    ] {
        host.netns.nft(damage);
        let (code, text) = host.run(&add.command("CHECK")).error();
        assert_eq!(code, 105, "{damage}: {text}");
        host.run(&add).success();
        host.run(&add.command("CHECK")).success();
        if !damage.contains("table") {
            // Order of chains aside: what was deleted is listed last.
            let sorted = |text: &str| {
                let mut lines: Vec<String> =
                    text.lines().map(|line| line.trim().to_owned()).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&host.netns.ruleset()), sorted(&whole), "{damage}");
        }
    }
}

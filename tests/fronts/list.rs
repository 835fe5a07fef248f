//! `portcullis list`.

use serde_json::{Value, json};

use super::call::{Call, mapping};
use super::host::{FOREIGN, Host};

#[test]
fn list_when_host_is_empty_then_prints_headings_or_an_empty_list() {
    let host = Host::new();
    for script in ["flush ruleset", FOREIGN, "add table inet portcullis"] {
        host.netns.nft(script);
        let before = host.ruleset();
        let text = host.portcullis(&["list"]);
        assert_eq!(text.stderr, "");
        assert_eq!(text.success(), "HOST  PROTO  CONTAINER  NAME  NETWORK  PACKETS\n");
        assert_eq!(host.portcullis(&["list", "--json"]).success(), "[]\n");
        assert_eq!(host.ruleset(), before);
    }
}

/// Three containers, one of them under conditions.
fn published() -> Host {
    let host = Host::new();
    let mut on_address = mapping("tcp", 8443, 443);
    on_address["hostIP"] = "192.0.2.1".into();
    host.run(&host.add().mappings(json!([on_address, mapping("udp", 5353, 53)]))).success();
    let sibling = Call::new("ADD", &host.sibling, 3).tcp(80, 8080).network("othernet");
    host.run(&sibling.with(|conf| {
        conf["conditionsV4"] = json!(["!", "-s", "198.51.100.0/24"]);
    }))
    .success();
    host
}

#[test]
fn list_when_ports_are_published_then_shows_them_by_port() {
    let expected = "\
HOST                      PROTO  CONTAINER        NAME          NETWORK   PACKETS
0.0.0.0:80 (conditional)  tcp    10.88.0.3:8080   id-sibling    othernet  0
[::]:80                   tcp    [fd00:88::3]:8080  id-sibling    othernet  0
";
    let host = published();
    let text = host.portcullis(&["list"]).success();
    let words = |text: &str| -> Vec<Vec<String>> {
        text.lines()
            .map(|line| {
                line.split("  ").filter(|w| !w.is_empty()).map(|w| w.trim().to_owned()).collect()
            })
            .collect()
    };
    let rows = words(&text);
    assert_eq!(rows[..3], words(expected)[..], "{text}");
    assert_eq!(
        rows[3..].iter().map(|row| row[0].as_str()).collect::<Vec<_>>(),
        ["0.0.0.0:5353", "[::]:5353", "192.0.2.1:8443"],
        "{text}"
    );
    // Columns stand under their headings.
    let mut lines = text.lines();
    let at = lines.next().unwrap().find("NAME").unwrap();
    assert!(lines.all(|line| line[at..].starts_with("id-")), "{text}");
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
}

#[test]
fn list_when_json_then_has_an_object_for_each_port() {
    let host = published();
    let row =
        |host_address: Value, port: u16, protocol: &str, to: (&str, u16), who: (&str, &str)| {
            json!({
                "hostAddress": host_address,
                "hostPort": port,
                "protocol": protocol,
                "containerAddress": to.0,
                "containerPort": to.1,
                "container": who.0,
                "network": who.1,
                "interface": "eth0",
                "packets": 0,
                "conditional": (to.0, port) == ("10.88.0.3", 80),
                "standby": false,
            })
        };
    let (web, other) = (("id-container", "labnet"), ("id-sibling", "othernet"));
    let expected = [
        row(Value::Null, 80, "tcp", ("10.88.0.3", 8080), other),
        row(Value::Null, 80, "tcp", ("fd00:88::3", 8080), other),
        row(Value::Null, 5353, "udp", ("10.88.0.2", 53), web),
        row(Value::Null, 5353, "udp", ("fd00:88::2", 53), web),
        row("192.0.2.1".into(), 8443, "tcp", ("10.88.0.2", 443), web),
    ];
    let before = host.ruleset();
    assert_eq!(host.listed(), expected);
    assert_eq!(host.ruleset(), before);
}

/// Whose port it is, and whether it stands by, in the order of the list; IPv4 alone.
fn standing(host: &Host) -> Vec<(u64, String, bool)> {
    let rows = host.listed().into_iter().filter(|row| {
        let address = row["containerAddress"].as_str().unwrap();
        address.starts_with("10.")
    });
    let standing = rows.map(|row| {
        let interface = row["interface"].as_str().unwrap().to_owned();
        (row["hostPort"].as_u64().unwrap(), interface, row["standby"].as_bool().unwrap())
    });
    standing.collect()
}

#[test]
fn list_when_the_first_network_of_a_port_goes_then_the_next_one_no_longer_stands_by() {
    let host = Host::new();
    let first = host.add().tcp(8080, 80);
    let mappings = json!([mapping("tcp", 8080, 80), mapping("tcp", 9090, 90)]);
    let second = first.clone().network("othernet").ifname("eth1").mappings(mappings.clone());
    let third = first.clone().network("thirdnet").ifname("eth2").mappings(mappings);
    for call in [&first, &second, &third] {
        host.run(call).success();
    }
    let row = |port: u64, interface: &str, standby: bool| (port, interface.to_owned(), standby);
    // Nobody is ahead of the second one's other port.
    let mut expected = vec![
        row(8080, "eth0", false),
        row(8080, "eth1", true),
        row(8080, "eth2", true),
        row(9090, "eth1", false),
        row(9090, "eth2", true),
    ];
    assert_eq!(standing(&host), expected);
    host.run(&first.command("DEL")).success();
    expected.remove(0);
    expected[0].2 = false;
    assert_eq!(standing(&host), expected);
    let text = host.portcullis(&["list"]).success();
    let noted: Vec<&str> = text.lines().filter(|line| line.contains("(standby)")).collect();
    assert!(noted.len() == 4 && noted.iter().all(|line| line.contains("thirdnet")), "{text}");
    host.run(&second.command("DEL")).success();
    assert_eq!(standing(&host), [row(8080, "eth2", false), row(9090, "eth2", false)]);
    assert!(!host.portcullis(&["list"]).success().contains("standby"));
}

/// Packets that do not meet the first one's conditions go to the second.
#[test]
fn list_when_the_first_has_conditions_then_only_one_with_conditions_stands_by() {
    for (conditions, standby) in [(json!(null), false), (json!(["-s", "192.0.2.0/24"]), true)] {
        let host = Host::new();
        let conditional = |call: Call, conditions: Value| {
            call.with(|conf| {
                if !conditions.is_null() {
                    conf["conditionsV4"] = conditions;
                }
            })
        };
        let first = host.add().tcp(8080, 80);
        let second = first.clone().network("othernet").ifname("eth1");
        let first = conditional(first, json!(["!", "-s", "198.51.100.0/24"]));
        host.run(&first).success();
        host.run(&conditional(second, conditions)).success();
        let expected = [(8080, "eth0".to_owned(), false), (8080, "eth1".to_owned(), standby)];
        assert_eq!(standing(&host), expected);
    }
}

/// Another program's elements in our table have no container; the list is printed nevertheless.
#[test]
fn list_when_someone_else_adds_an_element_then_prints_it_without_a_name() {
    let host = published();
    for comment in ["", "comment \"mine\"", "comment \"a/b\""] {
        let element =
            format!("element inet portcullis hostports4 {{ tcp . 9 {comment} : 10.88.0.9 . 9 }}");
        host.netns.nft(&format!("add {element}"));
        let listed = host.listed();
        assert_eq!(listed.len(), 6);
        assert_eq!(listed[0]["containerAddress"], "10.88.0.9");
        assert_eq!(host.portcullis(&["list"]).success().lines().count(), 7);
        host.netns.nft("delete element inet portcullis hostports4 { tcp . 9 }");
    }
}

#[test]
fn list_when_its_reader_goes_away_then_ends_quietly() {
    let host = Host::new();
    let many: Value = (1..5000_u16).map(|port| mapping("tcp", port, 80)).collect();
    host.run(&host.add().mappings(many)).success();
    let list = format!("{} list | head -n 1", env!("CARGO_BIN_EXE_portcullis"));
    let mut command = std::process::Command::new("bash");
    let answer = host.netns.enter(|| {
        super::call::Answer::of(command.args(["-c", &format!("set -o pipefail; {list}")]), "")
    });
    assert_eq!(answer.stderr, "");
    assert!(answer.success().starts_with("HOST "));
}

#[test]
fn usage_when_wrong_then_is_an_error_on_stderr() {
    let host = Host::new();
    for arguments in [&[][..], &["nosuch"], &["list", "--nosuch"], &["list", "more"]] {
        let answer = host.portcullis(arguments);
        assert_eq!(answer.status.code(), Some(2), "{answer:#?}");
        assert_eq!(answer.stdout, "");
        assert!(!answer.stderr.is_empty());
    }
    let help = host.portcullis(&["--help"]).success();
    assert!(help.contains("list") && help.contains("portmap"), "{help}");
    for program in ["iptables-save", "iptables-translate", "ip6tables"] {
        assert!(help.contains(program), "{help}");
        assert!(host.portcullis(&[program, "-V"]).success().starts_with(program));
    }
    for help in ["-h", "--help", "help"] {
        let help = host.portcullis(&[help]).success();
        assert!(help.contains("ip6tables-restore-translate"), "{help}");
    }
    let version = host.portcullis(&["--version"]).success();
    assert_eq!(version, format!("portcullis {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_when_a_program_of_iptables_is_named_then_is_that_programs() {
    let host = Host::new();
    for family in ["iptables", "ip6tables"] {
        for kind in ["", "-save", "-restore", "-translate", "-restore-translate"] {
            let program = format!("{family}{kind}");
            let help = host.portcullis(&["help", &program]).success();
            assert!(help.contains(&format!("Usage: {program} ")), "{help}");
            if kind != "-save" {
                assert_eq!(help, host.portcullis(&[&program, "-h"]).success());
            }
        }
    }
    let save = host.portcullis(&["help", "iptables-save"]).success();
    assert!(save.contains("--counters"), "{save}");
    assert!(host.portcullis(&["help", "list"]).success().contains("--json"));
    assert_eq!(host.portcullis(&["help", "nosuch"]).status.code(), Some(2));
}

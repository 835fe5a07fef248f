//! The protocol before any configuration is looked at: commands and environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::host::Host;

const VERSION: &str = "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\
                       \"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n";

#[test]
fn version_when_asked_then_one_json_line_whatever_else_is_given() {
    let host = Host::new();
    let version = host.add().set("CNI_COMMAND", "VERSION");
    let mut alone = version.clone();
    for name in ["PATH", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"] {
        alone = alone.unset(name);
    }
    // podman 4.3 sends the second form.
    for call in [
        version.clone(),
        version.clone().raw("{\"cniVersion\":\"1.0.0\"}"),
        version.clone().raw(""),
        version.raw("no json"),
        alone,
    ] {
        let answer = host.run(&call);
        assert_eq!(answer.stderr, "");
        assert_eq!(answer.success(), VERSION);
    }
}

#[test]
fn no_command_when_called_then_tells_about_itself_on_stderr() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for call in [host.add().unset("CNI_COMMAND"), host.add().set("CNI_COMMAND", "")] {
        let answer = host.run(&call);
        let about = format!(
            "CNI portmap plugin portcullis v{}\nCNI protocol versions supported: \
             0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(answer.stderr, about);
        assert_eq!(answer.success(), "");
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn command_when_unknown_then_is_refused_by_name() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for command in ["FOO", "add", "ADD ", "UPDATE"] {
        let (code, text) = host.run(&host.add().command(command)).error();
        assert_eq!((code, text.as_str()), (4, format!("unknown CNI_COMMAND: {command}").as_str()));
    }
    assert_eq!(host.ruleset(), before);
}

/// What a command needs, in the order of the message.
const NEEDS: [(&str, &[&str]); 5] = [
    ("ADD", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
    ("CHECK", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
    ("DEL", &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]),
    ("GC", &["CNI_PATH"]),
    ("STATUS", &["CNI_PATH"]),
];

#[test]
fn variables_when_some_are_missing_then_all_of_them_are_named() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for (command, needs) in NEEDS {
        for missing in 1..1_u32 << needs.len() {
            let is_missing = |at: usize| missing & (1 << at) != 0;
            let names: Vec<&'static str> =
                (0..needs.len()).filter(|at| is_missing(*at)).map(|at| needs[at]).collect();
            let base = host.add().command(command);
            let unset = names.iter().fold(base.clone(), |call, name| call.unset(name));
            let empty = names.iter().fold(base, |call, name| call.set(name, ""));
            let message = format!("required env variables [{}] missing", names.join(","));
            for call in [unset, empty] {
                // The library looks at the environment first.
                for call in [call.clone(), call.raw("no json")] {
                    let (code, text) = host.run(&call).error();
                    assert_eq!((code, text.as_str()), (4, message.as_str()), "{command}");
                }
            }
        }
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn variables_when_not_utf8_then_call_is_refused() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for name in ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"] {
        let call = host.add().set(name, OsStr::from_bytes(b"\xff\xfe"));
        let (code, _) = host.run(&call).error();
        assert_eq!(code, 4, "{name}");
    }
    assert_eq!(host.ruleset(), before);
}

#[test]
fn names_when_against_the_rules_then_each_rule_has_its_message() {
    let host = Host::inhabited();
    let before = host.ruleset();
    let container = "invalid characters in containerID";
    let characters = "interface name contains / or : or whitespace characters";
    let long = "interface name is too long";
    let table = [
        ("CNI_CONTAINERID", "-x", container),
        ("CNI_CONTAINERID", "_x", container),
        ("CNI_CONTAINERID", "a/b", container),
        ("CNI_CONTAINERID", "a b", container),
        ("CNI_CONTAINERID", "a\n", container),
        ("CNI_CONTAINERID", "a\"b", container),
        ("CNI_CONTAINERID", "caf\u{e9}", container),
        ("CNI_IFNAME", "sixteen-letters0", long),
        ("CNI_IFNAME", ".", "interface name is . or .."),
        ("CNI_IFNAME", "..", "interface name is . or .."),
        ("CNI_IFNAME", "a/b", characters),
        ("CNI_IFNAME", "a:b", characters),
        ("CNI_IFNAME", "a b", characters),
        ("CNI_IFNAME", "a\tb", characters),
        ("CNI_IFNAME", "a\nb", characters),
    ];
    for (variable, value, message) in table {
        for command in ["ADD", "CHECK", "DEL"] {
            let (code, text) = host.run(&host.add().command(command).set(variable, value)).error();
            assert_eq!(code, 4, "{command} {variable}={value:?}: {text}");
            assert!(text.starts_with(message), "{command} {variable}={value:?}: {text}");
        }
    }
    for (name, message) in [
        ("", "missing network name"),
        ("-x", "invalid characters found in network name"),
        ("a/b", "invalid characters found in network name"),
        ("a b", "invalid characters found in network name"),
        ("a\0b", "invalid characters found in network name"),
    ] {
        for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
            let (code, text) = host.run(&host.add().command(command).network(name)).error();
            assert_eq!(code, 7, "{command} {name:?}: {text}");
            assert!(text.starts_with(message), "{command} {name:?}: {text}");
        }
    }
    assert_eq!(host.ruleset(), before);
}

/// As long as names may be: 64 hexadecimal digits is what runtimes use, 15 bytes what links have.
#[test]
fn names_when_long_and_odd_then_add_check_list_and_del_agree() {
    let host = Host::inhabited();
    let (id, network) = ("f".repeat(64), "n".repeat(200));
    for call in [
        host.add().set("CNI_CONTAINERID", &id),
        host.add().network(&network),
        host.add().set("CNI_CONTAINERID", id.repeat(3)).network(&network),
        host.add().ifname("fifteen-letters"),
        host.add().ifname("e\"h{0"),
        host.add().ifname("\u{e9}th0"),
        host.add().ifname("eth0@x"),
        host.add().set("CNI_CONTAINERID", "0._-"),
    ] {
        host.run(&call).success();
        host.run(&call.command("CHECK")).success();
        assert_eq!(host.published().len(), 2, "{call:?}");
        // Whatever the names are, nft must be able to read its own listing.
        let listing = host.netns.ruleset();
        host.netns.nft(&format!("flush ruleset\n{listing}"));
        assert_eq!(host.netns.ruleset(), listing);
        host.run(&call.command("DEL")).success();
        assert_eq!(host.published(), ["labnet/id-sibling/eth0"], "{call:?}");
    }
}

//! Delegation: which address manager is run, with what, and what becomes of its answer.

use std::fs;

use serde_json::{Value, json};

use super::bridge_site::{PLUGINS, Site, leases, links, plain, plugin};
use crate::lab::{copy, script};

/// The usual network with a script as its address manager.
fn scripted() -> Value {
    json!({"ipam": {"type": "scripted", "anything": [1, null, "x"]}})
}

#[test]
fn plugin_when_in_the_second_directory_then_is_found_there() {
    let site = Site::new();
    fs::create_dir("/run/second").unwrap();
    script(
        "/run/second/scripted",
        r#"echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7/24"}]}'"#,
    );
    // What cannot be run is none: a directory of that name.
    fs::create_dir(plugin("scripted")).unwrap();
    let path = format!("{PLUGINS}:/run/second:/run/nowhere");
    let result = site.add(&site.call("ADD", &scripted()).set("CNI_PATH", path));
    assert_eq!(result["ips"][0]["address"], "10.1.0.7/24");
}

#[test]
fn plugin_when_not_found_then_is_named_with_where_it_was_looked_for() {
    let site = Site::new();
    let before = site.state();
    for name in ["nope", "../plugins/host-local"] {
        let call = site.call("ADD", &json!({"ipam": {"type": name}}));
        let call = call.set("CNI_PATH", format!("{PLUGINS}:/run/second"));
        let text = format!("failed to find plugin {name:?} in path [{PLUGINS} /run/second]");
        assert_eq!(site.run(&call).error(), (5, text));
    }
    assert_eq!(site.state(), before);
}

#[test]
fn plugin_when_it_fails_then_its_error_passes_through() {
    let site = Site::new();
    let before = site.state();
    for (text, expected) in [
        (
            r#"echo '{"cniVersion":"1.0.0","code":123,"msg":"no","details":"because"}'; exit 1"#,
            (123, "no\nbecause".to_owned()),
        ),
        (r#"echo '{"code":11,"msg":"later"}'; exit 3"#, (11, "later".to_owned())),
        ("exit 7", (999, "netplugin failed with no error message: exit status: 7".to_owned())),
        (
            "kill -9 $$",
            (999, "netplugin failed with no error message: signal: 9 (SIGKILL)".to_owned()),
        ),
        ("echo words; exit 1", (999, "netplugin failed: \"words\\n\"".to_owned())),
        (r#"echo '{"code":"x","msg":5}'; exit 1"#, {
            (999, r#"netplugin failed: "{\"code\":\"x\",\"msg\":5}\n""#.to_owned())
        }),
    ] {
        script(plugin("scripted"), text);
        assert_eq!(site.run(&site.call("ADD", &scripted())).error(), expected, "{text}");
        assert_eq!(site.state(), before, "{text}");
    }
}

#[test]
fn plugin_when_its_answer_makes_no_sense_then_is_an_error_and_nothing_is_left() {
    let site = Site::new();
    let before = site.state();
    for (text, part) in [
        ("true", "EOF"),
        ("echo words", "expected value"),
        (r#"echo '{"cniVersion":"9.0.0","ips":[]}'"#, "unsupported CNI result version \"9.0.0\""),
        (r#"echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7"}]}'"#, "10.1.0.7"),
        (r#"echo '{"cniVersion":"1.0.0"}'"#, "IPAM plugin returned missing IP config"),
        (
            r#"echo '{"ips":[{"address":"10.1.0.7/24"}],"routes":[{"dst":"0.0.0.0/0","priority":-1}]}'"#,
            "priority",
        ),
    ] {
        script(plugin("scripted"), text);
        let (code, said) = site.run(&site.call("ADD", &scripted())).error();
        assert_eq!(code, 6, "{text}: {said}");
        assert!(said.contains(part), "{text}: {said}");
        assert_eq!(site.state(), before, "{text}");
    }
}

#[test]
fn plugin_when_its_answer_has_no_version_then_it_is_the_configurations() {
    let site = Site::new();
    for (version, answer) in [
        ("1.1.0", r#"{"ips":[{"address":"10.1.0.7/24"}]}"#),
        ("0.4.0", r#"{"ips":[{"version":"4","address":"10.1.0.7/24"}]}"#),
        ("0.2.0", r#"{"ip4":{"ip":"10.1.0.7/24"}}"#),
        // And one of another version than the configuration's is converted.
        ("1.0.0", r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.7/24"}}"#),
    ] {
        script(plugin("scripted"), &format!("echo '{answer}'"));
        let mut keys = scripted();
        keys["cniVersion"] = version.into();
        let call = site.call("ADD", &keys);
        let result = site.add(&call);
        let ip =
            if version == "0.2.0" { &result["ip4"]["ip"] } else { &result["ips"][0]["address"] };
        assert_eq!(ip, "10.1.0.7/24", "{result}");
        site.run(&call.command("DEL")).success();
    }
}

/// After an ADD that fails later on the addresses are given back: by DEL, with the same
/// environment and configuration.
#[test]
fn plugin_when_the_add_fails_after_it_then_is_called_for_del() {
    let site = Site::new();
    script(
        plugin("scripted"),
        r#"env | grep ^CNI_ | sort > /run/env.$CNI_COMMAND; cat > /run/stdin.$CNI_COMMAND
        [ $CNI_COMMAND = DEL ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.7/24"}],
            "routes":[{"dst":"198.51.100.0/24","gw":"203.0.113.1"}]}'"#,
    );
    let before = site.state();
    let call = site.call("ADD", &scripted()).set("CNI_ARGS", "IgnoreUnknown=1;A=b");
    let (code, text) = site.run(&call).error();
    assert_eq!(code, 101, "{text}");
    assert!(text.contains("203.0.113.1"), "{text}");
    assert_eq!(site.state(), before);
    for command in ["ADD", "DEL"] {
        let env = fs::read_to_string(format!("/run/env.{command}")).unwrap();
        let expected = format!(
            "CNI_ARGS=IgnoreUnknown=1;A=b\nCNI_COMMAND={command}\nCNI_CONTAINERID=id-container\n\
             CNI_IFNAME=eth0\nCNI_NETNS=/run/netns/container\nCNI_PATH={PLUGINS}\n"
        );
        assert_eq!(env, expected);
        let stdin = fs::read_to_string(format!("/run/stdin.{command}")).unwrap();
        let stdin: Value = serde_json::from_str(&stdin).unwrap();
        assert_eq!(stdin, call.conf);
    }
}

/// One that was given its addresses and then says nonsense gets them back as well.
#[test]
fn plugin_when_its_addresses_cannot_be_used_then_is_called_for_del() {
    let site = Site::new();
    script(
        plugin("scripted"),
        r#"echo $CNI_COMMAND >> /run/commands; echo '{"cniVersion":"1.0.0","ips":[]}'"#,
    );
    site.run(&site.call("ADD", &scripted())).error();
    assert_eq!(fs::read_to_string("/run/commands").unwrap(), "ADD\nDEL\n");
}

/// How many programs a call starts, itself included, and its answer.
fn executions(site: &Site, call: &super::call::Call) -> (usize, String) {
    let strace = ["strace", "-f", "-qq", "-o", "/run/strace", "-e", "trace=execve"];
    let answer = site.run(&call.clone().under(&strace)).success();
    let log = fs::read_to_string("/run/strace").unwrap();
    (log.lines().filter(|line| line.contains("execve(") && line.ends_with("= 0")).count(), answer)
}

#[test]
fn host_local_when_it_is_this_program_then_is_not_executed_and_answers_the_same() {
    let site = Site::new();
    fs::create_dir("/run/copy").unwrap();
    copy(env!("CARGO_BIN_EXE_portcullis"), "/run/copy/host-local");
    let mut answers = Vec::new();
    for (path, programs) in [(PLUGINS, 1), ("/run/copy", 2)] {
        let call = site.call("ADD", &json!({"cniVersion": "1.0.0"})).set("CNI_PATH", path);
        let (started, result) = executions(&site, &call);
        assert_eq!(started, programs, "ADD with {path}");
        let result: Value = serde_json::from_str(&result).unwrap();
        assert_eq!(leases(), ["net/10.1.0.2", "net/fd00:1::2"]);
        let check = call.command("CHECK").with(|conf| conf["prevResult"] = result.clone());
        assert_eq!(executions(&site, &check), (programs, String::new()), "CHECK with {path}");
        let again = site.run(&call);
        let del = call.command("DEL").with(|conf| conf["prevResult"] = result.clone());
        assert_eq!(executions(&site, &del), (programs, String::new()), "DEL with {path}");
        assert_eq!(leases(), [""; 0]);
        // The refusal of an address that is asked for, in the same words.
        let gateway = call.clone().set("CNI_ARGS", "IgnoreUnknown=1;IP=10.1.0.1");
        let refused = site.run(&gateway).error();
        again.error();
        fs::remove_dir_all("/var/lib/cni").unwrap();
        answers.push((plain(result), refused));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(links(&site.container), [""; 0]);
}

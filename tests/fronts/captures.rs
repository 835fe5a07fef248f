//! Calls as Podman and containerd really make them, from `tests/captures`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::call::Call;
use super::host::Host;

/// A recorded call, with its container's namespace put where the test's container lives.
struct Capture {
    call: Call,
    /// What the reference plugin printed.
    answer: Value,
}

impl Capture {
    fn read(name: &str, host: &Host) -> Capture {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/{name}.json"));
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let capture: Value = serde_json::from_str(&text).expect("JSON");
        let netns = sandbox(&capture).to_owned();
        let text = text.replace(&netns, &host.container.path().to_string_lossy());
        let capture: Value = serde_json::from_str(&text).expect("JSON");
        let call =
            Call::new("ADD", &host.container, 2).with(|conf| *conf = capture["stdin"].clone());
        let variables =
            ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"];
        let value = |name: &str| capture["env"][name].as_str().expect("recorded").to_owned();
        let call = variables.into_iter().fold(call, |call, name| call.set(name, value(name)));
        Capture { call, answer: capture["stdout"].clone() }
    }
}

/// The namespace as prevResult names it: DEL may come without `CNI_NETNS`.
fn sandbox(capture: &Value) -> &str {
    let interfaces = capture["stdin"]["prevResult"]["interfaces"].as_array().expect("interfaces");
    interfaces.iter().find_map(|interface| interface["sandbox"].as_str()).expect("a sandbox")
}

/// What says nothing: `"dns": {}` is printed in all versions by older plugins only.
fn without_empty_dns(mut result: Value) -> Value {
    if result["dns"].as_object().is_some_and(serde_json::Map::is_empty) {
        result.as_object_mut().expect("a result is an object").remove("dns");
    }
    result
}

fn portmap_when_called_by(runtime: &str, network: &str, ports: &[u64]) {
    let host = Host::inhabited();
    let [add, del] =
        ["add", "del"].map(|c| Capture::read(&format!("{runtime}-portmap-{c}"), &host));
    let answer = serde_json::from_str(&host.run(&add.call).success()).expect("a result");
    assert_eq!(without_empty_dns(answer), without_empty_dns(add.answer));
    let listed = host.listed();
    let listed = listed.iter().filter(|row| row["network"] == network);
    let mut listed: Vec<u64> = listed.filter_map(|row| row["hostPort"].as_u64()).collect();
    listed.sort_unstable();
    assert_eq!(listed, ports);

    assert_eq!(host.run(&del.call).success(), "");
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
}

#[test]
fn portmap_when_called_by_podman_then_answers_as_the_reference_does() {
    portmap_when_called_by("podman", "blue", &[7007, 7007, 7007, 7007, 8080, 8080]);
}

/// DEL comes with an empty `CNI_NETNS`.
#[test]
fn portmap_when_called_by_containerd_then_answers_as_the_reference_does() {
    portmap_when_called_by("containerd", "amber", &[7007, 7007, 7007, 7007, 8080, 8080]);
}

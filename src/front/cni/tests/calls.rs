//! A call read from environment and configuration.

use super::*;

/// Of several faults the first is told: environment, JSON, network, command, names, version.
#[test]
fn faults_when_several_then_the_first_one_is_told() {
    let parse = |env: &Environment, stdin: &str| {
        let error = Call::parse(env, stdin.as_bytes(), PORTMAP.versions).err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let mut bad = Environment { container_id: String::new(), ..env("ADD") };
    assert_eq!(parse(&bad, "x"), "required env variables [CNI_CONTAINERID] missing");
    bad.container_id = "/".to_owned();
    bad.command = "FOO".to_owned();
    assert!(parse(&bad, "x").starts_with("error unmarshall network config"));
    assert_eq!(parse(&bad, "{}"), "missing network name");
    assert_eq!(parse(&bad, r#"{"name":"n"}"#), "unknown CNI_COMMAND: FOO");
    bad.command = "CHECK".to_owned();
    let old = r#"{"name":"n","cniVersion":"9"}"#;
    assert_eq!(parse(&bad, old), "invalid characters in containerID");
    bad.container_id = "web".to_owned();
    assert_eq!(parse(&bad, old), "incompatible CNI versions");
    assert_eq!(parse(&bad, r#"{"name":"n"}"#), "config version does not allow CHECK");
}

#[test]
fn owner_when_of_a_container_then_names_network_container_and_interface() {
    let owner = call(&json!({})).map(|call| call.owner().label().to_owned());
    assert_eq!(owner.ok().as_deref(), Some("cni/net/web/eth0"));
}

#[test]
fn valid_attachments_when_given_then_are_pairs() {
    let list = json!([
        {"containerID": "a", "ifname": "eth0"},
        {"CONTAINERID": "b", "IFNAME": "eth1"},
    ]);
    let config = Config::parse(json!({"cni.dev/valid-attachments": list}).to_string().as_bytes());
    let valid = config.and_then(|config| config.valid_attachments()).unwrap_or_default();
    let pair = |id: &str, ifname: &str| (id.to_owned(), ifname.to_owned());
    assert_eq!(valid, [pair("a", "eth0"), pair("b", "eth1")]);
}

#[test]
fn version_when_absent_or_empty_then_is_the_oldest() {
    for text in [None, Some(""), Some("0.1.0")] {
        let version = CniVersion::parse(text, &CniVersion::ALL);
        assert_eq!(version.ok(), Some(CniVersion::V0_1_0), "{text:?}");
    }
    for version in CniVersion::ALL {
        let text = version.to_string();
        assert_eq!(CniVersion::parse(Some(&text), &CniVersion::ALL).ok(), Some(version));
        assert!(CniVersion::parse(Some(&text), &[]).is_err());
    }
    assert!(CniVersion::ALL.is_sorted());
}

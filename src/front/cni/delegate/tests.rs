use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

/// Code, message and details of what a plugin printed before it exited with 1.
fn said(stdout: &str) -> (u32, String, Option<String>) {
    ended(ExitStatus::from_raw(1 << 8), stdout)
}

fn ended(status: ExitStatus, stdout: &str) -> (u32, String, Option<String>) {
    let output = Output { status, stdout: stdout.as_bytes().to_vec(), stderr: vec![] };
    let error = delegate_error(&output);
    (error.code(), error.to_string(), error.details())
}

#[test]
fn error_when_it_is_an_object_then_is_handed_on_as_it_is() {
    let text = r#"{"cniVersion": "1.0.0", "code": 11, "msg": "later", "details": "why", "x": 1}"#;
    assert_eq!(said(text), (11, "later".to_owned(), Some("why".to_owned())));
    assert_eq!(said(r#"{"code": 4294967295, "msg": ""}"#), (u32::MAX, String::new(), None));
}

#[test]
fn error_when_there_is_none_then_says_how_the_plugin_ended() {
    let exited = "netplugin failed with no error message: exit status: 1".to_owned();
    assert_eq!(said(""), (999, exited, None));
    let killed = "netplugin failed with no error message: signal: 9 (SIGKILL)".to_owned();
    assert_eq!(ended(ExitStatus::from_raw(9), ""), (999, killed, None));
}

#[test]
fn error_when_it_is_something_else_then_is_shown() {
    for text in [
        "words",
        "[]",
        "5",
        r#"{"code": 5}"#,
        r#"{"msg": "no code"}"#,
        r#"{"code": -1, "msg": "negative"}"#,
        r#"{"code": 4294967296, "msg": "too large"}"#,
        r#"{"code": "5", "msg": "a text"}"#,
    ] {
        assert_eq!(said(text), (999, format!("netplugin failed: {text:?}"), None));
    }
}

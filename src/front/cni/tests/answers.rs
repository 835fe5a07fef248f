//! What a plugin writes, and its exit code.

use super::*;

/// What a plugin writes to standard output and standard error.
fn answer(command: &str, stdin: &str) -> (ExitCode, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let get = |name: &str| if name == "CNI_COMMAND" { command.to_owned() } else { String::new() };
    let code = run(&PORTMAP, get, stdin.as_bytes(), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
    (code, text(out), text(err))
}

#[test]
fn version_when_asked_then_is_one_line() {
    let (code, out, err) = answer("VERSION", "no json");
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(out.starts_with("{\"cniVersion\":\"1.1.0\",") && out.ends_with("]}\n"), "{out}");
    assert_eq!(err, "");
}

/// Four spaces, no newline at the end, as the reference library prints.
#[test]
fn error_when_printed_then_looks_like_the_librarys() {
    let (code, out, _) = answer("GC", "");
    assert_eq!(code, ExitCode::FAILURE);
    let expected =
        "{\n    \"code\": 4,\n    \"msg\": \"required env variables [CNI_PATH] missing\"\n}";
    assert_eq!(out, expected);
}

#[test]
fn no_command_when_called_then_only_stderr_is_written() {
    let (code, out, err) = answer("", "");
    assert_eq!((code, out.as_str()), (ExitCode::SUCCESS, ""));
    assert!(err.starts_with("CNI portmap plugin portcullis v"), "{err}");
}

#[test]
fn stdout_when_closed_then_is_a_failure() {
    let mut full: &mut [u8] = &mut [0; 4];
    let get = |name: &str| if name == "CNI_COMMAND" { "VERSION" } else { "" }.to_owned();
    let code = run(&PORTMAP, get, &b""[..], &mut full, &mut Vec::new());
    assert_eq!(code, ExitCode::FAILURE);
}

#[test]
fn faults_when_mapped_then_have_the_documented_codes() {
    use crate::attachment::Fault;
    for (fault, code) in [
        (Fault::Netns, 8),
        (Fault::Io, 5),
        (Fault::Configuration, 7),
        (Fault::TryAgain, 11),
        (Fault::Firewall, 100),
        (Fault::Link, 101),
        (Fault::PortTaken, 103),
        (Fault::NotOurs, 104),
        (Fault::Differs, 105),
        (Fault::KernelLacks, 106),
    ] {
        assert_eq!(fault_code(fault), code, "{fault:?}");
    }
}

#[test]
fn codes_when_mapped_then_are_those_of_the_specification_and_ours() {
    let taken = attachment::Error::PortTaken { port: "1/tcp".into(), owner: "web".into() };
    let differs = attachment::Error::Differs { plan: "add x".into() };
    for (error, code) in [
        (Error::CommandTooNew { command: "GC" }, 1),
        (Error::UnknownCommand { command: "x".into() }, 4),
        (Error::Stdin(std::io::Error::other("x")), 5),
        (Error::Json { reason: "x".into() }, 6),
        (Error::PrevResult { reason: "x".into() }, 6),
        (Error::TwoMarks, 7),
        (Error::NoPrevResult { command: "ADD" }, 7),
        (Error::Netns(NetnsError::Own), 8),
        (Error::NotAvailable(Box::new(Error::TwoMarks)), 50),
        (taken.into(), 103),
        (differs.into(), 105),
    ] {
        assert_eq!(error.code(), code, "{error}");
        let json = error.to_json(Some(CniVersion::V1_0_0));
        assert_eq!(json["code"], code);
        assert_eq!(json["cniVersion"], "1.0.0");
        assert!(json["msg"].as_str().is_some_and(|msg| !msg.is_empty()));
    }
}

#[test]
fn difference_when_told_then_the_plan_is_in_the_details() {
    let error = Error::from(attachment::Error::Differs { plan: "add x".into() });
    assert_eq!(error.details().as_deref(), Some("add x"));
}

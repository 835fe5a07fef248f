//! Where the programs are called: at the end of a pipe that nobody reads, and without privileges.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

use crate::lab::{Netns, feed, isolate};
use crate::world::Family;

const REAL: &str = "/usr/sbin/xtables-nft-multi";
const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// Runs words of a shell where `$binary` is ours.
fn shell(netns: &Netns, script: &str) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).env("binary", BINARY);
    netns.enter(|| feed(&mut bash, ""))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn print_when_the_reader_has_gone_then_ends_without_a_word() {
    isolate();
    let netns = Netns::add("pipe");
    // More than a pipe holds.
    let rule = format!("-A INPUT -m comment --comment {} -j ACCEPT\n", "x".repeat(200));
    let file = format!("*filter\n:INPUT ACCEPT [0:0]\n{}COMMIT\n", rule.repeat(2000));
    let restored = Family::Ours.call(&netns, &words(&["iptables-restore"]), &file);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    for program in ["iptables -S", "iptables -vnL", "iptables-save", "iptables-save -c"] {
        let script = format!("$binary {program} | head -1; echo ${{PIPESTATUS[0]}}");
        let output = shell(&netns, &script);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{program}");
        let out = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = out.lines().collect();
        // As a shell sees one that SIGPIPE has ended.
        assert!(matches!(lines.as_slice(), [_, "141"]), "{program}: {out}");
    }
    // Translating needs no kernel, and ends the same.
    let file = format!("*filter\n:INPUT ACCEPT [0:0]\n{}COMMIT\n", rule.repeat(2000));
    let script = "$binary iptables-restore-translate | head -1; echo ${PIPESTATUS[0]}";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).env("binary", BINARY);
    let output = feed(&mut bash, &file);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.stdout.ends_with(b"\n141\n"), "{output:?}");
}

#[test]
fn call_when_privileges_are_missing_then_says_what_iptables_says() {
    isolate();
    let netns = Netns::add("powerless");
    let calls = [
        "iptables -S",
        "iptables -L",
        "iptables -nL INPUT 1",
        "iptables -t nat -A POSTROUTING -j MASQUERADE",
        "iptables -N X",
        "iptables -C INPUT -j DROP",
        "iptables -D INPUT 1",
        "iptables -P INPUT DROP",
        "iptables -F",
        "iptables -Z",
        "ip6tables -t nat -L",
        "iptables-save",
        "ip6tables-save -t filter",
        "iptables-restore",
    ];
    let file = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n";
    let answer = |binary: &str, call: &str| {
        let mut words = call.split(' ');
        let program = words.next().unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-net_admin", "bash", "-c"]);
        command.arg("exec -a \"$0\" \"$binary\" \"$@\"").arg(program).args(words);
        command.env("binary", binary);
        let output = netns.enter(|| feed(&mut command, file));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for call in calls {
        let (code, out, err) = answer(BINARY, call);
        assert_eq!(code, Some(4), "{call}: {err}");
        assert!(err.contains("Permission denied (you must be root)"), "{call}: {err}");
        assert_eq!((code, out, err), answer(REAL, call), "{call}");
    }
}

#[test]
fn words_when_not_utf8_then_are_refused_and_not_taken_for_others() {
    isolate();
    let netns = Netns::add("bytes");
    for program in ["iptables", "iptables-translate"] {
        let mut command = Command::new(BINARY);
        command.args([program, "-A", "INPUT", "-m", "comment", "--comment"]);
        command.arg(OsStr::from_bytes(b"a\xff")).args(["-j", "ACCEPT"]);
        let output = netns.enter(|| feed(&mut command, ""));
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.starts_with(&format!("{program} v1.8.9 (nf_tables): `a\u{fffd}' is not UTF-8\n"))
        );
    }
    // In a file too; what stands in front of it in the same table is not done either.
    let file = b"*filter\n-A INPUT -j DROP\n-A INPUT -m comment --comment \"a\xff\"\nCOMMIT\n";
    let path = std::env::temp_dir().join(format!("bytes-{}.save", std::process::id()));
    fs::write(&path, file).unwrap();
    let mut restore = Command::new(BINARY);
    restore.arg("iptables-restore").arg(&path);
    let output = netns.enter(|| feed(&mut restore, ""));
    fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("UTF-8"));
    assert!(!Family::Ours.saved(&netns, "iptables-save").iter().any(|line| line.starts_with("-A")));
}

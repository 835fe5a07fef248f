//! `portcullis install iptables` and `uninstall iptables`, on copies of the machine's own
//! alternatives that no other process sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{isolate, run};

use super::call::Answer;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// Lets the calling thread and its children write to layers of their own over what
/// update-alternatives changes.
const LAYERS: &str = "
for directory in /usr/sbin /etc/alternatives /var/lib/dpkg/alternatives; do
    layer=/run/layers$directory
    mkdir -p $layer/upper $layer/work
    mount -t overlay layer -o lowerdir=$directory,upperdir=$layer/upper,workdir=$layer/work $directory
done
mount -t tmpfs log /var/log
";

fn isolate_with_layers() {
    isolate();
    run(Command::new("sh").args(["-ec", LAYERS]), "");
}

fn portcullis(words: &[&str]) -> Answer {
    Answer::of(Command::new(BINARY).args(words), "")
}

fn alternatives(words: &[&str]) -> String {
    Answer::of(Command::new("update-alternatives").arg("--quiet").args(words), "").success()
}

/// All that is registered for both names.
fn registered() -> [String; 2] {
    ["iptables", "ip6tables"].map(|name| alternatives(&["--query", name]))
}

/// The programs of the package, and what each leads to in the end.
fn programs() -> Vec<(PathBuf, Option<PathBuf>)> {
    let all = fs::read_dir("/usr/sbin").unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = all.map(|path| (path.clone(), path.canonicalize().ok())).collect();
    all.sort();
    all
}

fn version(program: &str) -> String {
    Answer::of(Command::new(program).arg("--version"), "").success()
}

#[test]
fn install_iptables_when_nobody_chose_then_it_is_the_best_and_goes_without_a_trace() {
    isolate_with_layers();
    alternatives(&["--auto", "iptables"]);
    alternatives(&["--auto", "ip6tables"]);
    let before = (registered(), programs());
    portcullis(&["install", "iptables"]).success();
    for program in ["iptables", "ip6tables"] {
        let path = Path::new("/usr/sbin").join(program);
        assert_eq!(path.canonicalize().unwrap(), Path::new(BINARY).canonicalize().unwrap());
        let said = version(program);
        assert!(said.starts_with(&format!("{program} v1.8.9 (nf_tables) portcullis ")), "{said}");
        let saved = Answer::of(&mut Command::new(format!("{program}-save")), "");
        assert_eq!(saved.success(), "");
    }
    let again = portcullis(&["install", "iptables"]).success();
    assert_eq!(again, "/usr/sbin/iptables: unchanged\n/usr/sbin/ip6tables: unchanged\n");
    portcullis(&["uninstall", "iptables"]).success();
    assert_eq!((registered(), programs()), before);
    assert!(!version("iptables").contains("portcullis"));
    assert!(!Path::new("/usr/sbin/.portcullis-before").exists());
}

#[test]
fn install_iptables_when_legacy_was_chosen_then_it_is_chosen_again_afterwards() {
    isolate_with_layers();
    alternatives(&["--set", "iptables", "/usr/sbin/iptables-legacy"]);
    alternatives(&["--auto", "ip6tables"]);
    let before = registered();
    let said = portcullis(&["install", "iptables"]).success();
    assert!(said.contains("it was /usr/sbin/iptables-legacy"), "{said}");
    assert!(
        version("iptables").contains("portcullis") && version("ip6tables").contains("portcullis")
    );
    // The record of before is not overwritten by the state in between.
    portcullis(&["install", "iptables"]).success();
    portcullis(&["uninstall", "iptables"]).success();
    assert_eq!(registered(), before);
    assert!(version("iptables").contains("(legacy)"));
}

#[test]
fn uninstall_iptables_when_another_was_chosen_since_then_that_stays() {
    isolate_with_layers();
    alternatives(&["--set", "iptables", "/usr/sbin/iptables-legacy"]);
    portcullis(&["install", "iptables"]).success();
    alternatives(&["--set", "iptables", "/usr/sbin/iptables-nft"]);
    portcullis(&["uninstall", "iptables"]).success();
    let [iptables, _] = registered();
    assert!(iptables.contains("Value: /usr/sbin/iptables-nft\n"), "{iptables}");
    assert!(iptables.contains("Status: manual\n"), "{iptables}");
    assert!(!iptables.contains("portcullis"), "{iptables}");
}

/// What somebody chooses between two calls of `install` is what was there before the second.
#[test]
fn install_iptables_when_another_was_chosen_since_then_that_is_chosen_again_afterwards() {
    for first in [&["--auto", "iptables"][..], &["--set", "iptables", "/usr/sbin/iptables-nft"]] {
        isolate_with_layers();
        alternatives(first);
        alternatives(&["--auto", "ip6tables"]);
        let [_, ip6tables] = registered();
        portcullis(&["install", "iptables"]).success();
        alternatives(&["--set", "iptables", "/usr/sbin/iptables-legacy"]);
        let said = portcullis(&["install", "iptables"]).success();
        assert!(said.contains("it was /usr/sbin/iptables-legacy"), "{said}");
        assert!(version("iptables").contains("portcullis"));
        // A third call finds its own choice, and keeps what it knows.
        portcullis(&["install", "iptables"]).success();
        let said = portcullis(&["uninstall", "iptables"]).success();
        assert!(said.contains("/usr/sbin/iptables (iptables): /usr/sbin/iptables-legacy again"));
        let now = registered();
        assert!(now[0].contains("Value: /usr/sbin/iptables-legacy\n"), "{}", now[0]);
        assert!(now[0].contains("Status: manual\n"), "{}", now[0]);
        assert_eq!(now[1], ip6tables);
    }
}

/// Who takes the choice back wants the best one, and has it when this program goes.
#[test]
fn uninstall_iptables_when_the_choice_was_taken_back_since_then_it_stays_so() {
    for again in [&[][..], &["install", "iptables"]] {
        isolate_with_layers();
        alternatives(&["--set", "iptables", "/usr/sbin/iptables-legacy"]);
        portcullis(&["install", "iptables"]).success();
        alternatives(&["--auto", "iptables"]);
        if !again.is_empty() {
            portcullis(again).success();
        }
        portcullis(&["uninstall", "iptables"]).success();
        let [iptables, _] = registered();
        assert!(iptables.contains("Status: auto\n"), "{iptables}");
        assert!(iptables.contains("Value: /usr/sbin/iptables-nft\n"), "{iptables}");
    }
}

#[test]
fn install_iptables_when_a_choice_is_refused_then_nothing_is_changed() {
    isolate_with_layers();
    let before = registered();
    // The second name's file cannot be written.
    run(
        Command::new("mount").args([
            "--bind",
            "-o",
            "ro",
            "/var/lib/dpkg/alternatives/ip6tables",
            "/var/lib/dpkg/alternatives/ip6tables",
        ]),
        "",
    );
    let answer = portcullis(&["install", "iptables"]);
    assert!(!answer.status.success(), "{answer:?}");
    assert!(
        answer.stderr.contains("update-alternatives --install /usr/sbin/ip6tables"),
        "{answer:?}"
    );
    assert_eq!(registered()[0], before[0]);
    assert!(!version("iptables").contains("portcullis"));
    assert!(!Path::new("/usr/sbin/.portcullis-before").exists());
}

#[test]
fn install_iptables_when_there_are_no_alternatives_then_files_are_kept_and_put_back() {
    isolate_with_layers();
    let directory = Path::new("/run/programs");
    fs::create_dir(directory).unwrap();
    fs::write(directory.join("iptables"), "#!/bin/sh\n").unwrap();
    let words = |verb: &'static str| [verb, "iptables", "--bin-dir", "/run/programs"];
    let plain =
        |words: &[&str]| Answer::of(Command::new(BINARY).args(words).env("PATH", "/nowhere"), "");
    plain(&words("install")).success();
    assert!(version("/run/programs/iptables").contains("portcullis"));
    let mut save = Command::new("/run/programs/ip6tables-save");
    assert_eq!(Answer::of(&mut save, "").success(), "");
    plain(&words("uninstall")).success();
    let left: Vec<_> = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["iptables"]);
    assert_eq!(fs::read_to_string(directory.join("iptables")).unwrap(), "#!/bin/sh\n");
}

#[test]
fn install_iptables_when_a_directory_is_named_then_alternatives_stay_as_they_are() {
    isolate_with_layers();
    let before = (registered(), programs());
    let directory = Path::new("/run/programs");
    fs::create_dir(directory).unwrap();
    fs::write(directory.join("ip6tables"), "#!/bin/sh\n").unwrap();
    portcullis(&["install", "iptables", "--bin-dir", "/run/programs"]).success();
    assert_eq!((registered(), programs()), before);
    for program in ["iptables", "ip6tables-restore", "iptables-translate"] {
        let path = directory.join(program);
        assert_eq!(path.canonicalize().unwrap(), Path::new(BINARY).canonicalize().unwrap());
    }
    assert!(version("/run/programs/ip6tables").contains("portcullis"));
    // The alternatives are another installation, which goes by itself.
    portcullis(&["install", "iptables"]).success();
    assert!(version("iptables").contains("portcullis"));
    portcullis(&["uninstall", "iptables", "--bin-dir", "/run/programs"]).success();
    let left: Vec<_> = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["ip6tables"]);
    assert_eq!(fs::read_to_string(directory.join("ip6tables")).unwrap(), "#!/bin/sh\n");
    assert!(version("iptables").contains("portcullis"));
    portcullis(&["uninstall", "iptables"]).success();
    assert_eq!((registered(), programs()), before);
}

#[test]
fn uninstall_iptables_when_both_are_in_one_directory_then_the_named_one_is_the_links() {
    isolate_with_layers();
    let before = (registered(), programs());
    portcullis(&["install", "iptables"]).success();
    let chosen = (registered(), programs());
    portcullis(&["install", "iptables", "--bin-dir", "/usr/sbin"]).success();
    assert_eq!(registered(), chosen.0);
    portcullis(&["uninstall", "iptables", "--bin-dir", "/usr/sbin"]).success();
    assert_eq!((registered(), programs()), chosen);
    portcullis(&["uninstall", "iptables"]).success();
    assert_eq!((registered(), programs()), before);
}

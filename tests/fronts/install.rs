//! `portcullis install cni` and `uninstall cni`, on directories of each test's own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::call::Answer;
use crate::lab::copy;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// A directory of plugins; it goes when dropped.
struct BinDir(PathBuf);

impl BinDir {
    fn new() -> BinDir {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-install-{}-{number}", id()));
        fs::create_dir(&path).unwrap();
        BinDir(path)
    }

    fn run(&self, words: &[&str]) -> Answer {
        let mut command = Command::new(BINARY);
        let (verb, rest) = words.split_first().unwrap();
        command.args([*verb, "cni", "--bin-dir"]).arg(&self.0).args(rest);
        Answer::of(&mut command, "")
    }

    fn install(&self) -> String {
        self.run(&["install"]).success()
    }

    fn uninstall(&self) -> String {
        self.run(&["uninstall"]).success()
    }

    /// Exit code 1, nothing on standard output, and what is on standard error.
    fn refuse(&self, words: &[&str]) -> String {
        let answer = self.run(words);
        assert_eq!((answer.status.code(), answer.stdout.as_str()), (Some(1), ""), "{answer:?}");
        answer.stderr
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with a mode of its own, and its inode.
    fn write(&self, name: &str, text: &str) -> u64 {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).unwrap();
        fs::metadata(path).unwrap().ino()
    }

    /// All that is in the directory and below: path, mode, link target or content, inode.
    fn snapshot(&self) -> Vec<String> {
        let mut all = Vec::new();
        walk(&self.0, &mut all);
        all.sort();
        all
    }
}

fn walk(directory: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let what = if metadata.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else if metadata.is_dir() {
            walk(&path, all);
            "directory".to_owned()
        } else {
            format!("{} bytes", metadata.len())
        };
        all.push(format!("{} {:o} {what} {}", path.display(), metadata.mode(), metadata.ino()));
    }
}

impl Drop for BinDir {
    fn drop(&mut self) {
        // A directory left behind in /tmp must not turn a test's verdict.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn applets(bin: &BinDir) -> Vec<String> {
    let rows: Vec<Value> =
        serde_json::from_str(&bin.run(&["install", "--list", "--json"]).success()).unwrap();
    rows.iter().map(|row| row["applet"].as_str().unwrap().to_owned()).collect()
}

/// What stood there would be kept in a place that nobody named.
#[test]
fn install_when_the_kept_directory_is_a_link_then_is_refused_and_nothing_changes() {
    let (dir, elsewhere) = (BinDir::new(), BinDir::new());
    let kept = dir.0.join(".portcullis-before");
    symlink(&elsewhere.0, &kept).unwrap();
    for verb in ["install", "uninstall"] {
        let answer = dir.run(&[verb]);
        assert!(!answer.status.success(), "{answer:?}");
        assert!(answer.stderr.contains(".portcullis-before is not a directory"), "{answer:?}");
    }
    assert_eq!(fs::read_dir(&elsewhere.0).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1);
}

#[test]
fn install_when_the_directory_is_empty_then_every_plugin_answers_by_its_name() {
    let bin = BinDir::new();
    bin.install();
    let applets = applets(&bin);
    for name in ["portmap", "host-local", "loopback"] {
        assert!(applets.iter().any(|applet| applet == name), "{applets:?}");
    }
    for name in applets {
        assert_eq!(
            fs::read_link(bin.path(&name)).unwrap(),
            Path::new(BINARY).canonicalize().unwrap()
        );
        let mut command = Command::new(bin.path(&name));
        let about = Answer::of(command.env_clear(), "").stderr;
        assert!(about.starts_with(&format!("CNI {name} plugin portcullis v")), "{about}");
    }
}

#[test]
fn uninstall_when_files_and_links_were_there_then_each_is_back_as_it_was() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    symlink("/nowhere/at/all", bin.path("loopback")).unwrap();
    bin.write("tuning", "not one of ours");
    let before = bin.snapshot();
    bin.install();
    assert_eq!(fs::read_to_string(bin.path(".portcullis-before/portmap")).unwrap(), "#!/bin/sh\n");
    assert_ne!(bin.snapshot(), before);
    bin.uninstall();
    assert_eq!(bin.snapshot(), before);
}

#[test]
fn install_when_repeated_then_nothing_changes_and_what_is_kept_stays() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    bin.install();
    let first = bin.snapshot();
    let said = bin.install();
    assert!(said.lines().all(|line| line.ends_with(": unchanged")), "{said}");
    assert_eq!(bin.snapshot(), first);
    bin.run(&["install", "--copy"]).success();
    bin.install();
    let kept = bin.path(".portcullis-before/portmap");
    assert_eq!(fs::read_to_string(kept).unwrap(), "#!/bin/sh\n");
    bin.uninstall();
    assert_eq!(fs::read_to_string(bin.path("portmap")).unwrap(), "#!/bin/sh\n");
}

#[test]
fn uninstall_when_nothing_is_installed_then_says_so_and_succeeds() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    let before = bin.snapshot();
    assert!(bin.uninstall().starts_with("nothing is installed in "));
    bin.install();
    bin.uninstall();
    assert!(bin.uninstall().starts_with("nothing is installed in "));
    assert_eq!(bin.snapshot(), before);
}

#[test]
fn install_when_copies_are_wanted_then_they_answer_and_are_taken_away() {
    let bin = BinDir::new();
    bin.run(&["install", "--copy"]).success();
    let metadata = fs::symlink_metadata(bin.path("loopback")).unwrap();
    assert!(metadata.is_file() && metadata.mode() & 0o777 == 0o755, "{metadata:?}");
    let mut command = Command::new(bin.path("loopback"));
    let version = Answer::of(command.env("CNI_COMMAND", "VERSION"), "").success();
    assert!(version.contains("supportedVersions"), "{version}");
    bin.uninstall();
    assert_eq!(bin.snapshot(), Vec::<String>::new());
}

#[test]
fn install_when_one_name_is_a_directory_then_nothing_at_all_is_changed() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    fs::create_dir(bin.path("loopback")).unwrap();
    let before = bin.snapshot();
    let said = bin.refuse(&["install"]);
    assert!(said.contains("loopback is neither a file nor a link"), "{said}");
    assert_eq!(bin.snapshot(), before);
}

/// A directory stands where the last applet would be saved, after others have been placed.
#[test]
fn install_when_it_fails_half_way_then_what_was_done_is_undone() {
    let bin = BinDir::new();
    let applets = applets(&bin);
    let last = applets.last().unwrap();
    for name in &applets {
        bin.write(name, "#!/bin/sh\n");
    }
    let before_path = bin.path(".portcullis-before");
    fs::create_dir(&before_path).unwrap();
    let mut command = Command::new("/bin/sh");
    // The shell tells its process id, which it hands on by exec, before the program runs.
    let script = format!(
        "mkdir -p {}/in-the-way && exec {BINARY} install cni --bin-dir {}",
        bin.path(&format!(".portcullis-old-$$-{last}")).display(),
        bin.0.display()
    );
    let answer = Answer::of(command.args(["-c", &script]), "");
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    assert!(answer.stderr.contains("cannot remove"), "{answer:?}");
    for name in &applets {
        assert_eq!(fs::read_to_string(bin.path(name)).unwrap(), "#!/bin/sh\n", "{name}");
    }
    assert_eq!(fs::read_dir(&before_path).unwrap().count(), 0, "something is kept");
}

#[test]
fn both_when_somebody_replaced_a_plugin_since_then_they_refuse_and_change_nothing() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    bin.install();
    fs::remove_file(bin.path("portmap")).unwrap();
    bin.write("portmap", "a newer package's");
    let before = bin.snapshot();
    for verb in ["install", "uninstall"] {
        let said = bin.refuse(&[verb]);
        assert!(said.contains("portmap is not what portcullis put there"), "{verb}: {said}");
        assert_eq!(bin.snapshot(), before);
    }
}

#[test]
fn uninstall_when_a_plugin_was_removed_since_then_what_was_before_is_back() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    bin.install();
    fs::remove_file(bin.path("portmap")).unwrap();
    bin.uninstall();
    assert_eq!(fs::read_to_string(bin.path("portmap")).unwrap(), "#!/bin/sh\n");
}

/// The record comes first, so a process may be killed at any place behind it.
#[test]
fn both_when_an_installation_was_killed_half_way_then_they_finish_or_take_it_back() {
    for verb in ["install", "uninstall"] {
        let bin = BinDir::new();
        for name in ["portmap", "loopback"] {
            bin.write(name, "#!/bin/sh\n");
        }
        let before = bin.snapshot();
        bin.install();
        // As if it had kept loopback and not yet replaced it, and not yet come to portmap.
        fs::remove_file(bin.path("loopback")).unwrap();
        fs::hard_link(bin.path(".portcullis-before/loopback"), bin.path("loopback")).unwrap();
        fs::rename(bin.path(".portcullis-before/portmap"), bin.path("portmap")).unwrap();
        fs::remove_file(bin.path("host-local")).unwrap();
        bin.run(&[verb]).success();
        bin.uninstall();
        assert_eq!(bin.snapshot(), before, "{verb}");
    }
}

#[test]
fn list_when_asked_then_says_what_stands_there_and_whose_it_is() {
    let bin = BinDir::new();
    bin.write("portmap", "#!/bin/sh\n");
    symlink(BINARY, bin.path("loopback")).unwrap();
    let before = bin.snapshot();
    let rows: Vec<Value> =
        serde_json::from_str(&bin.run(&["install", "--list", "--json"]).success()).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["applet"] == name).unwrap();
    assert_eq!(
        (&row("portmap")["standing"], &row("portmap")["owner"]),
        (&"file".into(), &"other".into())
    );
    assert_eq!(
        (&row("loopback")["standing"], &row("loopback")["owner"]),
        (&"link".into(), &"portcullis".into())
    );
    assert_eq!(
        (&row("host-local")["standing"], &row("host-local")["owner"]),
        (&"nothing".into(), &"nobody".into())
    );
    let text = bin.run(&["install", "--list"]).success();
    assert!(text.contains("portmap     file, not portcullis\n"), "{text}");
    assert_eq!(bin.snapshot(), before, "listing changes nothing");
    bin.install();
    let text = bin.run(&["install", "--list"]).success();
    assert!(text.contains(", portcullis; what was there before is kept\n"), "{text}");
}

#[test]
fn install_when_the_record_makes_no_sense_then_it_is_not_guessed() {
    let bin = BinDir::new();
    bin.install();
    let record = bin.path(".portcullis-before/.installed.json");
    fs::write(&record, "{").unwrap();
    for verb in ["install", "uninstall"] {
        let said = bin.refuse(&[verb]);
        assert!(said.contains("is no record of an installation"), "{said}");
    }
}

#[test]
fn install_when_the_program_itself_stands_there_then_it_is_not_replaced_by_a_link_to_itself() {
    let bin = BinDir::new();
    copy(BINARY, bin.path("portmap"));
    let mut command = Command::new(bin.path("portmap"));
    // By another name, for by its own it is a plugin.
    std::os::unix::process::CommandExt::arg0(&mut command, "portcullis");
    command.args(["install", "cni", "--bin-dir"]).arg(&bin.0);
    let answer = Answer::of(&mut command, "");
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    assert!(answer.stderr.contains("is this program's own file"), "{answer:?}");
    assert!(fs::symlink_metadata(bin.path("portmap")).unwrap().is_file());
}

#[test]
fn install_when_the_directory_is_missing_then_it_is_made() {
    let bin = BinDir::new();
    let deeper = bin.path("opt/cni/bin");
    let mut command = Command::new(BINARY);
    command.args(["install", "cni", "--bin-dir"]).arg(&deeper);
    Answer::of(&mut command, "").success();
    assert!(deeper.join("portmap").exists());
}

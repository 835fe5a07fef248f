//! One named network namespace, and what can be done inside it.

use std::fs::{self, File};
use std::io::Write;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use nix::sched::{CloneFlags, setns};

/// A network namespace under `/run/netns`.
#[derive(Clone, Debug)]
pub struct Netns {
    name: String,
    path: PathBuf,
}

impl Netns {
    /// `ip netns add NAME`
    pub fn add(name: &str) -> Netns {
        run(Command::new("ip").args(["netns", "add", name]), "");
        Netns { name: name.to_owned(), path: Path::new("/run/netns").join(name) }
    }

    /// A namespace that someone else has made, by a path that opens it.
    pub fn at(name: &str, path: &Path) -> Netns {
        Netns { name: name.to_owned(), path: path.to_owned() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path that a runtime hands to a plugin as `CNI_NETNS`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on a thread inside this namespace; processes that it starts are inside as well.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.join();
                work()
            });
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Moves the calling thread into this namespace for good.
    pub fn join(&self) {
        let file = File::open(&self.path)
            .unwrap_or_else(|e| panic!("lab: open {}: {e}", self.path.display()));
        setns(file, CloneFlags::CLONE_NEWNET)
            .unwrap_or_else(|errno| panic!("lab: enter namespace {}: {errno}", self.name));
    }

    /// `ip -batch -`: one command a line, without the word `ip`.
    pub fn ip(&self, commands: &str) {
        self.enter(|| run(Command::new("ip").args(["-batch", "-"]), commands));
    }

    /// `nft -f -`
    pub fn nft(&self, script: &str) {
        self.enter(|| run(Command::new("nft").args(["-f", "-"]), script));
    }

    /// `nft list ruleset`
    pub fn ruleset(&self) -> String {
        let output = self.enter(|| run(Command::new("nft").args(["list", "ruleset"]), ""));
        String::from_utf8(output.stdout).expect("nft prints UTF-8")
    }

    /// `sysctl -w net.KEY=VALUE`; KEY with slashes.
    pub fn sysctl(&self, key: &str, value: &str) {
        let file = Path::new("/proc/sys/net").join(key);
        self.enter(|| fs::write(&file, value))
            .unwrap_or_else(|e| panic!("lab: {} = {value} in {}: {e}", file.display(), self.name));
    }

    /// `sysctl -n net.KEY`, or nothing where this kernel or namespace has no such key.
    pub fn read_sysctl(&self, key: &str) -> Option<String> {
        let file = Path::new("/proc/sys/net").join(key);
        self.enter(|| fs::read_to_string(file)).ok().map(|text| text.trim().to_owned())
    }
}

/// Runs a tool with `input` on its stdin; anything but success is the test's failure.
pub fn run(command: &mut Command, input: &str) -> Output {
    let output = feed(command, input);
    assert!(
        output.status.success(),
        "lab: {command:?}: {}\n{}--- its input:\n{input}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a process with `input` on its stdin and collects what it prints.
pub fn feed(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| {
            panic!("lab: start {command:?}: {e} (apt-get install iproute2 nftables strace)")
        });
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // A process that ends without reading its input is judged by its exit code, not by EPIPE.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap_or_else(|e| panic!("lab: wait for {command:?}: {e}"))
}

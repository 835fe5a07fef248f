//! Programs in a PID namespace that ends with its test.
//!
//! The namespace's first process reads a pipe that the test holds: no process in it can outlive
//! the test, however that ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::netns::Netns;

/// What the programs of a PID namespace find, and how long they may take.
#[derive(Debug)]
pub struct Surroundings {
    /// Whose programs they are, for a test that fails.
    pub name: String,
    /// Commands of a shell that prepare the mounts before the first program.
    pub mounts: String,
    /// All of their environment: `NAME=VALUE`.
    pub environment: Vec<String>,
    /// No command takes as many seconds.
    pub command_limit: &'static str,
    /// No program that goes on does.
    pub daemon_limit: &'static str,
}

/// A PID namespace with a mount namespace of its own, in a network namespace.
#[derive(Debug)]
pub struct PidNamespace {
    netns: Netns,
    surroundings: Surroundings,
    init: Child,
    pid: u32,
    /// What was run, and what came of it: printed when the test fails.
    journal: Mutex<Vec<String>>,
}

impl PidNamespace {
    pub fn new(netns: &Netns, surroundings: Surroundings) -> PidNamespace {
        let (init, pid) = netns.enter(|| start_init(&surroundings.mounts));
        PidNamespace { netns: netns.clone(), surroundings, init, pid, journal: Mutex::default() }
    }

    /// The number of its first process, outside.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Runs a program.
    pub fn attempt(&self, words: &[&str]) -> Output {
        let start = Instant::now();
        let mut command = self.command(self.surroundings.command_limit);
        command.args(words);
        let output = self.netns.enter(|| command.output());
        let output = output.unwrap_or_else(|e| panic!("start {words:?}: {e}"));
        let took = start.elapsed().as_millis();
        let [text, error] = [&output.stdout, &output.stderr].map(|t| String::from_utf8_lossy(t));
        let entry = format!("{words:?}: {}, {took} ms\n{text}{error}", output.status);
        self.journal.lock().expect("no one fails while writing").push(entry);
        output
    }

    /// Runs a program that must succeed. Gives what it printed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.attempt(words);
        let [text, error] = [&output.stdout, &output.stderr].map(|t| String::from_utf8_lossy(t));
        assert!(output.status.success(), "{words:?}: {}\n{text}\n{error}", output.status);
        text.trim().to_owned()
    }

    /// Starts a program that goes on; its output is added to `log`.
    pub fn start(&self, words: &[&str], log: &str) -> Child {
        let file = File::options().create(true).append(true).open(log);
        let file = file.unwrap_or_else(|e| panic!("{log}: {e}"));
        let errors = file.try_clone().expect("a second handle of the log");
        let mut command = self.command(self.surroundings.daemon_limit);
        command.args(words).stdout(file).stderr(errors);
        self.netns.enter(|| command.spawn()).unwrap_or_else(|e| panic!("start {words:?}: {e}"))
    }

    fn command(&self, limit: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", limit, "nsenter", "--target", &self.pid.to_string()])
            .args(["--mount", "--pid", "--", "/usr/bin/env", "-i"])
            .args(&self.surroundings.environment)
            .stdin(Stdio::null());
        command
    }

    /// The network namespace of a process, by its number in this PID namespace.
    pub fn netns_of(&self, name: &str, pid: &str) -> Netns {
        Netns::at(name, &PathBuf::from(format!("/proc/{}/root/proc/{pid}/ns/net", self.pid)))
    }

    /// A control group for containers: a name of its own on the whole machine.
    pub fn cgroup(&self) -> String {
        format!("portcullis-test-{}", self.pid)
    }

    /// Ends all of its processes, and awaits them.
    pub fn end(&mut self) {
        // The first process ends with its input, and the kernel ends and awaits all others first.
        drop(self.init.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline && matches!(self.init.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        // With `unshare --kill-child` this is the hard way.
        let _ = self.init.kill();
        let _ = self.init.wait();
    }
}

impl Drop for PidNamespace {
    fn drop(&mut self) {
        if thread::panicking() {
            let journal = self.journal.lock().map(|entries| entries.join("\n"));
            let name = &self.surroundings.name;
            eprintln!("--- {name}, what was run:\n{}", journal.unwrap_or_default());
        }
        self.end();
        // What a container that was killed could not take along.
        for hierarchy in names(Path::new("/sys/fs/cgroup")).chain([String::new()]) {
            remove_groups(&Path::new("/sys/fs/cgroup").join(hierarchy).join(self.cgroup()));
        }
    }
}

/// Removes a control group and those in it.
fn remove_groups(group: &Path) {
    for inner in names(group).map(|name| group.join(name)).filter(|path| path.is_dir()) {
        remove_groups(&inner);
    }
    // Most hierarchies have no such group.
    let _ = fs::remove_dir(group);
}

/// Names in a directory; none where there is no such directory.
pub fn names(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// Starts the first process; gives it with its number outside.
fn start_init(mounts: &str) -> (Child, u32) {
    // The number is read while /proc still is the machine's. Who ignores SIGCHLD has no zombies: the
    // orphans of the namespace go without being waited for.
    let script = format!(
        "set -e; read -r pid rest < /proc/self/stat
         mount -t proc proc /proc
         {mounts}
         echo $pid; exec env --ignore-signal=CHLD cat"
    );
    let mut init = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("start unshare: {e}"));
    let mut line = String::new();
    let mut output = BufReader::new(init.stdout.take().expect("stdout is a pipe"));
    output.read_line(&mut line).expect("the first process says its number");
    let pid = line.trim().parse().unwrap_or_else(|e| panic!("its number is {line:?}: {e}"));
    (init, pid)
}

//! A host of its own for a daemon: namespaces, mounts, an uplink, and an end to it all.
//!
//! ```text
//! client 192.0.2.2, 2001:db8::2 ───── wan0  host 192.0.2.1, 192.0.2.10, 2001:db8::1 (dockerd)
//! ```
//! All processes live in a PID namespace whose first process reads a pipe that the test holds:
//! they cannot outlive the test, however it ends. What they write lies on tmpfs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::dns::Outside;
use super::programs::{self, Programs};
use crate::lab::{Echo, Netns, Outcome, Probe, isolate};

/// All that dockerd and its test execute beside `iptables`: nothing that speaks to a firewall.
const PROGRAMS: [&str; 8] = [
    "docker",
    "dockerd",
    "docker-proxy",
    "containerd",
    "containerd-shim-runc-v2",
    "runc",
    "kill",
    "cat",
];
const LIST: &str = "/run/programs";
/// No command takes as many seconds, and no daemon's life.
const LIMITS: [&str; 2] = ["30", "300"];

/// One host and its client.
pub struct Host {
    pub programs: Programs,
    pub netns: Netns,
    pub client: Netns,
    init: Child,
    pid: u32,
    /// What was run, and what came of it: printed when the test fails.
    journal: Mutex<Vec<String>>,
    _echo: Echo,
    _names: Outside,
}

impl Host {
    /// Isolates the calling thread and builds the host.
    pub fn new(programs: Programs) -> Host {
        isolate();
        Programs::prepare();
        programs.link();
        fs::create_dir(LIST).unwrap_or_else(|e| panic!("mkdir {LIST}: {e}"));
        for program in PROGRAMS {
            let path =
                ["/usr/bin", "/usr/sbin", "/bin"].map(|place| Path::new(place).join(program));
            let path = path.into_iter().find(|path| path.exists());
            let path =
                path.unwrap_or_else(|| panic!("no {program}: `cargo xtask setup` installs it"));
            symlink(path, Path::new(LIST).join(program))
                .unwrap_or_else(|e| panic!("symlink {program}: {e}"));
        }
        let [client, netns] = ["client", "host"].map(Netns::add);
        wire(&netns, &client);
        let (init, pid) = netns.enter(|| start_init(programs));
        let (echo, names) = (Echo::serve(&client, 9000), Outside::serve(&client));
        let journal = Mutex::default();
        let host = Host { programs, netns, client, init, pid, journal, _echo: echo, _names: names };
        let wires = ["outside udp 192.0.2.1:9", "outside udp [2001:db8::1]:9"];
        host.settle(&host.client, &wires);
        if matches!(programs, Programs::Own | Programs::Peer) {
            // What a daemon finds and what all others find is the same program.
            let [ours, all] = ["iptables", "/usr/sbin/iptables-nft"].map(|p| host.run(&[p, "-V"]));
            assert_eq!(ours, all, "the versions of the programs");
        }
        host
    }

    /// Runs a program as the daemon's host would.
    pub fn attempt(&self, words: &[&str]) -> Output {
        let start = Instant::now();
        let mut command = self.command(LIMITS[0]);
        command.args(words);
        let output = self.netns.enter(|| command.output());
        let output = output.unwrap_or_else(|e| panic!("start {words:?}: {e}"));
        let took = start.elapsed().as_millis();
        let [text, error] = [&output.stdout, &output.stderr].map(|t| String::from_utf8_lossy(t));
        let entry = format!("{words:?}: {}, {took} ms\n{text}{error}", output.status);
        self.journal.lock().expect("no one fails while writing").push(entry);
        output
    }

    /// The same, for a program that must succeed. Gives what it printed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.attempt(words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {}\n{error}", output.status);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts a program that goes on; its output is added to `log`.
    pub fn start(&self, words: &[&str], log: &str) -> Child {
        let file = File::options().create(true).append(true).open(log);
        let file = file.unwrap_or_else(|e| panic!("{log}: {e}"));
        let errors = file.try_clone().expect("a second handle of the log");
        let mut command = self.command(LIMITS[1]);
        command.args(words).stdout(file).stderr(errors);
        self.netns.enter(|| command.spawn()).unwrap_or_else(|e| panic!("start {words:?}: {e}"))
    }

    fn command(&self, limit: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", limit, "nsenter", "--target", &self.pid.to_string()])
            .args(["--mount", "--pid", "--", "/usr/bin/env", "-i"])
            .args([&format!("PATH={}:{LIST}", programs::DIRECTORY), "HOME=/run", "TMPDIR=/run"])
            .arg("DOCKER_HOST=unix:///run/docker.sock")
            .stdin(Stdio::null());
        command
    }

    /// The network namespace of a process, by its number in the daemon's PID namespace.
    pub fn netns_of(&self, name: &str, pid: &str) -> Netns {
        Netns::at(name, &PathBuf::from(format!("/proc/{}/root/proc/{pid}/ns/net", self.pid)))
    }

    /// The control group of this host's containers: a name of its own on the whole machine.
    pub fn cgroup(&self) -> String {
        format!("portcullis-test-{}", self.pid)
    }

    /// Waits until packets of `netns` arrive at ports where nobody listens: a veth's queue drops
    /// what comes too early, and a lost neighbour solicitation is sent again after a second.
    pub fn settle(&self, netns: &Netns, wires: &[&str]) {
        let arrives = |wire: &&str| {
            let probe: Probe = wire.parse().unwrap_or_else(|e| panic!("probe {wire}: {e}"));
            probe.send(netns) == Outcome::Refused
        };
        let ready = (0..10).any(|_| wires.iter().all(arrives));
        assert!(ready, "packets of {} do not arrive: {wires:?}", netns.name());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() {
            let journal = self.journal.lock().map(|entries| entries.join("\n"));
            eprintln!("--- {:?}, what was run:\n{}", self.programs, journal.unwrap_or_default());
        }
        // The first process ends with its input, and the kernel ends and awaits all others first.
        drop(self.init.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline && matches!(self.init.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        // With `unshare --kill-child` this is the hard way.
        let _ = self.init.kill();
        let _ = self.init.wait();
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
fn names(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

fn wire(host: &Netns, client: &Netns) {
    for netns in [host, client] {
        for key in ["ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad"] {
            netns.sysctl(key, "0");
        }
        netns.ip("link set lo up\n");
    }
    // Each "port unreachable" counts.
    for key in ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"] {
        host.sysctl(key, "0");
    }
    host.ip("link add wan0 type veth peer name eth0 netns client
         addr add 192.0.2.1/24 dev wan0
         addr add 192.0.2.10/24 dev wan0
         addr add 2001:db8::1/64 dev wan0 nodad
         link set wan0 up
         route add default via 192.0.2.2
         route add default via 2001:db8::2
        ");
    client.ip("addr add 192.0.2.2/24 dev eth0
         addr add 2001:db8::2/64 dev eth0 nodad
         link set eth0 up
         route add default via 192.0.2.1
         route add default via 2001:db8::1
        ");
}

/// Starts the PID namespace's first process; gives it with its number outside.
fn start_init(programs: Programs) -> (Child, u32) {
    let covers: String = programs
        .covers()
        .iter()
        .map(|(what, place)| format!("mount --bind {what} {place}; "))
        .collect();
    // The number is read while /proc still is the machine's. dockerd looks for its bridges in /sys,
    // which shows the network namespace it was mounted in; the control groups stay the machine's.
    // Who ignores SIGCHLD has no zombies: the orphans of the namespace go without being waited for.
    let script = format!(
        "set -e; read -r pid rest < /proc/self/stat
         mount -t proc proc /proc; {covers}
         mkdir /run/cgroup; mount --rbind /sys/fs/cgroup /run/cgroup
         mount -t sysfs sysfs /sys; mount --rbind /run/cgroup /sys/fs/cgroup; umount -l /run/cgroup
         mount -t tmpfs docker /etc/docker
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

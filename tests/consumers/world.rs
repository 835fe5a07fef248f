//! A host of its own for a container engine: namespaces, mounts, an uplink, and an end to it all.
//!
//! ```text
//! outside 192.0.2.2, 2001:db8::2 ───── wan0  host 192.0.2.1, 2001:db8::1 (engine, containers)
//! ```
//! The engine's processes live in a PID namespace whose first process reads a pipe that the test
//! holds: they cannot outlive the test, however it ends. What they write lies on tmpfs.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::plugins::{self, Supply};
use super::recording;
use super::rootfs;
use crate::lab::{Echo, Netns, Outcome, Place, Probe, feed, isolate};

/// The programs that the engines need, and nothing that speaks to a firewall.
const PROGRAMS: [&str; 7] =
    ["podman", "conmon", "crun", "containerd", "containerd-shim-runc-v2", "runc", "ctr"];
/// What the product's plugins must do without, wherever they look for it.
const MASKED: [&str; 3] =
    ["/usr/sbin/nft", "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi"];
/// No command of an engine takes as many seconds, and no test.
const LIMITS: [&str; 2] = ["20", "120"];

/// What an engine gets to see of the machine's control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cgroups {
    /// Only the unified hierarchy: crun refuses a mixture of both kinds. Nothing is put into one.
    Unified,
    /// All: runc wants controllers. A container goes into the group [`World::cgroup`].
    AsTheyAre,
}

/// One host and the outside world.
pub struct World {
    supply: Supply,
    /// The product's plugins among those of the directory.
    ours: Vec<&'static str>,
    host: Netns,
    outside: Netns,
    init: Child,
    pid: u32,
    /// What was run, and what came of it: printed when the test fails.
    journal: Mutex<Vec<String>>,
    _echo: Echo,
}

impl World {
    /// Isolates the calling thread and builds the host, with plugins in both usual directories.
    pub fn new(cgroups: Cgroups) -> World {
        let supply = Supply::chosen();
        isolate();
        let ours = prepare_mounts(supply, cgroups);
        let [outside, host] = ["outside", "host"].map(Netns::add);
        wire(&host, &outside);
        let (init, pid) = host.enter(|| start_init(supply));
        let echo = Echo::serve(&outside, 9000);
        let journal = Mutex::default();
        let world = World { supply, ours, host, outside, init, pid, journal, _echo: echo };
        world.settle(&world.host);
        if supply == Supply::Own {
            for program in MASKED {
                let status = world.attempt(&[program, "--version"]).status;
                assert!(!status.success(), "{program} can be executed");
            }
        }
        world
    }

    /// Runs a program as the engine's host would; it must succeed. Gives what it printed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.attempt(words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {}\n{text}\n{error}", output.status);
        text.trim().to_owned()
    }

    /// The same, for a program that may fail.
    pub fn attempt(&self, words: &[&str]) -> Output {
        let mut command = self.command(LIMITS[0]);
        command.args(words);
        let start = Instant::now();
        let output = self.host.enter(|| command.output());
        let output = output.unwrap_or_else(|e| panic!("start {words:?}: {e}"));
        let took = start.elapsed().as_millis();
        let [text, error] = [&output.stdout, &output.stderr].map(|t| String::from_utf8_lossy(t));
        let entry = format!("{words:?}: {}, {took} ms\n{text}{error}", output.status);
        self.journal.lock().expect("no one fails while writing").push(entry);
        output
    }

    /// Whether the plugin of this name is the product's.
    pub fn is_ours(&self, name: &str) -> bool {
        self.ours.contains(&name)
    }

    /// Starts a program that goes on; its output goes to `log`.
    pub fn start(&self, words: &[&str], log: &str) -> Child {
        let file = fs::File::create(log).unwrap_or_else(|e| panic!("{log}: {e}"));
        let errors = file.try_clone().expect("a second handle of the log");
        let mut command = self.command(LIMITS[1]);
        command.args(words).stdout(file).stderr(errors);
        self.host.enter(|| command.spawn()).unwrap_or_else(|e| panic!("start {words:?}: {e}"))
    }

    fn command(&self, limit: &str) -> Command {
        let path = match self.supply {
            Supply::Own => "/run/programs",
            Supply::Mixed | Supply::Peer => "/usr/sbin:/usr/bin:/sbin:/bin",
        };
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", limit, "nsenter", "--target", &self.pid.to_string()])
            .args(["--mount", "--pid", "--", "/usr/bin/env", "-i"])
            .args([format!("PATH={path}").as_str(), "HOME=/run"])
            .arg("CONTAINERS_CONF=/run/containers.conf")
            .stdin(Stdio::null());
        command
    }

    /// The network namespace of a process, by its number as the engine knows it.
    pub fn netns_of(&self, name: &str, pid: &str) -> Netns {
        Netns::at(name, &PathBuf::from(format!("/proc/{}/root/proc/{pid}/ns/net", self.pid)))
    }

    /// Asserts the outcomes of probes from outside, from the host, and from a container.
    pub fn expect(&self, container: &Netns, expectations: &[(&str, &str)]) {
        let check = |(probe, expected): &(&str, &str)| {
            let outcome = self.ask(container, probe).to_string();
            (outcome != *expected).then(|| format!("{probe}: {outcome}, not {expected}"))
        };
        let wrong: Vec<String> = thread::scope(|scope| {
            let ask = |row| scope.spawn(move || check(row));
            let running: Vec<_> = expectations.iter().map(ask).collect();
            let outcome = |row: thread::ScopedJoinHandle<'_, _>| row.join().expect("no panic");
            running.into_iter().filter_map(outcome).collect()
        });
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), self.host.ruleset());
    }

    fn ask(&self, container: &Netns, probe: &str) -> Outcome {
        let probe: Probe = probe.parse().unwrap_or_else(|e| panic!("probe {probe}: {e}"));
        let netns = match probe.client {
            Place::Outside => &self.outside,
            Place::Host => &self.host,
            Place::Container => container,
            other => panic!("nobody is {other} here"),
        };
        probe.send(netns)
    }

    /// The page at `/` of an address, as a browser outside gets it.
    pub fn page(&self, authority: &str) -> String {
        self.outside.enter(|| rootfs::fetch(authority))
    }

    /// The control group of this world's containers: a name of its own on the whole machine.
    pub fn cgroup(&self) -> String {
        format!("portcullis-test-{}", self.pid)
    }

    /// What `nft -s list ruleset` shows in the host: without counters, whose digits are anything.
    pub fn ruleset(&self) -> String {
        let mut nft = Command::new("nft");
        let output = self.host.enter(|| feed(nft.args(["-s", "list", "ruleset"]), ""));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("nft prints UTF-8")
    }

    /// `nft flush ruleset` in the host.
    pub fn flush_ruleset(&self) {
        self.host.nft("flush ruleset\n");
    }

    /// What an engine and its containers have to show for themselves: links, addresses given out,
    /// namespaces, processes. Rules are looked at with [`World::ruleset`].
    pub fn traces(&self) -> BTreeSet<String> {
        let links =
            self.host.enter(|| fs::read_to_string("/proc/thread-self/net/dev")).expect("links");
        let links = links.lines().skip(2).filter_map(|line| line.split(':').next());
        let mut traces: BTreeSet<String> =
            links.map(|name| format!("link {}", name.trim())).collect();
        traces.extend(files(Path::new("/run/netns")).map(|name| format!("netns {name}")));
        traces
            .extend(files(Path::new("/var/lib/cni/results")).map(|name| format!("result {name}")));
        for network in files(Path::new("/var/lib/cni/networks")) {
            // The lock and the place to go on from are the network's, not a container's.
            let of_containers = |name: &String| {
                !["lock", ".portcullis.index"].contains(&name.as_str())
                    && !name.starts_with("last_reserved")
            };
            let addresses = files(&Path::new("/var/lib/cni/networks").join(&network));
            let addresses = addresses.filter(of_containers);
            traces.extend(addresses.map(|address| format!("address {address} of {network}")));
        }
        traces.extend(self.processes().into_iter().map(|name| format!("process {name}")));
        traces
    }

    /// Asserts that `before` is all there is, and that no rule has one of these texts. What a
    /// process does while it ends is waited for, not long.
    pub fn expect_nothing_but(&self, before: &BTreeSet<String>, texts: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(3);
        loop {
            let traces = self.traces();
            if traces == *before {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "left: {:?}, gone: {:?}",
                traces.difference(before).collect::<Vec<_>>(),
                before.difference(&traces).collect::<Vec<_>>()
            );
            thread::sleep(Duration::from_millis(20));
        }
        let ruleset = self.ruleset();
        let left: Vec<&&str> = texts.iter().filter(|text| ruleset.contains(**text)).collect();
        assert!(left.is_empty(), "rules with {left:?} are left:\n{ruleset}");
    }

    /// The processes of the PID namespace but for its first.
    fn processes(&self) -> Vec<String> {
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid"));
        let Ok(ours) = namespace(&self.pid.to_string()) else { return Vec::new() };
        let inside = files(Path::new("/proc"))
            .filter(|name| name.parse::<u32>().is_ok_and(|pid| pid != self.pid))
            .filter(|name| namespace(name).is_ok_and(|link| link == ours));
        inside
            .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok())
            .map(|name| name.trim().to_owned())
            .collect()
    }

    /// Waits until the uplink carries packets, and a container's link: a veth's queue drops what
    /// comes too early, and a lost neighbour solicitation is sent again after a second.
    pub fn settle(&self, container: &Netns) {
        let wires = [
            "outside udp 192.0.2.1:9",
            "outside udp [2001:db8::1]:9",
            "container udp 192.0.2.1:9",
            "container udp [2001:db8::1]:9",
        ];
        let ready = |_| wires.iter().all(|wire| self.ask(container, wire) == Outcome::Refused);
        assert!((0..10).any(ready), "packets of {} do not arrive", container.name());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            let journal = self.journal.lock().map(|entries| entries.join("\n"));
            eprintln!("--- what was run:\n{}", journal.unwrap_or_default());
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
        let test = thread::current().name().unwrap_or("test").replace("::", "-");
        recording::keep(&test);
        // What a container that was killed could not take along.
        for hierarchy in files(Path::new("/sys/fs/cgroup")).chain([String::new()]) {
            let group = Path::new("/sys/fs/cgroup").join(hierarchy).join(self.cgroup());
            remove_groups(&group);
        }
    }
}

/// Removes a control group and those in it.
fn remove_groups(group: &Path) {
    for name in files(group) {
        let inner = group.join(name);
        if inner.is_dir() {
            remove_groups(&inner);
        }
    }
    // Most hierarchies have no such group.
    let _ = fs::remove_dir(group);
}

/// Names in a directory; none where there is no such directory.
fn files(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// Gives the product's plugins.
fn prepare_mounts(supply: Supply, cgroups: Cgroups) -> Vec<&'static str> {
    let bind = |from: &str, to: &str| {
        mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .unwrap_or_else(|errno| panic!("mount --bind {from} {to}: {errno}"));
    };
    let fresh = |kind: &str, place: &str| {
        mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>)
            .unwrap_or_else(|errno| panic!("mount -t {kind} {kind} {place}: {errno}"));
    };
    let directory =
        |path: &str| fs::create_dir_all(path).unwrap_or_else(|e| panic!("mkdir {path}: {e}"));
    fs::write(plugins::PRODUCT, "").expect("a place for the product");
    bind(env!("CARGO_BIN_EXE_portcullis"), plugins::PRODUCT);
    directory(plugins::DEBIAN);
    bind("/usr/lib/cni", plugins::DEBIAN);
    let ours = supply.assemble();
    bind(plugins::DIRECTORY, "/usr/lib/cni");
    // Podman's locks are in /dev/shm.
    for place in ["/var/lib", "/var/tmp", "/opt", "/etc/cni", "/dev/shm"] {
        fresh("tmpfs", place);
    }
    for path in ["/opt/cni/bin", "/etc/cni/net.d", "/run/programs"] {
        directory(path);
    }
    bind(plugins::DIRECTORY, "/opt/cni/bin");
    match cgroups {
        Cgroups::AsTheyAre => {}
        Cgroups::Unified => {
            // Where nothing is mounted there, nothing has to go.
            let _ = umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH);
            fresh("cgroup2", "/sys/fs/cgroup");
        }
    }
    for program in PROGRAMS {
        let path = ["/usr/bin", "/usr/sbin"].map(|directory| Path::new(directory).join(program));
        let path = path.into_iter().find(|path| path.exists());
        let path = path.unwrap_or_else(|| panic!("no {program}: `cargo xtask setup` installs it"));
        std::os::unix::fs::symlink(path, Path::new("/run/programs").join(program))
            .unwrap_or_else(|e| panic!("symlink {program}: {e}"));
    }
    ours
}

fn wire(host: &Netns, outside: &Netns) {
    for netns in [host, outside] {
        for key in ["ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad"] {
            netns.sysctl(key, "0");
        }
        netns.ip("link set lo up\n");
    }
    for key in ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"] {
        // Without br_netfilter there is no such key and frames never pass the firewall.
        if host.read_sysctl(key).is_some() {
            host.sysctl(key, "0");
        }
    }
    // Each "port unreachable" counts.
    for key in ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"] {
        host.sysctl(key, "0");
    }
    host.ip("link add wan0 type veth peer name eth0 netns outside
         addr add 192.0.2.1/24 dev wan0
         addr add 2001:db8::1/64 dev wan0 nodad
         link set wan0 up
         route add default via 192.0.2.2
         route add default via 2001:db8::2
        ");
    outside.ip("addr add 192.0.2.2/24 dev eth0
         addr add 2001:db8::2/64 dev eth0 nodad
         link set eth0 up
        ");
}

/// Starts the PID namespace's first process; gives it with its number outside.
fn start_init(supply: Supply) -> (Child, u32) {
    let masks = match supply {
        Supply::Own => MASKED.map(|path| format!("mask {path}; ")).concat(),
        Supply::Mixed | Supply::Peer => String::new(),
    };
    // The number is read while /proc still is the machine's. Who ignores SIGCHLD has no zombies: the
    // orphans of the namespace go without being waited for.
    let script = format!(
        "set -e; read -r pid rest < /proc/self/stat
         mask() {{ if [ -e $1 ]; then mount --bind /dev/null $1; fi; }}
         mount -t proc proc /proc; {masks}
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

//! A host of its own for a container engine: namespaces, mounts, an uplink.
//!
//! ```text
//! outside 192.0.2.2, 2001:db8::2 ───── wan0  host 192.0.2.1, 2001:db8::1 (engine, containers)
//! ```
//! The engine's processes live in a [`PidNamespace`]; what they write lies on tmpfs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::plugins::{self, Supply};
use super::recording;
use super::rootfs;
use crate::lab::{
    Echo, Netns, Outcome, PidNamespace, Place, Probe, Surroundings, feed, isolate, link, names,
    uplink,
};

/// The programs that the engines need, and nothing that speaks to a firewall.
const PROGRAMS: [&str; 7] =
    ["podman", "conmon", "crun", "containerd", "containerd-shim-runc-v2", "runc", "ctr"];
/// What the product's plugins must do without, wherever they look for it.
const MASKED: [&str; 3] =
    ["/usr/sbin/nft", "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi"];
const LIST: &str = "/run/programs";

/// What an engine gets to see of the machine's control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cgroups {
    /// Only the unified hierarchy: crun refuses a mixture of both kinds. Nothing is put into one.
    Unified,
    /// All: runc wants controllers. A container goes into the group [`PidNamespace::cgroup`].
    AsTheyAre,
}

/// One host and the outside world.
pub struct World {
    /// The product's plugins among those of the directory.
    ours: Vec<&'static str>,
    host: Netns,
    outside: Netns,
    /// Where all of its programs run.
    pub inside: PidNamespace,
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
        let inside = PidNamespace::new(&host, surroundings(supply));
        let echo = Echo::serve(&outside, 9000);
        let world = World { ours, host, outside, inside, _echo: echo };
        world.settle(&world.host);
        if supply == Supply::Own {
            for program in MASKED {
                let status = world.inside.attempt(&[program, "--version"]).status;
                assert!(!status.success(), "{program} can be executed");
            }
        }
        world
    }

    /// Whether the plugin of this name is the product's.
    pub fn is_ours(&self, name: &str) -> bool {
        self.ours.contains(&name)
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
        traces.extend(names(Path::new("/run/netns")).map(|name| format!("netns {name}")));
        traces
            .extend(names(Path::new("/var/lib/cni/results")).map(|name| format!("result {name}")));
        for network in names(Path::new("/var/lib/cni/networks")) {
            // The lock and the place to go on from are the network's, not a container's.
            let of_containers = |name: &String| {
                !["lock", ".portcullis.index"].contains(&name.as_str())
                    && !name.starts_with("last_reserved")
            };
            let addresses = names(&Path::new("/var/lib/cni/networks").join(&network));
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
        let Ok(ours) = namespace(&self.inside.pid().to_string()) else { return Vec::new() };
        let inside = names(Path::new("/proc"))
            .filter(|name| name.parse::<u32>().is_ok_and(|pid| pid != self.inside.pid()))
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
        // Else a plugin could still be writing.
        self.inside.end();
        let test = thread::current().name().unwrap_or("test").replace("::", "-");
        recording::keep(&test);
    }
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
    for path in ["/opt/cni/bin", "/etc/cni/net.d"] {
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
    link(&PROGRAMS, LIST);
    ours
}

fn wire(host: &Netns, outside: &Netns) {
    uplink(host, outside);
    for key in ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"] {
        // Without br_netfilter there is no such key and frames never pass the firewall.
        if host.read_sysctl(key).is_some() {
            host.sysctl(key, "0");
        }
    }
}

fn surroundings(supply: Supply) -> Surroundings {
    let (masked, path): (&[&str], _) = match supply {
        Supply::Own => (&MASKED, LIST),
        Supply::Mixed | Supply::Peer => (&[], "/usr/sbin:/usr/bin:/sbin:/bin"),
    };
    let mask = |path: &&str| format!("if [ -e {path} ]; then mount --bind /dev/null {path}; fi; ");
    let configuration = "CONTAINERS_CONF=/run/containers.conf".to_owned();
    Surroundings {
        name: format!("plugins: {supply:?}"),
        mounts: masked.iter().map(mask).collect(),
        environment: vec![format!("PATH={path}"), "HOME=/run".to_owned(), configuration],
        command_limit: "20",
        daemon_limit: "120",
    }
}

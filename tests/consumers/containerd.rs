//! containerd and `ctr run --cni`, on a world's host.

use std::fs;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::container::Container;
use super::rootfs;
use super::world::World;

const SOCKET: &str = "/run/containerd/containerd.sock";
const LOG: &str = "/run/containerd.log";
const CONFIGURATION: &str = r#"version = 2
root = "/run/containerd/root"
state = "/run/containerd/state"
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
address = "/run/containerd/containerd.sock"
"#;

/// A running containerd. It ends with the world.
pub struct Containerd<'a> {
    pub world: &'a World,
    daemon: Child,
}

impl<'a> Containerd<'a> {
    /// Starts the daemon and waits until it answers.
    pub fn start(world: &'a World) -> Containerd<'a> {
        fs::create_dir("/run/containerd").expect("mkdir /run/containerd");
        fs::write("/run/containerd.toml", CONFIGURATION).expect("write containerd.toml");
        let daemon = world.inside.start(&["containerd", "--config", "/run/containerd.toml"], LOG);
        let containerd = Containerd { world, daemon };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !world.inside.attempt(&["ctr", "-a", SOCKET, "version"]).status.success() {
            assert!(Instant::now() < deadline, "containerd does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        containerd
    }

    /// `ctr WORDS`, which must succeed; what it printed.
    pub fn call(&self, words: &[&str]) -> String {
        self.world.inside.run(&[&["ctr", "-a", SOCKET], words].concat())
    }

    /// The network of the containers to come: 10.90.1.0/24, fd00:90:1::/64, with these ports, as
    /// `[host, container, protocol]`. `ctr` knows no flag for ports: they are the network's.
    pub fn network(&self, ports: &[(u16, u16, &str)]) {
        let mappings: Vec<Value> = ports
            .iter()
            .map(|(host, to, protocol)| {
                json!({"hostPort": host, "containerPort": to, "protocol": protocol})
            })
            .collect();
        let range = |subnet: &str| json!([{"subnet": subnet}]);
        let list = json!({
            "cniVersion": "1.0.0",
            "name": "amber",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni-amber",
                    "isGateway": true,
                    "ipMasq": true,
                    "hairpinMode": true,
                    "ipam": {
                        "type": "host-local",
                        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                        "ranges": [range("10.90.1.0/24"), range("fd00:90:1::/64")],
                    },
                },
                {"type": "portmap", "runtimeConfig": {"portMappings": mappings}},
                {"type": "firewall"},
            ],
        });
        fs::write("/etc/cni/net.d/amber.conflist", list.to_string()).expect("write the network");
    }

    /// `ctr run -d --cni`: a container that goes on by itself.
    pub fn run(&self, name: &str) -> Container {
        let root = rootfs::make(name);
        let root = root.to_string_lossy();
        let group = format!("{}/{name}", self.world.inside.cgroup());
        let run = ["run", "-d", "--cni", "--cgroup", &group, "--rootfs", &root, name];
        self.call(&[&run[..], &rootfs::COMMAND].concat());
        self.container(name)
    }

    /// `ctr run --rm --cni`: `ctr` stays until the container ends, and then takes its network away.
    pub fn run_in_front(&self, name: &str) -> (Child, Container) {
        let root = rootfs::make(name);
        let root = root.to_string_lossy();
        let group = format!("{}/{name}", self.world.inside.cgroup());
        let run = ["run", "--rm", "--cni", "--cgroup", &group, "--rootfs", &root, name];
        let words = [&["ctr", "-a", SOCKET], &run[..], &rootfs::COMMAND].concat();
        let mut child = self.world.inside.start(&words, "/run/ctr.log");
        let deadline = Instant::now() + Duration::from_secs(10);
        // The ports come into force after the task is made and before it is started.
        while self.task(name).is_none_or(|task| task[2] != "RUNNING") {
            let ended = child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "ctr ended: {ended:?}");
            assert!(Instant::now() < deadline, "the container does not start");
            thread::sleep(Duration::from_millis(20));
        }
        (child, self.container(name))
    }

    /// Name, process and state of a task.
    fn task(&self, name: &str) -> Option<[String; 3]> {
        let tasks = self.call(&["task", "ls"]);
        let rows = tasks.lines().map(|row| row.split_whitespace().map(str::to_owned));
        let mut rows = rows.filter_map(|row| row.collect::<Vec<_>>().try_into().ok());
        rows.find(|row: &[String; 3]| row[0] == name)
    }

    fn container(&self, name: &str) -> Container {
        let task = self.task(name).unwrap_or_else(|| panic!("no task {name}"));
        Container::running(self.world, name, &task[1])
    }

    /// `ctr task kill -s KILL NAME`, and the end of the task.
    pub fn kill(&self, container: Container) {
        let name = container.name.clone();
        drop(container);
        self.call(&["task", "kill", "-s", "KILL", &name]);
    }

    /// Kills a detached container and removes it.
    pub fn remove(&self, container: Container) {
        let name = container.name.clone();
        self.kill(container);
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.task(&name).is_some_and(|task| task[2] == "RUNNING") {
            assert!(Instant::now() < deadline, "{name} does not end");
            thread::sleep(Duration::from_millis(20));
        }
        self.call(&["task", "rm", &name]);
        self.call(&["container", "rm", &name]);
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            for log in [LOG, "/run/ctr.log"] {
                eprintln!("--- {log}:\n{}", fs::read_to_string(log).unwrap_or_default());
            }
        }
        // This is `timeout`; the daemon itself ends with the namespace.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

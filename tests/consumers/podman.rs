//! Podman with its CNI back end, on a world's host.

use std::fs;

use super::container::Container;
use super::rootfs;
use super::world::World;

const CONFIGURATION: &str = r#"[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"

[network]
network_backend = "cni"
cni_plugin_dirs = ["/run/plugins"]
network_config_dir = "/run/networks"

[containers]
cgroups = "disabled"
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"#;

/// `podman` with a storage of its own.
pub struct Podman<'a> {
    pub world: &'a World,
}

impl<'a> Podman<'a> {
    pub fn new(world: &'a World) -> Podman<'a> {
        fs::write("/run/containers.conf", CONFIGURATION).expect("write containers.conf");
        fs::create_dir("/run/networks").expect("mkdir /run/networks");
        let podman = Podman { world };
        let backend = podman.call(&["info", "--format", "{{.Host.NetworkBackend}}"]);
        assert_eq!(backend, "cni", "this needs a Podman that was built with CNI, such as 4.3");
        podman
    }

    /// `podman WORDS`, which must succeed; what it printed.
    pub fn call(&self, words: &[&str]) -> String {
        let fixed = "podman --root /run/podman/root --runroot /run/podman/run --tmpdir \
                     /run/podman/tmp --storage-driver vfs --network-backend cni \
                     --network-config-dir /run/networks";
        let words: Vec<&str> =
            fixed.split(' ').filter(|word| !word.is_empty()).chain(words.iter().copied()).collect();
        self.world.inside.run(&words)
    }

    /// A dual-stack network: 10.89.N.0/24, fd00:89:N::/64.
    pub fn create_network(&self, name: &str, number: u8) {
        let [v4, v6] = [format!("10.89.{number}.0/24"), format!("fd00:89:{number}::/64")];
        self.call(&["network", "create", "--ipv6", "--subnet", &v4, "--subnet", &v6, name]);
    }

    /// Runs a container on `networks` (parted by commas) that publishes ports.
    pub fn run(&self, name: &str, networks: &str, publish: &[&str]) -> Container {
        let root = rootfs::make(name);
        let mut words = vec!["run", "-d", "--name", name, "--network", networks];
        words.extend(publish.iter().flat_map(|mapping| ["-p", mapping]));
        let root = root.to_string_lossy();
        words.extend(["--rootfs", &root]);
        words.extend(rootfs::COMMAND);
        self.call(&words);
        self.container(name)
    }

    /// The running container of this name.
    pub fn container(&self, name: &str) -> Container {
        let pid = self.call(&["inspect", "--format", "{{.State.Pid}}", name]);
        Container::running(self.world, name, &pid)
    }

    /// `podman rm -f -t 0 NAME`
    pub fn remove(&self, container: Container) {
        let name = container.name.clone();
        drop(container);
        self.call(&["rm", "-f", "-t", "0", &name]);
    }
}

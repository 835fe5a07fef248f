//! A host of its own for a daemon: namespaces, mounts, an uplink.
//!
//! ```text
//! client 192.0.2.2, 2001:db8::2 ───── wan0  host 192.0.2.1, 192.0.2.10, 2001:db8::1 (dockerd)
//! ```
//! All processes live in a [`PidNamespace`]; what they write lies on tmpfs.

use super::dns::Outside;
use super::programs::{self, Programs};
use crate::lab::{Echo, Netns, Outcome, PidNamespace, Probe, Surroundings, isolate, link, uplink};

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

/// One host and its client.
pub struct Host {
    pub programs: Programs,
    pub netns: Netns,
    pub client: Netns,
    /// Where all of its programs run.
    pub inside: PidNamespace,
    _echo: Echo,
    _names: Outside,
}

impl Host {
    /// Isolates the calling thread and builds the host.
    pub fn new(programs: Programs) -> Host {
        isolate();
        Programs::prepare();
        programs.link();
        link(&PROGRAMS, LIST);
        let [client, netns] = ["client", "host"].map(Netns::add);
        wire(&netns, &client);
        let inside = PidNamespace::new(&netns, surroundings(programs));
        let (echo, names) = (Echo::serve(&client, 9000), Outside::serve(&client));
        let host = Host { programs, netns, client, inside, _echo: echo, _names: names };
        let wires = ["outside udp 192.0.2.1:9", "outside udp [2001:db8::1]:9"];
        host.settle(&host.client, &wires);
        if matches!(programs, Programs::Own | Programs::Peer) {
            // What a daemon finds and what all others find is the same program.
            let [ours, all] =
                ["iptables", "/usr/sbin/iptables-nft"].map(|p| host.inside.run(&[p, "-V"]));
            assert_eq!(ours, all, "the versions of the programs");
        }
        host
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

fn wire(host: &Netns, client: &Netns) {
    uplink(host, client);
    host.ip("addr add 192.0.2.10/24 dev wan0\n");
    client.ip("route add default via 192.0.2.1
         route add default via 2001:db8::1
        ");
}

fn surroundings(programs: Programs) -> Surroundings {
    let covers = programs.covers();
    let covers = covers.iter().map(|(what, place)| format!("mount --bind {what} {place}; "));
    // dockerd looks for its bridges in /sys, which shows the network namespace it was mounted in; the
    // control groups stay the machine's.
    let mounts = format!(
        "{}
         mkdir /run/cgroup; mount --rbind /sys/fs/cgroup /run/cgroup
         mount -t sysfs sysfs /sys; mount --rbind /run/cgroup /sys/fs/cgroup; umount -l /run/cgroup
         mount -t tmpfs docker /etc/docker",
        covers.collect::<String>()
    );
    let path = format!("PATH={}:{LIST}", programs::DIRECTORY);
    let socket = "DOCKER_HOST=unix:///run/docker.sock".to_owned();
    Surroundings {
        name: format!("{programs:?}"),
        mounts,
        environment: vec![path, "HOME=/run".to_owned(), "TMPDIR=/run".to_owned(), socket],
        command_limit: "30",
        daemon_limit: "300",
    }
}

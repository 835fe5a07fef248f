//! A running container as the tests see it: where its packets come from, and who answers there.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::host::Host;
use crate::lab::{Echo, Netns};

/// The ports that a container answers on, TCP and UDP.
const PORTS: [u16; 2] = [7, 8];

/// A container whose servers are threads of the test.
pub struct Container {
    pub netns: Netns,
    _echoes: Vec<Echo>,
}

impl Container {
    /// Enters a container that dockerd has started, and waits until its links carry packets.
    pub fn running(host: &Host, name: &str) -> Container {
        let netns = settled(host, name);
        let echoes = PORTS.map(|port| Echo::serve(&netns, port)).into();
        Container { netns, _echoes: echoes }
    }
}

/// The network namespace of a container, once its links carry packets to all its networks.
pub fn settled(host: &Host, name: &str) -> Netns {
    let format = "{{.State.Pid}}{{range .NetworkSettings.Networks}} {{.Gateway}}{{end}}";
    let answer = host.inside.run(&["docker", "inspect", "--format", format, name]);
    let mut words = answer.split_whitespace();
    let pid = words.next().unwrap_or_else(|| panic!("{name} has no process"));
    let netns = host.inside.netns_of(name, pid);
    wait_for_addresses(&netns);
    // A network that is internal names no gateway.
    let gateways: Vec<String> = words.map(|ip| format!("outside udp {ip}:9")).collect();
    host.settle(&netns, &gateways.iter().map(String::as_str).collect::<Vec<_>>());
    netns
}

/// Waits for the end of duplicate address detection: dockerd 20.10 does not.
fn wait_for_addresses(netns: &Netns) {
    let deadline = Instant::now() + Duration::from_secs(6);
    while netns.enter(is_tentative) {
        assert!(Instant::now() < deadline, "{}: an address stays tentative", netns.name());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether an IPv6 address of global scope is not yet usable: IFA_F_TENTATIVE, 0x40.
fn is_tentative() -> bool {
    let table = fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap_or_default();
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let flags = fields.get(4).and_then(|flags| u32::from_str_radix(flags, 16).ok());
        fields.get(3) == Some(&"00") && flags.is_some_and(|flags| flags & 0x40 != 0)
    })
}

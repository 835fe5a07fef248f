//! A host without any bridge, an outside world, and containers with nothing in them.
//!
//! ```text
//! outside 192.0.2.2, 2001:db8::2 ── up0 192.0.2.1, 2001:db8::1 [ host ]    c1   c2   c3
//! ```

use nix::mount::{MsFlags, mount};

use crate::lab::{Echo, Netns, isolate};

use super::plugins::{Maker, Plugins};

/// The namespaces of one side of a comparison; belongs to the thread that made it.
pub struct World {
    pub host: Netns,
    pub containers: Vec<Netns>,
    pub plugins: Plugins,
    _echoes: Vec<Echo>,
}

impl World {
    /// Isolates the calling thread and builds the topology with three containers. Port 80 answers
    /// everywhere.
    pub fn new(maker: Maker) -> World {
        isolate();
        // host-local's default directory is below; nothing that runs here reads from there.
        mount(Some("lab"), "/var/lib", Some("tmpfs"), MsFlags::empty(), None::<&str>)
            .unwrap_or_else(|errno| panic!("lab: tmpfs over /var/lib: {errno}"));
        let plugins = Plugins::install(maker);
        let [host, outside] = ["host", "outside"].map(Netns::add);
        let containers: Vec<Netns> = ["c1", "c2", "c3"].map(Netns::add).to_vec();
        for netns in containers.iter().chain([&host, &outside]) {
            netns.ip("link set lo up\n");
            netns.sysctl("ipv4/icmp_ratelimit", "0");
            netns.sysctl("ipv6/icmp/ratelimit", "0");
        }
        for netns in [&host, &outside] {
            netns.sysctl("ipv6/conf/default/accept_dad", "0");
            netns.sysctl("ipv4/ip_forward", "0");
        }
        host.ip("link add up0 type veth peer name eth0 netns outside
                 link set up0 address 02:00:00:00:00:01
                 addr add 192.0.2.1/24 dev up0
                 addr add 2001:db8::1/64 dev up0 nodad
                 link set up0 up\n");
        outside.ip("link set eth0 address 02:00:00:00:00:02
                    addr add 192.0.2.2/24 dev eth0
                    addr add 2001:db8::2/64 dev eth0 nodad
                    link set eth0 up
                    route add default via 192.0.2.1
                    route add default via 2001:db8::1\n");
        let echoes =
            containers.iter().chain([&host, &outside]).map(|ns| Echo::serve(ns, 80)).collect();
        World { host, containers, plugins, _echoes: echoes }
    }

    /// The container of this number, from 1.
    pub fn container(&self, number: usize) -> &Netns {
        &self.containers[number - 1]
    }
}

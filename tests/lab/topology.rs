//! The laboratory's wires and addresses.
//!
//! ```text
//! outside 192.0.2.2, 2001:db8::2 ───── wan0 ┌──────┐ wan1 ───── remote 198.51.100.7, 2001:db8:1::7
//!              host 192.0.2.1, 2001:db8::1  │ host │  host 198.51.100.1, 2001:db8:1::1
//!                                           └─cni0─┘  10.88.0.1/16, fd00:88::1/64
//!           container 10.88.0.2, fd00:88::2 ──┘  └── sibling 10.88.0.3, fd00:88::3
//! ```
//! Everyone's default route leads to the host, which forwards. Outside and remote addresses are
//! documentation addresses (RFC 5737, RFC 3849). There is no firewall but what a test sets up.

use std::fmt;
use std::str::FromStr;
use std::thread;

use super::echo::Echo;
use super::isolation::isolate;
use super::netns::Netns;
use super::probe::{Outcome, Probe, Table};

/// Who can send packets in the laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Outside,
    Remote,
    Host,
    Container,
    Sibling,
}

impl Place {
    const ALL: [Place; 5] =
        [Place::Outside, Place::Remote, Place::Host, Place::Container, Place::Sibling];
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Outside => "outside",
            Place::Remote => "remote",
            Place::Host => "host",
            Place::Container => "container",
            Place::Sibling => "sibling",
        })
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(word: &str) -> Result<Place, String> {
        Place::ALL
            .into_iter()
            .find(|place| place.to_string() == word)
            .ok_or_else(|| format!("no place is called {word}"))
    }
}

/// Five namespaces of one test, and the echo servers in them.
pub struct Lab {
    pub outside: Netns,
    pub remote: Netns,
    pub host: Netns,
    pub container: Netns,
    pub sibling: Netns,
    echoes: Vec<Echo>,
}

impl Lab {
    /// Isolates the calling thread and builds the network. bridge-nf-call-* start at 0. Servers:
    /// 53, 80 and 443 in both containers, 8080 at the remote; nobody listens on the host.
    pub fn new() -> Lab {
        isolate();
        let [outside, remote, host, container, sibling] =
            Place::ALL.map(|place| Netns::add(&place.to_string()));
        let mut lab = Lab { outside, remote, host, container, sibling, echoes: Vec::new() };
        for netns in Place::ALL.map(|place| lab.at(place)) {
            defaults(netns);
        }
        wire(&lab);
        lab.bridge_netfilter("0");
        settle(&lab);
        for (place, ports) in [
            (Place::Container, &[53, 80, 443][..]),
            (Place::Sibling, &[53, 80, 443]),
            (Place::Remote, &[8080]),
        ] {
            for port in ports {
                let echo = Echo::serve(lab.at(place), *port);
                lab.echoes.push(echo);
            }
        }
        lab
    }

    pub fn at(&self, place: Place) -> &Netns {
        match place {
            Place::Outside => &self.outside,
            Place::Remote => &self.remote,
            Place::Host => &self.host,
            Place::Container => &self.container,
            Place::Sibling => &self.sibling,
        }
    }

    /// Whether frames between two ports of the bridge pass the firewall: `0` or `1`.
    pub fn bridge_netfilter(&self, value: &str) {
        for key in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
            let key = format!("bridge/{key}");
            // Without br_netfilter there is no such key and frames never pass the firewall.
            if value == "1" || self.host.read_sysctl(&key).is_some() {
                self.host.sysctl(&key, value);
            }
        }
    }

    /// Sends all probes at once and waits for their outcomes.
    pub fn measure(&self, probes: &[Probe]) -> Table {
        thread::scope(|scope| {
            let running: Vec<_> = probes
                .iter()
                .map(|probe| (probe, scope.spawn(|| probe.send(self.at(probe.client)))))
                .collect();
            let outcome = |(probe, thread): (&Probe, thread::ScopedJoinHandle<'_, _>)| {
                (probe.to_string(), thread.join().expect("a probe does not panic"))
            };
            Table(running.into_iter().map(outcome).collect())
        })
    }

    /// Waits until the hosts at the other end of these probes answer that nobody listens there. An
    /// IPv6 address that was just added hears no neighbour solicitation until the kernel's worker
    /// has joined its multicast group.
    pub fn wait_refused(&self, probes: &[&str]) {
        let probes: Vec<Probe> =
            probes.iter().map(|probe| probe.parse().expect("these are probes")).collect();
        let mut last = None;
        for _ in 0..10 {
            let table = self.measure(&probes);
            if table.0.values().all(|outcome| *outcome == Outcome::Refused) {
                return;
            }
            last = Some(table);
        }
        panic!("lab: the network does not come up:\n{}", last.expect("measured"));
    }

    /// Asserts the outcomes of probes, both in their printed form.
    pub fn expect(&self, expectations: &[(&str, &str)]) {
        let probes: Vec<Probe> = expectations
            .iter()
            .map(|(probe, _)| probe.parse().unwrap_or_else(|e| panic!("probe {probe}: {e}")))
            .collect();
        let measured = self.measure(&probes);
        let wrong: Vec<String> = expectations
            .iter()
            .map(|(probe, expected)| (probe, *expected, measured.0[*probe].to_string()))
            .filter(|(_, expected, outcome)| expected != outcome)
            .map(|(probe, expected, outcome)| format!("{probe}: {outcome}, not {expected}"))
            .collect();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), self.host.ruleset());
    }
}

/// Joins a host to the world: `wan0` 192.0.2.1 and 2001:db8::1 here, `eth0` 192.0.2.2 and
/// 2001:db8::2 there, where the host's default routes lead.
pub fn uplink(host: &Netns, world: &Netns) {
    for netns in [host, world] {
        quick(netns);
    }
    host.ip(&format!(
        "link add wan0 type veth peer name eth0 netns {}
         addr add 192.0.2.1/24 dev wan0
         addr add 2001:db8::1/64 dev wan0 nodad
         link set wan0 up
         route add default via 192.0.2.2
         route add default via 2001:db8::2
        ",
        world.name()
    ));
    world.ip("addr add 192.0.2.2/24 dev eth0
         addr add 2001:db8::2/64 dev eth0 nodad
         link set eth0 up
        ");
}

/// What holds in every namespace: no waiting for DAD, no rate limit on "port unreachable".
fn quick(netns: &Netns) {
    for (key, value) in [
        ("ipv6/conf/all/accept_dad", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv4/icmp_ratelimit", "0"),
        ("ipv6/icmp/ratelimit", "0"),
    ] {
        netns.sysctl(key, value);
    }
    netns.ip("link set lo up\n");
}

/// And no check of where a packet comes from.
fn defaults(netns: &Netns) {
    quick(netns);
    netns.sysctl("ipv4/conf/all/rp_filter", "0");
    netns.sysctl("ipv4/conf/default/rp_filter", "0");
}

fn wire(lab: &Lab) {
    lab.host.sysctl("ipv4/ip_forward", "1");
    lab.host.sysctl("ipv6/conf/all/forwarding", "1");
    lab.host.ip("link add wan0 type veth peer name eth0 netns outside
         link add wan1 type veth peer name eth0 netns remote
         link add cni0 type bridge
         link add veth2 type veth peer name eth0 address 0a:58:0a:58:00:02 netns container
         link add veth3 type veth peer name eth0 address 0a:58:0a:58:00:03 netns sibling
         link set veth2 master cni0
         link set veth3 master cni0
         link set veth2 type bridge_slave hairpin on
         link set veth3 type bridge_slave hairpin on
         addr add 192.0.2.1/24 dev wan0
         addr add 2001:db8::1/64 dev wan0 nodad
         addr add 198.51.100.1/24 dev wan1
         addr add 2001:db8:1::1/64 dev wan1 nodad
         addr add 10.88.0.1/16 dev cni0
         addr add fd00:88::1/64 dev cni0 nodad
         link set wan0 up
         link set wan1 up
         link set cni0 up
         link set veth2 up
         link set veth3 up
        ");
    for (netns, v4, gateway4, v6, gateway6) in [
        (&lab.outside, "192.0.2.2/24", "192.0.2.1", "2001:db8::2/64", "2001:db8::1"),
        (&lab.remote, "198.51.100.7/24", "198.51.100.1", "2001:db8:1::7/64", "2001:db8:1::1"),
        (&lab.container, "10.88.0.2/16", "10.88.0.1", "fd00:88::2/64", "fd00:88::1"),
        (&lab.sibling, "10.88.0.3/16", "10.88.0.1", "fd00:88::3/64", "fd00:88::1"),
    ] {
        netns.ip(&format!(
            "addr add {v4} dev eth0
             addr add {v6} dev eth0 nodad
             link set eth0 up
             route add default via {gateway4}
             route add default via {gateway6}
            "
        ));
    }
}

/// Waits until every wire carries packets. A veth's queue drops what is sent before the kernel's
/// link watch has seen the carrier, and a lost neighbour solicitation is sent again after 1 s.
fn settle(lab: &Lab) {
    lab.wait_refused(&[
        "outside udp 192.0.2.1:9",
        "outside udp [2001:db8::1]:9",
        "remote udp 198.51.100.1:9",
        "remote udp [2001:db8:1::1]:9",
        "container udp 10.88.0.1:9",
        "container udp [fd00:88::1]:9",
        "container udp 10.88.0.3:9",
        "container udp [fd00:88::3]:9",
        "sibling udp 10.88.0.1:9",
        "sibling udp [fd00:88::1]:9",
    ]);
}

//! Three namespaces in a row: outside – host – container, joined as on a real machine.
//!
//! ```text
//! outside 192.0.2.2 ── 192.0.2.1 host, cni0 10.88.0.1 ── 10.88.0.2 container
//!      2001:db8::2       2001:db8::1       fd00:88::1      fd00:88::2
//! ```

use anyhow::Result;

use crate::run::Step;

/// The container's addresses: where the probes must arrive.
pub const CONTAINER: [&str; 2] = ["10.88.0.2", "fd00:88::2"];
/// The bridge's addresses: what the container sees where traffic is masqueraded.
pub const GATEWAY: [&str; 2] = ["10.88.0.1", "fd00:88::1"];
/// The host's own addresses on the link to the outside.
pub const HOST: [&str; 2] = ["192.0.2.1", "2001:db8::1"];
/// The client's addresses.
pub const OUTSIDE: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

const LINES: &[&str] = &[
    "ip netns add outside",
    "ip netns add host",
    "ip netns add container",
    "ip -n outside link set lo up",
    "ip -n host link set lo up",
    "ip -n container link set lo up",
    "ip -n host link add uplink type veth peer name eth0 netns outside",
    "ip -n host addr add 192.0.2.1/24 dev uplink",
    "ip -n host addr add 2001:db8::1/64 dev uplink nodad",
    "ip -n host link set uplink up",
    "ip -n outside addr add 192.0.2.2/24 dev eth0",
    "ip -n outside addr add 2001:db8::2/64 dev eth0 nodad",
    "ip -n outside link set eth0 up",
    "ip -n host link add cni0 type bridge",
    "ip -n host addr add 10.88.0.1/16 dev cni0",
    "ip -n host addr add fd00:88::1/64 dev cni0 nodad",
    "ip -n host link set cni0 up",
    "ip -n host link add veth0 type veth peer name eth0 netns container",
    "ip -n host link set veth0 master cni0 up",
    // As bridge's `hairpinMode`: with br_netfilter the way back leads out of the port it came in.
    "ip -n host link set veth0 type bridge_slave hairpin on",
    "ip -n container addr add 10.88.0.2/16 dev eth0",
    "ip -n container addr add fd00:88::2/64 dev eth0 nodad",
    "ip -n container link set eth0 up",
    "ip -n container route add default via 10.88.0.1",
    "ip -n container route add default via fd00:88::1",
    "ip netns exec host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
];

/// Make it all. What is made goes with the mount namespace.
pub fn make() -> Result<()> {
    LINES.iter().try_for_each(|line| Step::line(line).run())
}

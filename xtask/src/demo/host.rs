//! Three namespaces in a row: outside – host – container. Host and outside are joined here; the
//! container's bridge, link and addresses are the plugins' work.
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
];

/// Make it all. What is made goes with the mount namespace.
pub fn make() -> Result<()> {
    LINES.iter().try_for_each(|line| Step::line(line).run())
}

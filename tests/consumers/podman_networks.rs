//! `podman network connect`, `disconnect` and `reload`: each network keeps its hands off the other.

use std::collections::BTreeSet;

use super::podman::Podman;
use super::world::{Cgroups, World};

const WEB: [&str; 3] = ["8080:80", "7007:7/tcp", "7007:7/udp"];

const REACH_WEB: [(&str, &str); 4] = [
    ("outside tcp 192.0.2.1:7007", "web sees 192.0.2.2"),
    ("outside udp 192.0.2.1:7007", "web sees 192.0.2.2"),
    ("outside tcp [2001:db8::1]:7007", "web sees 2001:db8::2"),
    ("outside udp [2001:db8::1]:7007", "web sees 2001:db8::2"),
];

#[test]
fn network_disconnect_when_on_two_networks_keeps_the_ports_of_the_other() {
    let world = World::new(Cgroups::Unified);
    let podman = Podman::new(&world);
    let before = world.traces();
    podman.create_network("blue", 1);
    podman.create_network("green", 2);
    let web = podman.run("web", "blue", &WEB);
    podman.call(&["network", "connect", "green", "web"]);
    // TCP only: an answer of UDP's goes out with the address of its route, on either network.
    world.expect(&web.netns, &[REACH_WEB[0], REACH_WEB[2]]);

    podman.call(&["network", "disconnect", "blue", "web"]);
    podman.call(&["network", "rm", "blue"]);
    world.expect(&web.netns, &REACH_WEB);
    // Through the network that is left.
    world.expect(
        &web.netns,
        &[
            ("host tcp 127.0.0.1:7007", "web sees 10.89.2.1"),
            ("container tcp 192.0.2.2:9000", "outside sees 192.0.2.1"),
        ],
    );
    let ruleset = world.ruleset();
    assert!(!ruleset.contains("10.89.1.2"), "rules of the network that was left:\n{ruleset}");

    podman.create_network("blue", 1);
    podman.call(&["network", "connect", "blue", "web"]);
    podman.call(&["network", "disconnect", "green", "web"]);
    world.expect(&web.netns, &REACH_WEB);

    podman.remove(web);
    for network in ["blue", "green"] {
        podman.call(&["network", "rm", network]);
    }
    world.expect_nothing_but(&before, &["10.89.1.", "10.89.2.", "fd00:89:", "7007", "8080"]);
}

#[test]
fn network_reload_when_the_ruleset_was_flushed_publishes_again() {
    let world = World::new(Cgroups::Unified);
    let podman = Podman::new(&world);
    let before = world.traces();
    podman.create_network("blue", 1);
    let web = podman.run("web", "blue", &WEB);
    world.expect(&web.netns, &REACH_WEB);

    // What a firewall's restart does.
    world.flush_ruleset();
    // Not refused: Podman keeps a socket that listens on each published port, to reserve it.
    world.expect(&web.netns, &[("outside tcp 192.0.2.1:7007", "silent")]);
    podman.call(&["network", "reload", "web"]);
    world.expect(&web.netns, &REACH_WEB);

    podman.remove(web);
    podman.call(&["network", "rm", "blue"]);
    world.expect_nothing_but(&before, &["10.89.1.", "fd00:89:", "7007", "8080"]);
}

#[test]
fn stop_and_start_when_ports_are_published_takes_them_away_and_back() {
    let world = World::new(Cgroups::Unified);
    let podman = Podman::new(&world);
    let before = world.traces();
    podman.create_network("blue", 1);
    let web = podman.run("web", "blue", &WEB);

    drop(web);
    podman.call(&["stop", "-t", "0", "web"]);
    world.expect_nothing_but(&with_bridge(&before), &["10.89.1.2", "7007", "8080"]);

    podman.call(&["start", "web"]);
    let web = podman.container("web");
    assert_eq!(world.page("192.0.2.1:8080"), "page of web");
    world.expect(&web.netns, &REACH_WEB);
    podman.remove(web);
    podman.call(&["network", "rm", "blue"]);
    world.expect_nothing_but(&before, &["10.89.1.", "fd00:89:", "7007", "8080"]);
}

/// A bridge stays with its network, not with its containers.
fn with_bridge(before: &BTreeSet<String>) -> BTreeSet<String> {
    let mut traces = before.clone();
    traces.insert("link cni-podman1".to_owned());
    traces
}

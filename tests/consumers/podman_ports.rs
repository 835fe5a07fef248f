//! `podman run -p`: who reaches a published port, and what `podman rm` leaves.

use std::thread;

use super::container::Container;
use super::podman::Podman;
use super::world::{Cgroups, World};

const WEB: [&str; 3] = ["8080:80", "7007:7/tcp", "7007:7/udp"];
const API: [&str; 4] = ["8081:80", "7008:7/tcp", "7008:7/udp", "127.0.0.1:7009:7/tcp"];

/// Everyone who may reach web's port 7007, and as whom web sees them.
const REACH_WEB: [(&str, &str); 14] = [
    ("outside tcp 192.0.2.1:7007", "web sees 192.0.2.2"),
    ("outside udp 192.0.2.1:7007", "web sees 192.0.2.2"),
    ("outside tcp [2001:db8::1]:7007", "web sees 2001:db8::2"),
    ("outside udp [2001:db8::1]:7007", "web sees 2001:db8::2"),
    ("host tcp 127.0.0.1:7007", "web sees 10.89.1.1"),
    ("host udp 127.0.0.1:7007", "web sees 10.89.1.1"),
    ("host tcp 192.0.2.1:7007", "web sees 192.0.2.1"),
    ("host udp [2001:db8::1]:7007", "web sees 2001:db8::1"),
    ("host tcp [2001:db8::1]:7007", "web sees 2001:db8::1"),
    // Through the host and back: with the bridge's address, lest web answer past the host.
    ("container tcp 192.0.2.1:7007", "web sees 10.89.1.1"),
    ("container udp 192.0.2.1:7007", "web sees 10.89.1.1"),
    ("container tcp [2001:db8::1]:7007", "web sees fd00:89:1::1"),
    ("container tcp 192.0.2.2:9000", "outside sees 192.0.2.1"),
    ("container tcp [2001:db8::2]:9000", "outside sees 2001:db8::1"),
];

#[test]
fn podman_run_when_ports_are_published_serves_everyone_and_rm_leaves_nothing() {
    let world = World::new(Cgroups::Unified);
    let podman = Podman::new(&world);
    let before = world.traces();
    podman.create_network("blue", 1);

    let web = podman.run("web", "blue", &WEB);
    assert_eq!(world.page("192.0.2.1:8080"), "page of web");
    assert_eq!(world.page("[2001:db8::1]:8080"), "page of web");
    world.expect(&web.netns, &REACH_WEB);

    let api = podman.run("api", "blue", &API);
    world.expect(
        &api.netns,
        &[
            ("outside tcp 192.0.2.1:7008", "api sees 192.0.2.2"),
            ("outside udp [2001:db8::1]:7008", "api sees 2001:db8::2"),
            ("outside tcp 192.0.2.1:7007", "web sees 192.0.2.2"),
            // A neighbour on the same bridge.
            ("container tcp 192.0.2.1:7007", "web sees 10.89.1.1"),
            ("container udp 192.0.2.1:7007", "web sees 10.89.1.1"),
            ("container tcp [2001:db8::1]:7007", "web sees fd00:89:1::1"),
            ("container tcp 10.89.1.2:7", "web sees 10.89.1.3"),
        ],
    );

    podman.remove(web);
    world.expect(
        &api.netns,
        &[
            ("outside tcp 192.0.2.1:7007", "refused"),
            ("outside udp 192.0.2.1:7007", "refused"),
            ("outside tcp [2001:db8::1]:7007", "refused"),
            ("outside tcp 192.0.2.1:7008", "api sees 192.0.2.2"),
            ("outside udp [2001:db8::1]:7008", "api sees 2001:db8::2"),
            ("container tcp 192.0.2.2:9000", "outside sees 192.0.2.1"),
        ],
    );

    podman.remove(api);
    podman.call(&["network", "rm", "blue"]);
    world.expect_nothing_but(&before, &["10.89.1.", "fd00:89:1", "700", "808"]);
}

#[test]
fn podman_run_when_four_start_at_once_publishes_the_ports_of_all() {
    let world = World::new(Cgroups::Unified);
    let podman = Podman::new(&world);
    let before = world.traces();
    podman.create_network("blue", 1);

    let podman = &podman;
    let start = |number: u16| {
        let ports = [format!("710{number}:7/tcp"), format!("710{number}:7/udp")];
        podman.run(&format!("web{number}"), "blue", &[&ports[0], &ports[1]])
    };
    let webs: Vec<Container> = thread::scope(|scope| {
        let starting: Vec<_> = (1..=4).map(|number| scope.spawn(move || start(number))).collect();
        starting.into_iter().map(|web| web.join().expect("it starts")).collect()
    });
    for (number, web) in (1..).zip(&webs) {
        for (probe, client) in [
            (format!("outside tcp 192.0.2.1:710{number}"), "192.0.2.2"),
            (format!("outside udp 192.0.2.1:710{number}"), "192.0.2.2"),
            (format!("outside tcp [2001:db8::1]:710{number}"), "2001:db8::2"),
            (format!("outside udp [2001:db8::1]:710{number}"), "2001:db8::2"),
        ] {
            world.expect(&web.netns, &[(&probe, &format!("web{number} sees {client}"))]);
        }
    }

    drop(webs);
    podman.call(&["rm", "-f", "-t", "0", "web1", "web2", "web3", "web4"]);
    podman.call(&["network", "rm", "blue"]);
    world.expect_nothing_but(&before, &["10.89.1.", "fd00:89:1", "710"]);
}

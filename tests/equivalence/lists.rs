//! Lists of `-m recent` that forget: the time runs on both hosts.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use portcullis::net::IpVersion;

use super::compare::NUMBER;
use super::generate::Rule;
use super::lab::isolate;
use super::lab::packet::{From, Packet, ports};
use super::side::{Side, Who};
use super::traffic::Hosts;

const RULES: &[&str] = &[
    "-p udp --dport 9500 -m recent --name k --rcheck --seconds 2 --reap",
    "-p udp --dport 9500 -m recent --name k ! --rcheck --seconds 2",
    "-p udp --dport 9501 -m recent --name k --set",
    "-p udp --dport 9502 -m recent --name k --update --seconds 2",
];

/// The port that a datagram goes to, and how long after it nothing comes, in milliseconds.
const STEPS: &[(u16, u64)] = &[
    (9500, 0),    // nothing known yet
    (9502, 0),    // nor is that added
    (9500, 0),    // as is seen here
    (9501, 0),    // added
    (9500, 1200), // known
    (9502, 1200), // renewed
    (9500, 1300), // known for what renewed it
    (9500, 0),    // forgotten: to be asked for renews nothing
    (9502, 0),    // forgotten, and not renewed
    (9500, 0),
];

fn counted(who: Who, version: IpVersion) -> Vec<u64> {
    let hosts = Hosts::of(version);
    let rules: Vec<Rule> =
        RULES.iter().map(|words| Rule::new("mangle", "PREROUTING", words)).collect();
    let mut side = Side::new(who, version, NUMBER.fetch_add(1, Ordering::Relaxed));
    assert_eq!(side.load(&rules), Vec::new(), "{who:?}");
    for (port, pause) in STEPS {
        let ends = (hosts.distant, hosts.container);
        let packet = Packet::new("datagram", From::Outside, ends, (17, ports(1500, *port, 8)));
        side.play(&[packet], |_, _| {});
        sleep(Duration::from_millis(*pause));
    }
    side.counts(&rules).into_iter().map(|(packets, _)| packets).collect()
}

#[test]
fn list_when_its_seconds_are_over_then_forgets_as_xt_recent_does() {
    isolate();
    for version in [IpVersion::V4, IpVersion::V6] {
        let [theirs, ours] = [Who::Theirs, Who::Ours].map(|who| counted(who, version));
        assert_eq!(theirs, ours, "{version:?}");
        assert_eq!(ours, [2, 4, 1, 1], "{version:?}");
    }
}

//! The product against Debian's plugin: one matrix of probes, two laboratories, one outcome.
//!
//! Each test publishes the same configuration through both plugins, each in namespaces of its
//! own, sends every probe of the matrix after ADD and again after DEL, and compares the outcomes.
//! A row in which the plugins are meant to differ is listed with both outcomes and a reason;
//! a row that differs and is not listed fails, and so does a listed row that does not differ.
//!
//! Debian 12 has version 1.1.1 of the plugins, which publishes with iptables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

use std::net::IpAddr;
use std::panic::resume_unwind;
use std::thread;

use lab::{Attachment, Lab, Mapping, Place, Plugin, PortmapConf, Probe, Protocol, Subject, Table};

/// Who asks which address: the host's addresses, and two that only lie behind it.
const MATRIX: [(Place, &[&str]); 5] = [
    (
        Place::Outside,
        &[
            "192.0.2.1",
            "198.51.100.1",
            "2001:db8::1",
            "2001:db8:1::1",
            "198.51.100.7",
            "2001:db8:1::7",
        ],
    ),
    (Place::Remote, &["198.51.100.1", "192.0.2.1", "2001:db8:1::1"]),
    (
        Place::Host,
        &[
            "127.0.0.1",
            "::1",
            "192.0.2.1",
            "10.88.0.1",
            "2001:db8::1",
            "fd00:88::1",
            "198.51.100.7",
        ],
    ),
    (Place::Container, FROM_A_CONTAINER),
    (Place::Sibling, FROM_A_CONTAINER),
];

const FROM_A_CONTAINER: &[&str] =
    &["192.0.2.1", "10.88.0.1", "2001:db8::1", "fd00:88::1", "198.51.100.7", "2001:db8:1::7"];

/// What is published, and how the bridge is set.
struct Case<'a> {
    containers: &'a [(Place, PortmapConf)],
    /// The host ports that are probed.
    ports: &'a [u16],
    bridge_netfilter: &'a str,
}

/// Rows in which the product does not do as Debian's 1.1.1 does: probe, product, Debian.
struct Deliberate {
    reason: &'static str,
    rows: &'static [(&'static str, &'static str, &'static str)],
}

const NONE: Deliberate = Deliberate { reason: "both do what is documented", rows: &[] };

fn matrix(ports: &[u16]) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (client, addresses) in MATRIX {
        for address in addresses {
            for port in ports {
                for protocol in [Protocol::Tcp, Protocol::Udp] {
                    let ip: IpAddr = address.parse().unwrap();
                    probes.push(Probe { client, protocol, to: (ip, *port).into() });
                }
            }
        }
    }
    probes
}

/// The matrix after ADD and after DEL, in a laboratory on a thread of its own.
fn outcomes(subject: &Subject, case: &Case<'_>) -> [Table; 2] {
    thread::scope(|scope| {
        let measuring = scope.spawn(|| {
            let lab = Lab::new();
            lab.bridge_netfilter(case.bridge_netfilter);
            let plugin = Plugin::new(subject, &lab.host);
            let attachment = |(place, conf): &(Place, PortmapConf)| {
                let number = if *place == Place::Sibling { 3 } else { 2 };
                Attachment::new(lab.at(*place), number, conf.clone())
            };
            let attachments: Vec<Attachment> = case.containers.iter().map(attachment).collect();
            let probes = matrix(case.ports);
            attachments.iter().for_each(|attachment| plugin.add(attachment));
            let added = lab.measure(&probes);
            attachments.iter().for_each(|attachment| plugin.del(attachment));
            [added, lab.measure(&probes)]
        });
        measuring.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Compares the plugins for one configuration of the container.
fn compare(conf: PortmapConf, deliberate: &Deliberate) {
    let containers = [(Place::Container, conf)];
    let case = Case { containers: &containers, ports: &[8080], bridge_netfilter: "0" };
    compare_case(&case, deliberate);
}

fn compare_case(case: &Case<'_>, deliberate: &Deliberate) {
    let (portcullis, debian) = (Subject::portcullis(), Subject::debian());
    let ([ours, ours_after], [theirs, theirs_after]) = thread::scope(|scope| {
        let theirs = scope.spawn(|| outcomes(&debian, case));
        let ours = outcomes(&portcullis, case);
        (ours, theirs.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let answered = |table: &Table| table.to_string().contains(" sees ");
    assert!(answered(&ours) && answered(&theirs), "nothing answers:\n{ours}\n{theirs}");
    let expected: Vec<String> =
        deliberate.rows.iter().map(|row| line(row.0, row.1, row.2)).collect();
    let found = differences(&ours, &theirs);
    assert!(
        found == expected,
        "after ADD these differ:\n{}\nand these were meant to ({}):\n{}",
        found.join("\n"),
        deliberate.reason,
        expected.join("\n")
    );
    let left = differences(&ours_after, &theirs_after);
    assert!(left.is_empty(), "after DEL these differ:\n{}", left.join("\n"));
}

fn differences(ours: &Table, theirs: &Table) -> Vec<String> {
    let rows = ours.0.iter().map(|(probe, outcome)| (probe, outcome, &theirs.0[probe]));
    rows.filter(|(_, ours, theirs)| ours != theirs)
        .map(|(probe, ours, theirs)| line(probe, &ours.to_string(), &theirs.to_string()))
        .collect()
}

fn line(probe: &str, ours: &str, theirs: &str) -> String {
    format!("{probe}: portcullis: {ours}; debian: {theirs}")
}

#[test]
fn defaults_when_compared_then_equal() {
    compare(PortmapConf::publish(8080, 80), &NONE);
}

#[test]
fn defaults_when_bridge_calls_netfilter_then_equal() {
    let containers = [(Place::Container, PortmapConf::publish(8080, 80))];
    let case = Case { containers: &containers, ports: &[8080], bridge_netfilter: "1" };
    compare_case(&case, &NONE);
}

#[test]
fn snat_false_when_compared_then_equal() {
    compare(PortmapConf::publish(8080, 80).snat(false), &NONE);
}

#[test]
fn masq_all_when_compared_then_only_the_product_masquerades() {
    compare(PortmapConf::publish(8080, 80).masq_all(), &MASQ_ALL);
}

#[test]
fn host_ip_v4_when_compared_then_equal() {
    compare(on("192.0.2.1"), &NONE);
}

#[test]
fn host_ip_v6_when_compared_then_equal() {
    compare(on("2001:db8::1"), &NONE);
}

#[test]
fn host_ip_loopback_when_compared_then_equal() {
    compare(on("127.0.0.1"), &NONE);
}

#[test]
fn host_ip_any_v4_when_compared_then_equal() {
    compare(on("0.0.0.0"), &NONE);
}

#[test]
fn host_ip_any_v6_when_compared_then_equal() {
    compare(on("::"), &NONE);
}

fn on(host_ip: &'static str) -> PortmapConf {
    PortmapConf::new(&[Mapping::tcp(8080, 80).on(host_ip), Mapping::udp(8080, 80).on(host_ip)])
}

#[test]
fn conditions_v4_when_a_source_is_asked_for_then_equal() {
    compare(PortmapConf::publish(8080, 80).conditions_v4(&["-s", "192.0.2.2/32"]), &NONE);
}

#[test]
fn conditions_v4_when_a_source_is_excluded_then_equal() {
    compare(PortmapConf::publish(8080, 80).conditions_v4(&["!", "-s", "192.0.2.2/32"]), &NONE);
}

#[test]
fn conditions_v6_when_a_source_is_asked_for_then_equal() {
    compare(PortmapConf::publish(8080, 80).conditions_v6(&["-s", "2001:db8::2/128"]), &NONE);
}

#[test]
fn conditions_v4_when_destination_and_snat_false_then_equal() {
    let conf = PortmapConf::publish(8080, 80).snat(false);
    compare(conf.conditions_v4(&["!", "-d", "198.51.100.0/24"]), &NONE);
}

#[test]
fn mark_masq_bit_when_5_then_equal() {
    compare(PortmapConf::publish(8080, 80).mark_masq_bit(5), &NONE);
}

#[test]
fn several_ports_when_compared_then_equal() {
    let mappings = [
        Mapping::tcp(8080, 80),
        Mapping::tcp(8443, 443),
        Mapping::udp(5353, 53),
        Mapping::udp(8443, 443).on("192.0.2.1"),
    ];
    let containers = [(Place::Container, PortmapConf::new(&mappings))];
    let case = Case { containers: &containers, ports: &[8080, 8443, 5353], bridge_netfilter: "0" };
    compare_case(&case, &NONE);
}

#[test]
fn two_containers_when_one_has_conditions_then_equal() {
    let conditioned = PortmapConf::publish(8080, 80).conditions_v4(&["!", "-s", "192.0.2.2/32"]);
    let containers =
        [(Place::Container, conditioned), (Place::Sibling, PortmapConf::publish(8081, 80))];
    let case = Case { containers: &containers, ports: &[8080, 8081], bridge_netfilter: "0" };
    compare_case(&case, &NONE);
}

#[test]
fn two_containers_when_one_is_not_masqueraded_then_equal() {
    let plain = PortmapConf::publish(8081, 80).snat(false);
    let containers = [(Place::Container, PortmapConf::publish(8080, 80)), (Place::Sibling, plain)];
    let case = Case { containers: &containers, ports: &[8080, 8081], bridge_netfilter: "0" };
    compare_case(&case, &NONE);
}

/// With masqAll the container sees the gateway alone, whoever asks.
const MASQ_ALL: Deliberate = Deliberate {
    reason: "1.1.1 does not know the key masqAll and ignores it; later versions masquerade all",
    rows: &[
        ("host tcp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.1"),
        ("host tcp [2001:db8::1]:8080", "container sees fd00:88::1", "container sees 2001:db8::1"),
        ("host udp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.1"),
        ("host udp [2001:db8::1]:8080", "container sees fd00:88::1", "container sees 2001:db8::1"),
        ("outside tcp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.2"),
        ("outside tcp 198.51.100.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.2"),
        (
            "outside tcp [2001:db8:1::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8::2",
        ),
        (
            "outside tcp [2001:db8::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8::2",
        ),
        ("outside udp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.2"),
        ("outside udp 198.51.100.1:8080", "container sees 10.88.0.1", "container sees 192.0.2.2"),
        (
            "outside udp [2001:db8:1::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8::2",
        ),
        (
            "outside udp [2001:db8::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8::2",
        ),
        ("remote tcp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 198.51.100.7"),
        ("remote tcp 198.51.100.1:8080", "container sees 10.88.0.1", "container sees 198.51.100.7"),
        (
            "remote tcp [2001:db8:1::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8:1::7",
        ),
        ("remote udp 192.0.2.1:8080", "container sees 10.88.0.1", "container sees 198.51.100.7"),
        ("remote udp 198.51.100.1:8080", "container sees 10.88.0.1", "container sees 198.51.100.7"),
        (
            "remote udp [2001:db8:1::1]:8080",
            "container sees fd00:88::1",
            "container sees 2001:db8:1::7",
        ),
    ],
};

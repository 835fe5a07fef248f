//! What a published port does with real packets: who reaches the container, and as whom.
//!
//! The subject is the built binary as the CNI plugin `portmap`; the expectations are fixed and
//! are those of the CNI plugin's documentation. See `lab/topology.rs` for the addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "traffic/flows.rs"]
mod flows;
mod lab;

use lab::{Attachment, Lab, Mapping, Plugin, PortmapConf, Subject, Verb};

/// Brings up a lab with one container that publishes `conf`, and lets `test` look at it.
fn published(conf: PortmapConf, test: impl FnOnce(&Lab)) {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let attachment = Attachment::new(&lab.container, 2, conf);
    Plugin::new(&subject, &lab.host).add(&attachment);
    test(&lab);
}

#[test]
fn probes_when_nothing_is_published_then_tell_refused_from_non_local() {
    Lab::new().expect(&[
        ("outside tcp 192.0.2.1:8080", "refused"),
        ("outside udp 192.0.2.1:8080", "refused"),
        ("outside tcp [2001:db8::1]:8080", "refused"),
        ("outside udp [2001:db8::1]:8080", "refused"),
        ("host tcp 127.0.0.1:8080", "refused"),
        ("host tcp 10.88.0.2:80", "container sees 10.88.0.1"),
        ("sibling udp [fd00:88::2]:80", "container sees fd00:88::3"),
        ("outside tcp 198.51.100.7:8080", "remote sees 192.0.2.2"),
    ]);
}

#[test]
fn outside_when_port_published_then_reaches_container_with_its_own_source() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside udp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside tcp [2001:db8::1]:8080", "container sees 2001:db8::2"),
            ("outside udp [2001:db8::1]:8080", "container sees 2001:db8::2"),
            ("outside tcp 198.51.100.1:8080", "container sees 192.0.2.2"),
            ("outside tcp 192.0.2.1:80", "refused"),
            ("outside tcp 192.0.2.1:8081", "refused"),
        ]);
    });
}

#[test]
fn host_when_port_published_then_reaches_it_on_localhost_and_own_addresses() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.expect(&[
            ("host tcp 127.0.0.1:8080", "container sees 10.88.0.1"),
            ("host udp 127.0.0.1:8080", "container sees 10.88.0.1"),
            ("host tcp 192.0.2.1:8080", "container sees 192.0.2.1"),
            ("host udp 192.0.2.1:8080", "container sees 192.0.2.1"),
            ("host tcp 10.88.0.1:8080", "container sees 10.88.0.1"),
            ("host tcp [2001:db8::1]:8080", "container sees 2001:db8::1"),
            ("host udp [2001:db8::1]:8080", "container sees 2001:db8::1"),
            ("host tcp [fd00:88::1]:8080", "container sees fd00:88::1"),
        ]);
    });
}

/// Containers come back through the host, masqueraded: else the answer would not.
const HAIRPIN: [(&str, &str); 12] = [
    ("container tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
    ("container udp 192.0.2.1:8080", "container sees 10.88.0.1"),
    ("container tcp [2001:db8::1]:8080", "container sees fd00:88::1"),
    ("container udp [2001:db8::1]:8080", "container sees fd00:88::1"),
    ("container tcp 10.88.0.1:8080", "container sees 10.88.0.1"),
    ("container tcp [fd00:88::1]:8080", "container sees fd00:88::1"),
    ("sibling tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
    ("sibling udp 192.0.2.1:8080", "container sees 10.88.0.1"),
    ("sibling tcp [2001:db8::1]:8080", "container sees fd00:88::1"),
    ("sibling udp [2001:db8::1]:8080", "container sees fd00:88::1"),
    ("sibling tcp 10.88.0.1:8080", "container sees 10.88.0.1"),
    ("sibling tcp [fd00:88::1]:8080", "container sees fd00:88::1"),
];

#[test]
fn containers_when_bridge_skips_netfilter_then_reach_the_port_masqueraded() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.bridge_netfilter("0");
        lab.expect(&HAIRPIN);
    });
}

#[test]
fn containers_when_bridge_calls_netfilter_then_reach_the_port_masqueraded() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.bridge_netfilter("1");
        lab.expect(&HAIRPIN);
    });
}

#[test]
fn non_local_destination_when_same_port_published_then_is_not_intercepted() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.expect(&[
            ("outside tcp 198.51.100.7:8080", "remote sees 192.0.2.2"),
            ("outside udp 198.51.100.7:8080", "remote sees 192.0.2.2"),
            ("outside tcp [2001:db8:1::7]:8080", "remote sees 2001:db8::2"),
            ("host tcp 198.51.100.7:8080", "remote sees 198.51.100.1"),
            ("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2"),
            ("sibling udp [2001:db8:1::7]:8080", "remote sees fd00:88::3"),
        ]);
    });
}

#[test]
fn host_ip_v4_when_given_then_only_that_address_answers() {
    let mapping = Mapping::tcp(8080, 80).on("192.0.2.1");
    published(PortmapConf::new(&[mapping]), |lab| {
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("host tcp 192.0.2.1:8080", "container sees 192.0.2.1"),
            ("sibling tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("container tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("outside tcp 198.51.100.1:8080", "refused"),
            ("remote tcp 198.51.100.1:8080", "refused"),
            ("host tcp 127.0.0.1:8080", "refused"),
            ("sibling tcp 10.88.0.1:8080", "refused"),
            ("outside tcp [2001:db8::1]:8080", "refused"),
            ("outside udp 192.0.2.1:8080", "refused"),
        ]);
    });
}

#[test]
fn host_ip_v6_when_given_then_only_that_address_answers() {
    let mapping = Mapping::tcp(8080, 80).on("2001:db8::1");
    published(PortmapConf::new(&[mapping]), |lab| {
        lab.expect(&[
            ("outside tcp [2001:db8::1]:8080", "container sees 2001:db8::2"),
            ("host tcp [2001:db8::1]:8080", "container sees 2001:db8::1"),
            ("sibling tcp [2001:db8::1]:8080", "container sees fd00:88::1"),
            ("remote tcp [2001:db8:1::1]:8080", "refused"),
            ("sibling tcp [fd00:88::1]:8080", "refused"),
            ("outside tcp 192.0.2.1:8080", "refused"),
        ]);
    });
}

#[test]
fn one_host_port_when_given_on_two_addresses_then_leads_to_two_containers() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let on = |ip| PortmapConf::new(&[Mapping::tcp(8080, 80).on(ip)]);
    let first = Attachment::new(&lab.container, 2, on("192.0.2.1"));
    let second = Attachment::new(&lab.sibling, 3, on("198.51.100.1"));
    plugin.add(&first);
    plugin.add(&second);
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
        ("outside tcp 198.51.100.1:8080", "sibling sees 192.0.2.2"),
    ]);
    plugin.del(&first);
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "refused"),
        ("outside tcp 198.51.100.1:8080", "sibling sees 192.0.2.2"),
    ]);
}

#[test]
fn snat_false_when_given_then_nobody_is_masqueraded() {
    published(PortmapConf::publish(8080, 80).snat(false), |lab| {
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside udp [2001:db8::1]:8080", "container sees 2001:db8::2"),
            ("host tcp 192.0.2.1:8080", "container sees 192.0.2.1"),
            ("host tcp 127.0.0.1:8080", "silent"),
            ("container tcp 192.0.2.1:8080", "silent"),
            ("sibling tcp 192.0.2.1:8080", "silent"),
        ]);
    });
}

/// Debian's 1.1.1 ignores the key.
#[test]
fn masq_all_when_given_then_container_sees_only_the_gateway() {
    published(PortmapConf::publish(8080, 80).masq_all(), |lab| {
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("outside udp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("outside tcp [2001:db8::1]:8080", "container sees fd00:88::1"),
            ("host tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("sibling tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
            ("outside tcp 198.51.100.7:8080", "remote sees 192.0.2.2"),
        ]);
    });
}

#[test]
fn foreign_dnat_when_a_port_is_published_then_is_not_masqueraded() {
    published(PortmapConf::publish(8080, 80), |lab| {
        lab.host.nft(
            "table ip foreign { chain c { type nat hook prerouting priority -110
             ip daddr 192.0.2.1 tcp dport 9090 dnat to 10.88.0.3:80; }; }",
        );
        lab.expect(&[("outside tcp 192.0.2.1:9090", "sibling sees 192.0.2.2")]);
    });
}

/// One probe of each kind that a published port 8080 answers.
const EVERYONE: [&str; 10] = [
    "outside tcp 192.0.2.1:8080",
    "outside udp 192.0.2.1:8080",
    "outside tcp [2001:db8::1]:8080",
    "outside udp [2001:db8::1]:8080",
    "host tcp 127.0.0.1:8080",
    "host udp 192.0.2.1:8080",
    "host tcp [2001:db8::1]:8080",
    "container tcp 192.0.2.1:8080",
    "sibling tcp 192.0.2.1:8080",
    "sibling udp [2001:db8::1]:8080",
];

#[test]
fn everyone_when_deleted_then_is_refused() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let attachment = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    plugin.add(&attachment);
    lab.expect(&[(EVERYONE[0], "container sees 192.0.2.2")]);
    plugin.del(&attachment);
    lab.expect(&EVERYONE.map(|probe| (probe, "refused")));
    plugin.del(&attachment);
}

#[test]
fn neighbour_when_other_container_is_deleted_then_still_answers() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let first = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    let second = Attachment::new(&lab.sibling, 3, PortmapConf::publish(8081, 80));
    plugin.add(&first);
    plugin.add(&second);
    plugin.del(&first);
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "refused"),
        ("outside tcp 192.0.2.1:8081", "sibling sees 192.0.2.2"),
        ("outside udp [2001:db8::1]:8081", "sibling sees 2001:db8::2"),
        ("host tcp 127.0.0.1:8081", "sibling sees 10.88.0.1"),
        ("sibling tcp 192.0.2.1:8081", "sibling sees 10.88.0.1"),
        ("container tcp 192.0.2.1:8081", "sibling sees 10.88.0.1"),
    ]);
}

#[test]
fn port_when_added_twice_and_deleted_once_then_is_refused() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let attachment = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    plugin.add(&attachment);
    plugin.add(&attachment);
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
        ("container tcp [2001:db8::1]:8080", "container sees fd00:88::1"),
    ]);
    plugin.del(&attachment);
    lab.expect(&EVERYONE.map(|probe| (probe, "refused")));
}

#[test]
fn second_network_when_first_is_deleted_then_still_answers() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    lab.container.ip("addr add 10.88.0.12/16 dev eth0\naddr add fd00:88::c/64 dev eth0 nodad\n");
    lab.wait_refused(&["host udp 10.88.0.12:9", "host udp [fd00:88::c]:9"]);
    let first = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    let second = Attachment {
        network: "othernet".to_owned(),
        ifname: "eth1".to_owned(),
        ..Attachment::new(&lab.container, 12, PortmapConf::publish(8081, 80))
    };
    plugin.add(&first);
    plugin.add(&second);
    plugin.del(&first);
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "refused"),
        ("outside tcp 192.0.2.1:8081", "container sees 192.0.2.2"),
        ("outside tcp [2001:db8::1]:8081", "container sees 2001:db8::2"),
        ("sibling tcp 192.0.2.1:8081", "container sees 10.88.0.1"),
    ]);
}

/// Debian's 1.1.1 fails this for two families: it looks for the IPv4 rules in ip6tables.
#[test]
fn check_when_added_then_succeeds_and_when_deleted_then_fails() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let attachment = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    plugin.add(&attachment);
    let present = plugin.call(Verb::Check, &attachment);
    assert!(present.status.success(), "CHECK after ADD: {present}");
    plugin.del(&attachment);
    let absent = plugin.call(Verb::Check, &attachment);
    assert!(!absent.status.success(), "CHECK after DEL: {absent}");
    assert!(absent.json.is_some_and(|error| error["code"].is_number()), "no CNI error on stdout");
}

/// A container on two networks: when the first goes, the ports lead to the second at once.
#[test]
fn port_when_published_on_two_networks_then_follows_the_one_that_is_left() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let first = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    // The sibling's address stands for the container's on the other network.
    let mut second = Attachment::new(&lab.container, 3, PortmapConf::publish(8080, 80));
    second.network = "othernet".to_owned();
    plugin.add(&first);
    plugin.add(&second);
    let probes = |to: &str| {
        let (v4, v6) = (format!("{to} sees 192.0.2.2"), format!("{to} sees 2001:db8::2"));
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", v4.as_str()),
            ("outside tcp [2001:db8::1]:8080", v6.as_str()),
        ]);
        lab.expect(&[("host tcp 127.0.0.1:8080", format!("{to} sees 10.88.0.1").as_str())]);
    };
    probes("container");
    plugin.del(&first);
    probes("sibling");
    plugin.add(&first);
    probes("container");
    plugin.del(&second);
    probes("container");
}

/// What a container had whose namespace is gone neither catches nor marks its successor's packets.
#[test]
fn port_when_its_owner_is_gone_then_nothing_of_it_is_in_the_way() {
    let everything: [PortmapConf; 3] = [
        PortmapConf::publish(8080, 80).conditions_v4(&["!", "-s", "198.51.100.0/24"]),
        PortmapConf::publish(8080, 80).masq_all(),
        PortmapConf::publish(8080, 80).mark_masq_bit(5),
    ];
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    for (round, conf) in everything.into_iter().enumerate() {
        let netns = lab::Netns::add(&format!("dead{round}"));
        let mut dead = Attachment::new(&netns, 9, conf);
        dead.addresses = vec!["10.88.0.9/16".to_owned(), "fd00:88::9/64".to_owned()];
        plugin.add(&dead);
        lab.host.enter(|| {
            std::process::Command::new("ip")
                .args(["netns", "del", netns.name()])
                .status()
                .expect("ip netns del")
        });
        let conf = PortmapConf::publish(8080, 80).snat(false);
        let heir = Attachment::new(&lab.container, 2, conf);
        plugin.add(&heir);
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside tcp [2001:db8::1]:8080", "container sees 2001:db8::2"),
        ]);
        assert!(!lab.host.ruleset().contains("10.88.0.9"), "{}", lab.host.ruleset());
        plugin.del(&heir);
    }
}

#[test]
fn conditional_container_when_others_come_then_keeps_its_own_mark() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let conf = PortmapConf::publish(8080, 80)
        .conditions_v4(&["!", "-s", "198.51.100.0/24"])
        .mark_masq_bit(5);
    plugin.add(&Attachment::new(&lab.container, 2, conf));
    plugin.add(&Attachment::new(&lab.sibling, 3, PortmapConf::publish(8081, 80)));
    lab.expect(&[
        ("container tcp 192.0.2.1:8080", "container sees 10.88.0.1"),
        ("sibling tcp 192.0.2.1:8081", "sibling sees 10.88.0.1"),
    ]);
}

#[test]
fn conditional_port_when_also_on_one_address_then_the_more_specific_wins() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let conf = PortmapConf::new(&[Mapping::tcp(8080, 80), Mapping::tcp(8080, 9).on("192.0.2.1")])
        .conditions_v4(&["!", "-s", "198.51.100.0/24"]);
    Plugin::new(&subject, &lab.host).add(&Attachment::new(&lab.container, 2, conf));
    lab.expect(&[
        ("outside tcp 192.0.2.1:8080", "refused"),
        ("outside tcp 198.51.100.1:8080", "container sees 192.0.2.2"),
    ]);
}

/// Two claims to one port are refused also where one is under conditions and the other is not.
#[test]
fn port_when_a_living_container_has_it_under_conditions_then_is_refused() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let conf = PortmapConf::publish(8080, 80).conditions_v4(&["-s", "192.0.2.2/32"]);
    plugin.add(&Attachment::new(&lab.container, 2, conf));
    let before = lab.host.ruleset();
    let rival = Attachment::new(&lab.sibling, 3, PortmapConf::publish(8080, 80));
    let reply = plugin.call(lab::Verb::Add, &rival);
    assert_eq!(reply.json.as_ref().map(|json| json["code"].clone()), Some(103.into()), "{reply}");
    assert_eq!(lab.host.ruleset(), before);
}

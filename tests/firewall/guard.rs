//! Masquerading and the check of source addresses, as the bridge plugin asks for them.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use portcullis::attachment::{
    self, Attachment, Error, Host, Netns, check_guard, collect_unguarded, guard, unguard,
};
use portcullis::firewall::BridgeRules;
use portcullis::net::IfName;
use portcullis::ruleset::{Owner, Plan};

use crate::in_a_lab;
use crate::lab::Lab;

fn owner(container: &str) -> Owner {
    Owner::from_parts(&["bridge", "labnet", container, "eth0"])
}

fn attachment(container: &str) -> Attachment {
    let path = format!("/run/netns/{container}");
    Attachment { owner: owner(container), netns: Some(Netns::open(&path).unwrap()) }
}

/// Both addresses of a container of the laboratory are masqueraded.
fn masqueraded(last: u8) -> BridgeRules {
    let masquerade = vec![
        (format!("10.88.0.{last}").parse().unwrap(), "10.88.0.0/16".parse().unwrap()),
        (format!("fd00:88::{last}").parse().unwrap(), "fd00:88::/64".parse().unwrap()),
    ];
    BridgeRules { masquerade, spoof: None }
}

fn checked(port: &str, mac: &str) -> BridgeRules {
    let spoof = Some((IfName::new(port).unwrap(), mac.parse().unwrap()));
    BridgeRules { masquerade: vec![], spoof }
}

/// On the laboratory's host.
fn on_host<T: Send>(lab: &Lab, work: impl FnOnce(&mut Host) -> T + Send) -> T {
    lab.host.enter(|| work(&mut Host::open().unwrap()))
}

fn put(lab: &Lab, container: &str, rules: &BridgeRules) -> Plan {
    on_host(lab, |host| guard(host, &attachment(container), rules).unwrap())
}

/// Sets the hardware address of the container's interface, and says which it was.
fn set_mac(lab: &Lab, mac: &str) {
    lab.container.ip(&format!("link set eth0 address {mac}\n"));
}

#[test]
fn rules_when_listed_then_reload_byte_for_byte_and_a_second_time_changes_nothing() {
    in_a_lab(|lab| {
        let rules =
            BridgeRules { spoof: checked("veth2", "02:00:00:00:00:0a").spoof, ..masqueraded(2) };
        put(lab, "container", &rules);
        put(lab, "sibling", &masqueraded(3));
        let listing = lab.host.ruleset();
        assert!(
            listing.contains(
                "ip saddr . ip daddr & 255.255.0.0 @unmasqueraded4_16 return\n\
             \t\tip saddr @masquerade4 masquerade\n"
            ),
            "{listing}"
        );
        lab.host.nft("flush ruleset\n");
        lab.host.nft(&listing);
        assert_eq!(lab.host.ruleset(), listing);
        let plan = put(lab, "container", &rules);
        assert!(plan.is_empty(), "{plan}");
        on_host(lab, |host| check_guard(host, &attachment("container"), &rules).unwrap());
    });
}

#[test]
fn masquerading_when_on_then_the_outside_sees_the_host_and_the_network_does_not() {
    in_a_lab(|lab| {
        lab.expect(&[("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2")]);
        put(lab, "container", &masqueraded(2));
        lab.expect(&[
            ("container tcp 198.51.100.7:8080", "remote sees 198.51.100.1"),
            ("container udp 198.51.100.7:8080", "remote sees 198.51.100.1"),
            ("container tcp [2001:db8:1::7]:8080", "remote sees 2001:db8:1::1"),
            ("sibling tcp 198.51.100.7:8080", "remote sees 10.88.0.3"),
        ]);
        // With it frames between two ports of the bridge pass the firewall too.
        lab.bridge_netfilter("1");
        lab.expect(&[
            ("container tcp 10.88.0.3:80", "sibling sees 10.88.0.2"),
            ("container tcp [fd00:88::3]:80", "sibling sees fd00:88::2"),
        ]);
        on_host(lab, |host| unguard(host, &owner("container"), None).unwrap());
        lab.expect(&[("container tcp [2001:db8:1::7]:8080", "remote sees fd00:88::2")]);
        let left = lab.host.ruleset();
        assert!(!left.contains("bridge/labnet") && !left.contains("10.88.0.2"), "{left}");
    });
}

#[test]
fn multicast_when_sent_then_is_not_masqueraded() {
    in_a_lab(|lab| {
        put(lab, "container", &masqueraded(2));
        lab.bridge_netfilter("1");
        let group = Ipv4Addr::new(224, 0, 0, 251);
        let listener = lab.sibling.enter(|| {
            let socket = UdpSocket::bind("0.0.0.0:5354").unwrap();
            socket.join_multicast_v4(&group, &Ipv4Addr::new(10, 88, 0, 3)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
            socket
        });
        lab.container.enter(|| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.send_to(b"who", (group, 5354)).unwrap();
        });
        let (_, from) = listener.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(from.ip(), Ipv4Addr::new(10, 88, 0, 2));
    });
}

#[test]
fn frame_when_its_source_is_not_the_ports_then_is_dropped() {
    in_a_lab(|lab| {
        set_mac(lab, "02:00:00:00:00:0a");
        put(lab, "container", &checked("veth2", "02:00:00:00:00:0a"));
        lab.expect(&[
            ("container udp 10.88.0.1:9", "refused"),
            ("container tcp 10.88.0.3:80", "sibling sees 10.88.0.2"),
            ("sibling udp 10.88.0.1:9", "refused"),
        ]);
        set_mac(lab, "02:00:00:00:00:0b");
        lab.expect(&[
            ("container udp 10.88.0.1:9", "silent"),
            ("container tcp 10.88.0.3:80", "silent"),
            ("container udp [fd00:88::1]:9", "silent"),
            ("sibling udp 10.88.0.1:9", "refused"),
        ]);
        on_host(lab, |host| unguard(host, &owner("container"), None).unwrap());
        lab.expect(&[("container udp 10.88.0.1:9", "refused")]);
    });
}

#[test]
fn address_when_somebody_elses_then_is_refused_until_he_is_gone() {
    in_a_lab(|lab| {
        put(lab, "container", &masqueraded(2));
        let refused =
            on_host(lab, |host| guard(host, &attachment("sibling"), &masqueraded(2))).unwrap_err();
        let Error::Claimed { element, owner: claimer } = &refused else { panic!("{refused}") };
        assert!(element.starts_with("10.88.0.2"), "{element}");
        assert_eq!(claimer, "container container (network labnet, interface eth0)");
        let dead =
            Attachment { owner: owner("dead"), netns: Some(Netns::known("/run/netns/none", 1)) };
        on_host(lab, |host| {
            guard(host, &dead, &masqueraded(9)).unwrap();
            guard(host, &attachment("sibling"), &masqueraded(9)).unwrap();
        });
        let listing = lab.host.ruleset();
        assert!(!listing.contains("bridge/labnet/dead"), "{listing}");
    });
}

#[test]
fn garbage_when_collected_then_only_what_is_not_valid_goes() {
    in_a_lab(|lab| {
        put(lab, "container", &checked("veth2", "02:00:00:00:00:0a"));
        put(
            lab,
            "container",
            &BridgeRules { spoof: checked("veth2", "02:00:00:00:00:0a").spoof, ..masqueraded(2) },
        );
        put(lab, "sibling", &masqueraded(3));
        let valid = [owner("sibling")].into();
        on_host(lab, |host| {
            let prefix = Owner::prefix(&["bridge", "labnet"]);
            collect_unguarded(host, &Owner::prefix(&["bridge", "other"]), &valid).unwrap();
            assert!(check_guard(host, &attachment("sibling"), &masqueraded(3)).is_ok());
            let plan = collect_unguarded(host, &prefix, &valid).unwrap();
            assert!(!plan.is_empty());
            let refused = check_guard(host, &attachment("container"), &masqueraded(2));
            assert!(matches!(refused, Err(attachment::Error::RulesDiffer { .. })), "{refused:?}");
        });
        let listing = lab.host.ruleset();
        assert!(!listing.contains("labnet/container"), "{listing}");
        assert!(listing.contains("10.88.0.3 comment \"bridge/labnet/sibling/eth0\""), "{listing}");
    });
}

//! Packets from and to containers beside iptables' chains, and the user's own chain.

use std::thread;

use serde_json::json;

use crate::in_a_lab;
use crate::lab::{Lab, Netns};
use crate::plugin::{
    CONTAINER, Container, Maker, SIBLING, add, call, conf, del, drop_forwarded, tool,
};

/// What a container may do through a firewall that drops what is forwarded, and what may not be
/// done to it.
const OPEN: [(&str, &str); 5] = [
    ("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2"),
    ("container udp 198.51.100.7:8080", "remote sees 10.88.0.2"),
    ("container tcp [2001:db8:1::7]:8080", "remote sees fd00:88::2"),
    ("outside tcp 10.88.0.2:80", "silent"),
    ("outside tcp [fd00:88::2]:80", "silent"),
];

fn add_open(lab: &Lab, container: &Container) {
    add(lab, Maker::Portcullis, container, &json!({}));
}

#[test]
fn container_when_added_then_its_packets_pass_a_chain_that_drops() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        lab.expect(&[("container tcp 198.51.100.7:8080", "silent")]);
        add_open(lab, &CONTAINER);
        lab.expect(&OPEN);
        lab.expect(&[("sibling tcp 198.51.100.7:8080", "silent")]);
    });
}

#[test]
fn debians_plugin_when_asked_the_same_then_does_the_same() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        add(lab, Maker::Debian, &CONTAINER, &json!({}));
        lab.expect(&OPEN);
        lab.expect(&[("sibling tcp 198.51.100.7:8080", "silent")]);
    });
}

#[test]
fn published_port_when_forwarding_drops_then_is_reached_all_the_same() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        let ports = json!({"type": "portmap", "runtimeConfig": {"portMappings": [
            {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
            {"hostPort": 8080, "containerPort": 53, "protocol": "udp"},
        ]}});
        call(lab, Maker::Portcullis, "portmap", "ADD", &CONTAINER, &conf(&CONTAINER, &ports))
            .unwrap();
        lab.expect(&[("outside tcp 192.0.2.1:8080", "silent")]);
        add_open(lab, &CONTAINER);
        lab.expect(&[
            ("outside tcp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("outside udp 192.0.2.1:8080", "container sees 192.0.2.2"),
            ("remote tcp [2001:db8:1::1]:8080", "container sees 2001:db8:1::7"),
            ("outside tcp 10.88.0.2:80", "silent"),
        ]);
        // What is published is listed, and nothing of the rest.
        let binary = env!("CARGO_BIN_EXE_portcullis");
        assert_eq!(tool(lab, &format!("{binary} list")).lines().count(), 1 + 4);
        // What portmap owns goes with portmap's DEL, and nothing else.
        del(lab, &CONTAINER);
        assert!(lab.host.ruleset().contains("cni/cni0/container/eth0"));
        assert!(!lab.host.ruleset().contains("firewall/cni0/container/eth0"));
    });
}

#[test]
fn chains_of_iptables_when_inserted_into_then_are_listed_and_end_as_they_were() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        tool(lab, "iptables-nft -A FORWARD -s 203.0.113.1 -j ACCEPT");
        let rules = || tool(lab, "iptables-nft -S FORWARD");
        let before = rules();
        let ours = "-A FORWARD -m mark --mark 0x1000/0x1000 -m comment --comment \
                    \"portcullis/firewall/forward/accepted\" -j ACCEPT";
        add_open(lab, &CONTAINER);
        add_open(lab, &SIBLING);
        let expected = before.replace("DROP\n", &format!("DROP\n{ours}\n"));
        assert_eq!(rules().replace('"', ""), expected.replace('"', ""));
        assert!(tool(lab, "iptables-nft-save").contains("--mark 0x1000/0x1000"));
        // Somebody else's rule at the head: ours goes above it again at the next ADD.
        tool(lab, "iptables-nft -I FORWARD -d 203.0.113.1 -j DROP");
        add_open(lab, &CONTAINER);
        assert!(rules().starts_with("-P FORWARD DROP\n-A FORWARD -m mark"), "{}", rules());
        assert_eq!(rules().matches("--mark").count(), 1, "{}", rules());
        tool(lab, "iptables-nft -D FORWARD -d 203.0.113.1 -j DROP");
        // Written anew by iptables-restore it is ours by its comment.
        let saved = tool(lab, "iptables-nft-save");
        lab.host.enter(|| {
            let restore = &mut std::process::Command::new("iptables-nft-restore");
            assert!(crate::lab::feed(restore, &saved).status.success());
        });
        del(lab, &CONTAINER);
        assert_eq!(rules().matches("--mark").count(), 1, "{}", rules());
        lab.expect(&[("sibling tcp 198.51.100.7:8080", "remote sees 10.88.0.3")]);
        del(lab, &SIBLING);
        assert_eq!(rules(), before);
        let left = lab.host.ruleset();
        assert!(!left.contains("10.88.0.") && !left.contains("firewall/"), "{left}");
    });
}

#[test]
fn chain_of_nft_when_its_last_rule_rejects_then_lets_containers_pass() {
    in_a_lab(|lab| {
        lab.host.nft(
            "table inet site { chain forwarding { type filter hook forward priority filter + 10;
             ct state established accept
             log prefix \"refused: \" reject with icmpx admin-prohibited
             }
             }",
        );
        lab.expect(&[("container tcp 198.51.100.7:8080", "silent")]);
        add_open(lab, &CONTAINER);
        lab.expect(&[
            ("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2"),
            ("sibling tcp 198.51.100.7:8080", "silent"),
        ]);
        // A mark that a packet brings along opens nothing.
        lab.host.nft(
            "table inet marks { chain marks { type filter hook prerouting priority mangle;
             meta mark set 0x1001
             }
             }",
        );
        lab.expect(&[("sibling tcp 198.51.100.7:8080", "silent")]);
    });
}

#[test]
fn chain_of_iptables_when_it_refuses_in_whatever_way_then_lets_containers_pass() {
    for refusal in [
        "-A FORWARD -j REJECT --reject-with icmp-host-prohibited",
        "-A FORWARD -m comment --comment rest -j DROP",
        "-A FORWARD -p tcp -m tcp --dport 8080 -j DROP",
        ":SITE - [0:0]\n-A SITE -j DROP\n-A FORWARD -j SITE",
        ":SITE - [0:0]\n-A SITE -j DROP\n-A FORWARD -g SITE",
    ] {
        in_a_lab(|lab| {
            let rules = format!("*filter\n:FORWARD ACCEPT [0:0]\n{refusal}\nCOMMIT\n");
            lab.host.enter(|| {
                let restore = &mut std::process::Command::new("iptables-nft-restore");
                assert!(crate::lab::feed(restore, &rules).status.success(), "{refusal}");
            });
            let before = tool(lab, "iptables-nft -S FORWARD");
            add_open(lab, &CONTAINER);
            lab.expect(&[("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2")]);
            del(lab, &CONTAINER);
            assert_eq!(tool(lab, "iptables-nft -S FORWARD"), before);
        });
    }
}

#[test]
fn insertions_when_our_table_was_deleted_then_go_with_a_del_or_gc_all_the_same() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        let rules =
            || tool(lab, "iptables-nft -S FORWARD") + &tool(lab, "ip6tables-nft -S FORWARD");
        let before = rules();
        let gc = json!({"cniVersion": "1.1.0", "name": "cni0", "type": "firewall",
            "cni.dev/valid-attachments": []});
        for command in ["DEL", "GC"] {
            add_open(lab, &CONTAINER);
            assert_eq!(rules().matches("--mark").count(), 2, "{}", rules());
            tool(lab, "nft delete table inet portcullis");
            call(lab, Maker::Portcullis, "firewall", command, &CONTAINER, &gc).unwrap();
            assert_eq!(rules(), before, "{command}");
        }
    });
}

#[test]
fn chain_that_drops_nothing_when_there_then_is_left_alone() {
    in_a_lab(|lab| {
        tool(lab, "iptables-nft -A FORWARD -s 203.0.113.1 -j ACCEPT");
        let before = tool(lab, "iptables-nft-save");
        add_open(lab, &CONTAINER);
        let rules = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(rules(&tool(lab, "iptables-nft-save")), rules(&before));
    });
}

#[test]
fn admin_chain_when_it_accepts_or_drops_then_that_holds_and_it_is_never_emptied() {
    in_a_lab(|lab| {
        drop_forwarded(lab);
        add_open(lab, &CONTAINER);
        lab.host.nft(
            "add rule inet portcullis CNI-ADMIN ip saddr 10.88.0.2 ip daddr 198.51.100.7 udp dport 8080 counter drop
             add rule inet portcullis CNI-ADMIN ip daddr 10.88.0.3 tcp dport 80 accept
             add rule inet portcullis CNI-ADMIN ip saddr 10.88.0.3 accept",
        );
        let admin = || tool(lab, "nft list chain inet portcullis CNI-ADMIN");
        let rules = admin();
        lab.expect(&[
            ("container udp 198.51.100.7:8080", "silent"),
            ("container tcp 198.51.100.7:8080", "remote sees 10.88.0.2"),
            ("outside tcp 10.88.0.3:80", "sibling sees 192.0.2.2"),
            ("outside tcp 10.88.0.3:443", "silent"),
        ]);
        add_open(lab, &CONTAINER);
        del(lab, &CONTAINER);
        // The packets that the probe made are counted in the listing.
        let without_counts = |text: &str| text.split(" counter ").next().unwrap().to_owned();
        assert_eq!(without_counts(&admin()), without_counts(&rules));
        assert_eq!(admin().lines().count(), rules.lines().count());
        lab.expect(&[("outside tcp 10.88.0.3:80", "silent")]);
    });
}

#[test]
fn admin_chains_when_networks_name_two_then_both_are_called() {
    in_a_lab(|lab| {
        add_open(lab, &CONTAINER);
        let keys = json!({"iptablesAdminChainName": "SITE"});
        add(lab, Maker::Portcullis, &SIBLING, &keys);
        add_open(lab, &CONTAINER);
        let listing = lab.host.ruleset();
        assert!(
            listing
                .contains("chain CNI-FORWARD {\n\t\tjump CNI-ADMIN\n\t\tjump SITE\n\t\tip daddr"),
            "{listing}"
        );
        for (name, message) in [
            ("CNI-FORWARD", "CNI-FORWARD is a chain of portcullis itself"),
            ("a b", "\"a b\" is no name for a chain"),
        ] {
            let conf = conf(&SIBLING, &json!({"iptablesAdminChainName": name}));
            let error = call(lab, Maker::Portcullis, "firewall", "ADD", &SIBLING, &conf);
            let error = error.unwrap_err();
            assert_eq!(error["code"], 7);
            assert!(error["msg"].as_str().unwrap().contains(message), "{error}");
        }
    });
}

#[test]
fn containers_when_added_and_deleted_at_the_same_time_then_are_counted_right() {
    const COUNT: u8 = 8;
    in_a_lab(|lab| {
        drop_forwarded(lab);
        let before = tool(lab, "iptables-nft -S FORWARD");
        let containers: Vec<Container> = (0..COUNT)
            .map(|number| {
                let name: &'static str = format!("c{number}").leak();
                Netns::add(name);
                let addresses = [
                    format!("10.88.1.{number}/16").leak() as &'static str,
                    format!("fd00:88::1:{number}/64").leak(),
                ];
                Container { name, bridge: "cni0", addresses }
            })
            .collect();
        let keys = json!({"ingressPolicy": "isolated"});
        thread::scope(|scope| {
            for container in &containers {
                scope.spawn(|| add(lab, Maker::Portcullis, container, &keys));
            }
        });
        let listing = lab.host.ruleset();
        assert_eq!(listing.matches(&format!("elements for {COUNT} containers")).count(), 3);
        thread::scope(|scope| {
            for container in &containers[1..] {
                scope.spawn(|| del(lab, container));
            }
        });
        let listing = lab.host.ruleset();
        assert_eq!(listing.matches("elements for 1 container\"").count(), 3, "{listing}");
        del(lab, &containers[0]);
        assert_eq!(tool(lab, "iptables-nft -S FORWARD"), before);
        assert!(!lab.host.ruleset().contains("cni0"), "{}", lab.host.ruleset());
    });
}

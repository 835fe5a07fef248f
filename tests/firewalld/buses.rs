//! No bus, a bus without firewalld, and buses that do not answer.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::in_a_lab;
use crate::lab::Lab;
use crate::plugin::{CONTAINER, Maker, add, conf, del};
use crate::service::{SOCKET, bus, closed_bus, firewalld, is_running, sources, wait_until};
use crate::zones::{BOTH, call_with};

/// ADD as of a host without firewalld: the rules, and no zone.
fn add_without_zone(lab: &Lab) {
    add(lab, Maker::Portcullis, &CONTAINER, &json!({"firewalldZone": "nowhere"}));
    let listing = lab.host.ruleset();
    assert!(listing.contains("firewall/cni0/container/eth0"), "{listing}");
    assert!(!listing.contains("in zone"), "{listing}");
    call_with(lab, "CHECK", &json!({})).unwrap();
}

/// The back end that is insisted on is missing: code 11, and nothing is left.
fn refuses_to_insist(lab: &Lab) {
    let error = call_with(lab, "ADD", &json!({"backend": "firewalld"})).unwrap_err();
    assert_eq!(error["code"], 11);
    assert_eq!(error["msg"], "firewalld is asked for as backend, and is not on the system bus");
    let listing = lab.host.ruleset();
    assert!(!listing.contains("firewall/cni0/container"), "{listing}");
}

/// A bus that takes connections and never says a word.
fn hanging_bus() -> UnixListener {
    fs::create_dir_all("/run/dbus").unwrap();
    // Of a bus before.
    let _ = fs::remove_file(SOCKET);
    UnixListener::bind(SOCKET).unwrap()
}

#[test]
fn plugin_when_there_is_no_bus_then_opens_no_socket_for_it() {
    in_a_lab(|lab| {
        refuses_to_insist(lab);
        add_without_zone(lab);
        del(lab, &CONTAINER);
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=connect,epoll_create1,clone3", "-o", "/run/trace"]);
        command.args([env!("CARGO_BIN_EXE_portcullis"), "firewall"]);
        command.env("CNI_COMMAND", "ADD").env("CNI_CONTAINERID", "container");
        command.env("CNI_NETNS", "/run/netns/container").env("CNI_IFNAME", "eth0");
        command.env("CNI_PATH", "/usr/lib/cni");
        let config = conf(&CONTAINER, &json!({})).to_string();
        lab.host.enter(|| crate::lab::run(&mut command, &config));
        let trace = fs::read_to_string("/run/trace").unwrap();
        // Another connection is that to the keeper of netfilter sockets.
        for call in ["sun_path=\"", "epoll_create1(", "clone3("] {
            assert!(!trace.contains(call), "{trace}");
        }
    });
}

#[test]
fn plugin_when_firewalld_is_not_on_the_bus_then_goes_without() {
    in_a_lab(|lab| {
        let bus = bus(lab);
        refuses_to_insist(lab);
        add_without_zone(lab);
        del(lab, &CONTAINER);
        drop(bus);
        // The socket is left, and nobody listens.
        assert!(fs::exists(SOCKET).unwrap());
        add_without_zone(lab);
    });
}

#[test]
fn plugin_when_the_bus_does_not_let_it_in_then_goes_without_unless_it_must() {
    in_a_lab(|lab| {
        let _bus = closed_bus(lab);
        let error = call_with(lab, "ADD", &json!({"backend": "firewalld"})).unwrap_err();
        assert_eq!(error["code"], 5);
        let bus = format!("the system bus at unix:path={SOCKET}");
        assert_eq!(error["msg"], format!("{bus} does not let us in"));
        add_without_zone(lab);
        del(lab, &CONTAINER);
    });
}

#[test]
fn plugin_when_the_bus_hangs_then_add_and_check_fail_in_time() {
    in_a_lab(|lab| {
        let _socket = hanging_bus();
        let begin = Instant::now();
        for command in ["ADD", "CHECK"] {
            let error = call_with(lab, command, &json!({})).unwrap_err();
            assert_eq!(error["code"], 11);
            let bus = format!("the system bus at unix:path={SOCKET}");
            assert_eq!(error["msg"], format!("{bus} does not answer within 2 s"));
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        let listing = lab.host.ruleset();
        assert!(!listing.contains("firewall/cni0/container"), "{listing}");
        // Who wants nothing of firewalld waits for nobody.
        let begin = Instant::now();
        call_with(lab, "ADD", &json!({"backend": "iptables"})).unwrap();
        del(lab, &CONTAINER);
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    });
}

#[test]
fn del_when_the_bus_hangs_then_takes_the_rules_back_in_time() {
    in_a_lab(|lab| {
        let services = firewalld_and_bus(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        drop(services);
        let _socket = hanging_bus();
        let begin = Instant::now();
        del(lab, &CONTAINER);
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        let listing = lab.host.ruleset();
        assert!(!listing.contains("firewall/cni0/container"), "{listing}");
    });
}

#[test]
fn del_when_firewalld_has_ended_then_succeeds() {
    in_a_lab(|lab| {
        let bus = bus(lab);
        let firewalld = firewalld(lab);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        drop(firewalld);
        wait_until("firewalld is gone", || !is_running(lab));
        call_with(lab, "CHECK", &json!({})).unwrap();
        del(lab, &CONTAINER);
        drop(bus);
        del(lab, &CONTAINER);
    });
}

#[test]
fn plugin_when_firewalld_hangs_then_add_fails_in_time_and_leaves_no_rules() {
    in_a_lab(|lab| {
        let _bus = bus(lab);
        let firewalld = firewalld(lab);
        firewalld.signal(Signal::SIGSTOP);
        let begin = Instant::now();
        let error = call_with(lab, "ADD", &json!({})).unwrap_err();
        assert_eq!(error["code"], 11);
        assert_eq!(error["msg"], "org.fedoraproject.FirewallD1 does not answer within 10 s");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        let listing = lab.host.ruleset();
        assert!(!listing.contains("firewall/cni0/container"), "{listing}");
        firewalld.signal(Signal::SIGCONT);
        add(lab, Maker::Portcullis, &CONTAINER, &json!({}));
        assert_eq!(sources(lab, "trusted"), BOTH);
    });
}

fn firewalld_and_bus(lab: &Lab) -> impl Sized {
    let bus = bus(lab);
    (firewalld(lab), bus)
}

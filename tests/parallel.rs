//! Many calls at once, and calls that are killed in the middle: all of a change or nothing of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lab::{Attachment, Lab, Listing, Mapping, Netns, Plugin, PortmapConf, Subject, Verb};

const CONTAINERS: u16 = 50;

/// A container of its own ID, addresses and port; the namespace is shared, nothing runs in it.
fn fake(lab: &Lab, number: u16) -> Attachment {
    let conf = PortmapConf::new(&[Mapping::tcp(20_000 + number, 80)]);
    Attachment {
        container_id: format!("fake-{number}"),
        addresses: vec![format!("10.88.1.{number}/16"), format!("fd00:88::1:{number:x}/64")],
        ..Attachment::new(&lab.container, 0, conf)
    }
}

/// Someone else's table, changed as fast as `nft` can start until `done`; says how often.
fn churn(host: &Netns, done: &AtomicBool) -> u32 {
    host.nft(
        "table inet foreign { set ports { type inet_service; }
           chain c { type filter hook input priority 0; tcp dport @ports counter; }; }",
    );
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) && rounds < 20_000 {
        let port = 30_000 + rounds % 100;
        host.nft(&format!(
            "add element inet foreign ports {{ {port} }}
             add rule inet foreign c tcp dport {port} counter"
        ));
        host.nft(&format!(
            "delete element inet foreign ports {{ {port} }}
             flush chain inet foreign c
             add rule inet foreign c tcp dport @ports counter"
        ));
        rounds += 1;
    }
    rounds
}

/// Runs `verb` for all attachments at once.
fn all_at_once(plugin: &Plugin<'_>, verb: Verb, attachments: &[Attachment]) {
    let failed: Vec<String> = thread::scope(|scope| {
        let calls: Vec<_> = attachments
            .iter()
            .map(|attachment| scope.spawn(move || plugin.call(verb, attachment)))
            .collect();
        let replies = calls.into_iter().map(|call| call.join().expect("the call is made"));
        replies.filter(|reply| !reply.status.success()).map(|reply| reply.to_string()).collect()
    });
    let count = failed.len();
    assert!(failed.is_empty(), "{count} of {} {verb} failed: {}", attachments.len(), failed[0]);
}

fn assert_published(host: &Netns, attachments: &[Attachment]) {
    let listing = Listing::read(host);
    for (number, attachment) in (1..).zip(attachments) {
        let port = (20_000 + number).to_string();
        for address in &attachment.addresses {
            let address = address.split('/').next().unwrap();
            let text = listing.text();
            assert!(listing.links(&[&port, address]), "{port} to {address} is not in\n{text}");
        }
    }
}

/// No rule or element has a container's address.
fn assert_nothing_left(host: &Netns) {
    let listing = Listing::read(host);
    for subnet in ["10.88.", "fd00:88:"] {
        assert!(!listing.mentions(subnet), "{subnet} is left in\n{}", listing.text());
    }
}

#[test]
fn fifty_adds_and_dels_when_parallel_and_a_foreign_table_changes_then_all_succeed() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let attachments: Vec<Attachment> = (1..=CONTAINERS).map(|n| fake(&lab, n)).collect();
    let done = AtomicBool::new(false);
    let rounds = thread::scope(|scope| {
        let churning = scope.spawn(|| churn(&lab.host, &done));
        let working = scope.spawn(|| {
            all_at_once(&plugin, Verb::Add, &attachments);
            assert_published(&lab.host, &attachments);
            all_at_once(&plugin, Verb::Del, &attachments);
            assert_nothing_left(&lab.host);
        });
        let worked = working.join();
        done.store(true, Ordering::Relaxed);
        let rounds = churning.join().expect("the foreign table is not disturbed");
        worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        rounds
    });
    assert!(rounds > 0, "the foreign table was never changed");
    let foreign = Listing::read(&lab.host);
    assert!(foreign.links(&["@ports", "dport"]), "foreign rule lost:\n{}", foreign.text());
}

#[test]
fn adds_and_dels_when_parallel_and_mixed_then_only_the_added_are_left() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let old: Vec<Attachment> = (101..=115).map(|n| fake(&lab, n)).collect();
    let new: Vec<Attachment> = (1..=15).map(|n| fake(&lab, n)).collect();
    all_at_once(&plugin, Verb::Add, &old);
    thread::scope(|scope| {
        scope.spawn(|| all_at_once(&plugin, Verb::Del, &old));
        scope.spawn(|| all_at_once(&plugin, Verb::Add, &new));
    });
    assert_published(&lab.host, &new);
    let listing = Listing::read(&lab.host);
    for port in 20_101..=20_115 {
        assert!(!listing.links(&[&port.to_string()]), "{port} is left in\n{}", listing.text());
    }
}

/// What is there of the two ports of [`two_ports`].
#[derive(Debug, PartialEq, Eq)]
enum Published {
    Everything,
    Nothing,
}

fn two_ports(lab: &Lab) -> Attachment {
    let conf = PortmapConf::new(&[Mapping::tcp(8080, 80), Mapping::tcp(8443, 443)]);
    Attachment::new(&lab.container, 2, conf)
}

/// Reads the ruleset; part of the ports, or of the families, is the test's failure.
fn published(host: &Netns, when: &str) -> Published {
    let listing = Listing::read(host);
    let pairs = [
        ["8080", "10.88.0.2"],
        ["8443", "10.88.0.2"],
        ["8080", "fd00:88::2"],
        ["8443", "fd00:88::2"],
    ];
    let found: Vec<_> = pairs.iter().filter(|pair| listing.links(*pair)).collect();
    if found.len() == pairs.len() {
        return Published::Everything;
    }
    let stray = ["8080", "8443"].iter().any(|port| listing.links(&[port]));
    assert!(!stray, "{when}: only {found:?} is published:\n{}", listing.text());
    Published::Nothing
}

/// Kills `verb` at its first, second, … of these system calls until one run gets through; after
/// each the ruleset has all of the ports or none, and ADD and DEL work as if nothing had been.
fn kill_at_each(calls: &str, verb: Verb) {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let attachment = two_ports(&lab);
    for nth in 1..=200 {
        // From cold each time: the tables are part of what must be whole.
        lab.host.nft("flush ruleset");
        if verb == Verb::Del {
            plugin.add(&attachment);
        }
        let trace = format!("trace={calls}");
        let inject = format!("inject={calls}:signal=SIGKILL:when={nth}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let reply = Plugin::new(&subject, &lab.host).under(&strace).call(verb, &attachment);
        let through = reply.status.success();
        let killed = reply.status.signal() == Some(9);
        assert!(through || killed, "{verb} neither killed at {calls} {nth} nor through: {reply}");
        let left = published(&lab.host, &format!("{verb} killed at {calls} {nth}"));
        if through {
            let wanted = if verb == Verb::Del { Published::Nothing } else { Published::Everything };
            assert_eq!(left, wanted, "{verb} got through");
        }
        if verb == Verb::Add {
            plugin.add(&attachment);
            assert_eq!(published(&lab.host, "ADD repeated"), Published::Everything);
        }
        plugin.del(&attachment);
        assert_eq!(published(&lab.host, "DEL"), Published::Nothing);
        assert_nothing_left(&lab.host);
        if through {
            assert!(nth > 1, "{verb} makes no {calls} at all: nothing was killed");
            return;
        }
    }
    panic!("{verb} was killed at {calls} 200 times and never got through");
}

#[test]
fn add_when_killed_at_any_send_then_ruleset_has_all_or_nothing() {
    kill_at_each("sendto,sendmsg", Verb::Add);
}

#[test]
fn add_when_killed_at_any_receive_then_ruleset_has_all_or_nothing() {
    kill_at_each("recvfrom,recvmsg", Verb::Add);
}

#[test]
fn del_when_killed_at_any_send_then_ruleset_has_all_or_nothing() {
    kill_at_each("sendto,sendmsg", Verb::Del);
}

#[test]
fn del_when_killed_at_any_receive_then_ruleset_has_all_or_nothing() {
    kill_at_each("recvfrom,recvmsg", Verb::Del);
}

/// Anybody in the namespace can lock it; that must not keep the plugin from working.
#[test]
fn calls_when_a_stranger_holds_the_lock_then_go_on_without() {
    let (lab, subject) = (Lab::new(), Subject::portcullis());
    let plugin = Plugin::new(&subject, &lab.host);
    let mut stranger = lab.host.enter(|| {
        std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .args(["flock", "-F", "-x", "/proc/self/ns/net", "sleep", "60"])
            .spawn()
            .expect("setpriv, flock: apt-get install util-linux")
    });
    let attachment = Attachment::new(&lab.container, 2, PortmapConf::publish(8080, 80));
    plugin.add(&attachment);
    plugin.del(&attachment);
    let is_held = stranger.try_wait().expect("a child").is_none();
    stranger.kill().expect("a child");
    stranger.wait().expect("a child");
    assert!(is_held, "the calls waited for the stranger");
    assert!(!lab.host.ruleset().contains("10.88."));
}

//! ufw: an administrator's commands, one after the other.

use crate::admins::diary::Diary;
use crate::admins::machine::{Machine, twice};
use crate::lab::Echo;
use crate::world::Family;

/// Files of its own, as the package brings them: no rule of this machine's owner, no sysctl, and an
/// application that is known.
const FILES: &str = r"
    mkdir /run/files
    for directory in /etc/ufw /etc/default /lib/ufw; do
        to=/run/files$(echo $directory | tr / -)
        cp -a $directory $to
        mount --bind $to $directory
    done
    cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/ufw.conf /etc/ufw/
    rm -f /etc/ufw/applications.d/*
    printf '%s\n' '[Game]' 'title=A game' 'description=Two ports' \
        'ports=27015|7777:7779/udp' > /etc/ufw/applications.d/game
    sed -i 's/^IPT_SYSCTL=.*/IPT_SYSCTL=/; s/^IPV6=.*/IPV6=yes/' /etc/default/ufw
";

const RULES: &[&str] = &[
    "ufw status",
    "ufw app list",
    "ufw logging medium",
    "ufw --force enable",
    "ufw status verbose",
    "ufw allow 22/tcp",
    "ufw allow 22/tcp",
    "ufw allow 53",
    "ufw deny 80/tcp",
    "ufw reject 81/tcp",
    "ufw allow 2222/tcp comment 'a note'",
    "ufw allow 6000:6010/udp",
    "ufw allow proto tcp from any to any port 443,8080:8090",
    "ufw allow from 198.51.100.0/24 to 192.0.2.1 port 25 proto tcp",
    "ufw deny from 2001:db8:9::/48 to any port 25",
    "ufw allow in on wan0 to any port 123 proto udp",
    "ufw deny out to 198.51.100.9",
    "ufw reject out 26/tcp",
    "ufw allow proto esp from 192.0.2.9",
    "ufw allow log 24/tcp",
    "ufw deny log-all 27/tcp",
    "ufw route allow in on wan0 out on wan1 to 10.0.0.1 port 80 proto tcp",
    "ufw route deny log from 10.0.0.0/8",
    "ufw insert 1 deny from 203.0.113.4",
    "ufw prepend deny from 2001:db8::66",
    "ufw allow Game",
    "ufw app info Game",
    "ufw allow 99999",
    "ufw status numbered",
    "ufw show added",
];

const SHOWN: &[&str] = &["ufw show raw", "ufw show builtins", "ufw show user-rules"];

const CHANGES: &[&str] = &[
    "ufw logging full",
    "ufw status verbose",
    "ufw --force delete 1",
    "ufw delete deny 80/tcp",
    "ufw delete allow 9999",
    "ufw route delete deny log from 10.0.0.0/8",
    "ufw --force delete 3",
    "ufw delete allow Game",
    "ufw status numbered",
];

const POLICIES: &[&str] = &[
    "ufw default reject incoming",
    "ufw default deny outgoing",
    "ufw default allow routed",
    "ufw logging high",
    "ufw --force enable",
    "ufw status verbose",
    "ufw default allow incoming",
    "ufw logging off",
    "ufw --force reset",
    "ufw status",
];

fn calls(machine: &Machine, diary: &mut Diary, lines: &[&str]) {
    lines.iter().for_each(|line| machine.call(diary, line));
}

/// ufw asks iptables what it can do. Without `-m recent --hitcount` it fills no chain for `limit`.
fn without_limits(lines: &mut Vec<String>) {
    let mut inside = false;
    lines.retain(|line| {
        let words = line.strip_prefix("out: ").unwrap_or(line);
        if words.starts_with("Chain ") || words.is_empty() {
            inside = words.contains("-user-limit");
        }
        !inside
            && !words.is_empty()
            && !["-A ufw-user-limit", "-A ufw6-user-limit"].iter().any(|p| line.starts_with(p))
    });
}

#[test]
fn rules_when_added_listed_and_deleted_are_those_of_iptables() {
    twice(FILES, without_limits, |machine, diary| {
        let _echoes = [22, 53, 80, 81, 82, 6000].map(|port| Echo::serve(&machine.netns, port));
        calls(machine, diary, RULES);
        machine.expect(&[
            ("tcp 192.0.2.1:22", "answered"),
            ("tcp [2001:db8::1]:22", "answered"),
            ("udp 192.0.2.1:53", "answered"),
            ("udp [2001:db8::1]:6000", "answered"),
            ("tcp 192.0.2.1:80", "silent"),
            ("tcp [2001:db8::1]:80", "silent"),
            ("tcp 192.0.2.1:81", "refused"),
            ("tcp [2001:db8::1]:81", "refused"),
            ("tcp 192.0.2.1:82", "silent"),
            ("udp [2001:db8::1]:82", "silent"),
        ]);
        calls(machine, diary, SHOWN);
        calls(machine, diary, CHANGES);
        calls(machine, diary, &["ufw allow 80/tcp", "ufw reload", "ufw disable", "ufw status"]);
        machine.expect(&[("tcp 192.0.2.1:82", "answered"), ("tcp [2001:db8::1]:82", "answered")]);
        calls(machine, diary, &["ufw --force enable"]);
        machine.expect(&[("tcp 192.0.2.1:80", "answered"), ("tcp 192.0.2.1:82", "silent")]);
    });
}

#[test]
fn policies_when_changed_are_those_of_iptables() {
    twice(FILES, without_limits, |machine, diary| {
        let _echo = Echo::serve(&machine.netns, 82);
        calls(machine, diary, POLICIES);
        machine.expect(&[("tcp 192.0.2.1:82", "answered"), ("tcp [2001:db8::1]:82", "answered")]);
        machine.inside.run(&["sed", "-i", "s/^IPV6=.*/IPV6=no/", "/etc/default/ufw"]);
        calls(machine, diary, &["ufw default allow incoming", "ufw --force enable", "ufw status"]);
        machine.expect(&[("tcp 192.0.2.1:82", "answered"), ("tcp [2001:db8::1]:82", "silent")]);
    });
}

#[test]
fn limit_when_hits_cannot_be_counted_then_is_refused_aloud_and_nothing_changes() {
    let machine = Machine::new(Family::Ours, FILES);
    let _echo = Echo::serve(&machine.netns, 82);
    machine.inside.run(&["ufw", "--force", "enable"]);
    let before = [machine.saved("iptables-save"), machine.saved("ip6tables-save")];
    let answer = machine.inside.run(&["ufw", "limit", "82/tcp"]);
    let skipped = ["IPv4", "IPv6"].map(|ip| format!("Skipping unsupported {ip} 'limit' rule"));
    assert_eq!(answer, skipped.join("\n"));
    assert_eq!([machine.saved("iptables-save"), machine.saved("ip6tables-save")], before);
    machine.expect(&[("tcp 192.0.2.1:82", "silent")]);
}

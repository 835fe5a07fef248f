//! fail2ban: bans from the lines of a log, and from an administrator.

use std::fs::File;
use std::io::Write;
use std::process::Child;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::admins::diary::Diary;
use crate::admins::machine::{Machine, Rule, twice};
use crate::lab::Echo;

/// Files of its own: the package's, without the jail of sshd, and a jail for each form of rule that the
/// actions write.
const FILES: &str = r"
    mkdir /run/fail2ban
    mount -t tmpfs fail2ban /var/lib/fail2ban
    cp -a /etc/fail2ban /run/files
    mount --bind /run/files /etc/fail2ban
    rm -f /etc/fail2ban/jail.d/* /etc/fail2ban/jail.local
    cat > /etc/fail2ban/filter.d/door.conf <<END
[Definition]
failregex = ^ wrong key from <HOST>$
datepattern = ^EPOCH
END
    cat > /etc/fail2ban/jail.local <<END
[DEFAULT]
backend = polling
filter = door
findtime = 1h
bantime = 1h
maxretry = 3
[several]
enabled = true
logpath = /run/several.log
port = 80,443,6000:6010
banaction = iptables-multiport
[all]
enabled = true
logpath = /run/all.log
banaction = iptables-allports
protocol = tcp,udp
[logged]
enabled = true
logpath = /run/logged.log
port = smtp,465
banaction = iptables-multiport-log
[fresh]
enabled = true
logpath = /run/fresh.log
action = iptables-new[name=fresh, port=8081, protocol=tcp]
[one]
enabled = true
logpath = /run/one.log
action = iptables[type=oneport, name=one, port=8080, protocol=tcp, blocktype=DROP]
END
    printf '%s\n' '[Definition]' 'allowipv6 = yes' > /etc/fail2ban/fail2ban.local
    touch /run/several.log /run/all.log /run/logged.log /run/fresh.log /run/one.log
";
const LOG: &str = "/var/log/fail2ban.log";

/// Somebody at the door, as often as it takes.
fn knock(jail: &str, from: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let log = format!("/run/{jail}.log");
    let mut log = File::options().append(true).open(log).unwrap();
    log.write_all(format!("{now} wrong key from {from}\n").repeat(3).as_bytes()).unwrap();
}

/// The server; it ends with the machine at the latest.
fn start(machine: &Machine, diary: &mut Diary) -> Child {
    let server = machine.inside.start(&["fail2ban-server", "-xf", "start"], "/run/server.log");
    let pings = || machine.inside.attempt(&["fail2ban-client", "ping"]).status.success();
    machine.wait_until("fail2ban answers", pings);
    machine.save(diary, "the start");
    server
}

fn nothing_differs(_: &mut Vec<String>) {}

const REJECT: &str = "-j REJECT --reject-with icmp-port-unreachable";
const REJECT6: &str = "-j REJECT --reject-with icmp6-port-unreachable";

/// Three lines of a log are a ban; an administrator takes it back.
fn bans_of_a_log(machine: &Machine, diary: &mut Diary) {
    let several = format!("-A f2b-several -s 192.0.2.2/32 {REJECT}");
    let several6 = format!("-A f2b-several -s 2001:db8::2/128 {REJECT6}");
    knock("several", "192.0.2.2");
    machine.await_rule(diary, &several, Rule::There);
    machine.expect(&[
        ("tcp 192.0.2.1:80", "refused"),
        ("tcp 192.0.2.1:443", "refused"),
        ("tcp 192.0.2.1:82", "answered"),
        ("tcp [2001:db8::1]:80", "answered"),
    ]);
    // Over IPv6 a TCP client takes it from the answer to its second packet, after a second.
    knock("several", "2001:db8::2");
    machine.await_rule(diary, &several6, Rule::There);
    machine.expect(&[("tcp [2001:db8::1]:80", "silent"), ("tcp [2001:db8::1]:82", "answered")]);
    machine.call(diary, "fail2ban-client status several");
    machine.inside.run(&["fail2ban-client", "set", "several", "unbanip", "192.0.2.2"]);
    machine.await_rule(diary, &several, Rule::Gone);
    machine.inside.run(&["fail2ban-client", "set", "several", "unbanip", "2001:db8::2"]);
    machine.await_rule(diary, &several6, Rule::Gone);
    machine.expect(&[("tcp 192.0.2.1:80", "answered"), ("tcp [2001:db8::1]:80", "answered")]);
}

/// An administrator's bans, in every form of rule.
fn bans_by_hand(machine: &Machine, diary: &mut Diary) {
    for (jail, ip, rest) in [
        ("all", "2001:db8::2/128", REJECT6),
        ("all", "192.0.2.2/32", REJECT),
        ("all", "198.51.100.0/24", REJECT),
        ("logged", "203.0.113.8/32", "-j f2b-logged-log"),
        ("fresh", "203.0.113.9/32", REJECT),
        ("fresh", "2001:db8:7::9/128", REJECT6),
        ("one", "203.0.113.7/32", "-j DROP"),
        ("one", "2001:db8:7::7/128", REJECT6),
    ] {
        let address = ip.trim_end_matches("/32").trim_end_matches("/128");
        machine.inside.run(&["fail2ban-client", "set", jail, "banip", address]);
        machine.await_rule(diary, &format!("-A f2b-{jail} -s {ip} {rest}"), Rule::There);
    }
    machine.expect(&[
        ("tcp 192.0.2.1:82", "refused"),
        ("udp 192.0.2.1:82", "refused"),
        ("udp [2001:db8::1]:82", "refused"),
    ]);
    machine.call(diary, "fail2ban-client banned");
}

/// A jail that starts again remembers; one that has stopped lets everybody in.
fn reloads(machine: &Machine, diary: &mut Diary) {
    machine.call(diary, "fail2ban-client reload");
    // It has taken its chains away when it answers, and bans again behind our back.
    machine.inside.run(&["fail2ban-client", "restart", "one"]);
    let one6 = format!("-A f2b-one -s 2001:db8:7::7/128 {REJECT6}");
    for rule in ["-A f2b-one -s 203.0.113.7/32 -j DROP", &one6] {
        machine.wait_until(rule, || machine.has(rule));
    }
    machine.save(diary, "the restart");
    machine.call(diary, "fail2ban-client stop all");
    machine.expect(&[("tcp 192.0.2.1:82", "answered"), ("udp [2001:db8::1]:82", "answered")]);
}

#[test]
fn bans_when_made_and_taken_back_are_those_of_iptables() {
    twice(FILES, nothing_differs, |machine, diary| {
        let _echoes = [80, 82, 443].map(|port| Echo::serve(&machine.netns, port));
        let mut server = start(machine, diary);
        bans_of_a_log(machine, diary);
        bans_by_hand(machine, diary);
        reloads(machine, diary);
        machine.inside.run(&["fail2ban-client", "stop"]);
        assert!(server.wait().unwrap().success(), "how fail2ban ends");
        machine.save(diary, "the end");
        for program in ["iptables-save", "ip6tables-save"] {
            let saved = machine.saved(program);
            assert!(!saved.iter().any(|line| line.contains("f2b")), "{saved:?}");
        }
        let log = machine.inside.run(&["cat", LOG]);
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(errors.is_empty() && log.contains("Ban 192.0.2.2"), "{log}");
    });
}

//! A kernel that fails: calls end in an error or in success, never half way between.

use std::fs;

use super::call::{Answer, Call};
use super::host::Host;

/// Runs a call in which the `at`-th call of `syscall` fails with `errno`.
fn failing(host: &Host, call: &Call, syscall: &str, errno: &str, at: usize) -> Answer {
    let (trace, inject) =
        (format!("trace={syscall}"), format!("inject={syscall}:error={errno}:when={at}"));
    let log = host.file("strace");
    host.run(&call.clone().under(&["strace", "-qq", "-o", &log, "-e", &trace, "-e", &inject]))
}

/// How often a call calls `syscall`.
fn count(host: &Host, call: &Call, syscall: &str) -> usize {
    let log = host.file("strace");
    let trace = format!("trace={syscall}");
    host.run(&call.clone().under(&["strace", "-qq", "-o", &log, "-e", &trace])).success();
    fs::read_to_string(log).unwrap().lines().filter(|line| line.starts_with(syscall)).count()
}

#[test]
fn netlink_when_kernel_has_none_of_netfilter_then_the_missing_feature_is_named() {
    let host = Host::inhabited();
    let before = host.ruleset();
    for (command, expected) in
        [("ADD", 106), ("DEL", 106), ("CHECK", 106), ("GC", 106), ("STATUS", 50)]
    {
        let call = host.add().command(command);
        // The first socket is that of nf_tables.
        let (code, text) = failing(&host, &call, "socket", "EPROTONOSUPPORT", 1).error();
        assert_eq!(code, expected, "{command}: {text}");
        assert!(text.contains("CONFIG_N"), "{command}: {text}");
    }
    assert_eq!(host.ruleset(), before);
}

/// Every receive and every send of ADD and DEL fails once.
fn interrupted(syscall: &str, errno: &str, must_succeed: bool) {
    let host = Host::inhabited();
    let add = host.add();
    let del = add.command("DEL");
    host.run(&add).success();
    host.run(&del).success();
    let absent = host.netns.ruleset();
    let adding = count(&host, &add, syscall);
    let present = host.netns.ruleset();
    let deleting = count(&host, &del, syscall);
    assert!(adding > 3 && deleting > 3, "{adding} {deleting}");
    assert_eq!(host.netns.ruleset(), absent);
    for at in 1..=adding {
        let answer = failing(&host, &add, syscall, errno, at);
        let ruleset = host.netns.ruleset();
        assert!([&absent, &present].contains(&&ruleset), "ADD {at}: half of it\n{ruleset}");
        if answer.status.success() {
            assert_eq!(ruleset, present, "ADD {at}: {answer:#?}");
        } else {
            // 101: the socket of routes. It does not block, so nothing ever interrupts it.
            let (code, _) = answer.error();
            assert!(!must_succeed || code == 101, "ADD {at}: {answer:#?}");
        }
        host.run(&add).success();
        assert_eq!(host.netns.ruleset(), present, "ADD after ADD {at}");
        host.run(&add.command("CHECK")).success();
        host.run(&del).success();
        assert_eq!(host.netns.ruleset(), absent, "DEL after ADD {at}");
    }
    for at in 1..=deleting {
        host.run(&add).success();
        let answer = failing(&host, &del, syscall, errno, at);
        let ruleset = host.netns.ruleset();
        assert!([&absent, &present].contains(&&ruleset), "DEL {at}: half of it\n{ruleset}");
        if answer.status.success() {
            assert_eq!(ruleset, absent, "DEL {at}: {answer:#?}");
        } else {
            assert!(!must_succeed, "DEL {at}: {answer:#?}");
            answer.error();
        }
        host.run(&del).success();
        assert_eq!(host.netns.ruleset(), absent, "DEL after DEL {at}");
    }
}

#[test]
fn sends_when_buffers_are_exhausted_then_nothing_is_left_half_done() {
    interrupted("sendto", "ENOBUFS", false);
}

#[test]
fn sends_when_interrupted_then_are_repeated() {
    interrupted("sendto", "EINTR", true);
}

#[test]
fn receives_when_answers_are_lost_then_nothing_is_left_half_done() {
    interrupted("recvfrom", "ENOBUFS", false);
}

#[test]
fn receives_when_interrupted_then_are_repeated() {
    interrupted("recvfrom", "EINTR", true);
}

#[test]
fn sends_when_memory_is_short_then_nothing_is_left_half_done() {
    interrupted("sendto", "ENOMEM", false);
}

/// A result that nobody takes: the ADD failed, and its caller will send a DEL.
#[test]
fn stdout_when_full_then_exit_code_is_not_0() {
    let host = Host::inhabited();
    let full = ["sh", "-c", "exec \"$0\" > /dev/full"];
    for command in ["ADD", "VERSION"] {
        let answer = host.run(&host.add().command(command).under(&full));
        assert_eq!(answer.status.code(), Some(1), "{command}: {answer:#?}");
    }
    host.run(&host.add().command("DEL")).success();
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
}

#[test]
fn stdin_when_closed_or_unreadable_then_is_an_error() {
    let host = Host::inhabited();
    for (script, expected) in [("exec \"$0\" < /run", 5), ("exec \"$0\" < /dev/null", 6)] {
        let (code, text) = host.run(&host.add().under(&["sh", "-c", script])).error();
        assert_eq!(code, expected, "{script}: {text}");
    }
}

/// Without a route to the container there is no interface to open for 127.0.0.1: the port serves
/// everybody else.
#[test]
fn add_when_container_has_no_route_then_publishes_and_warns() {
    let host = Host::inhabited();
    let add = host.add().with(|conf| {
        conf["prevResult"]["ips"][0]["address"] = "203.0.113.2/24".into();
    });
    let answer = host.run(&add);
    assert!(answer.stderr.contains("203.0.113.2"), "{answer:#?}");
    answer.success();
    host.run(&add.command("CHECK")).success();
    host.run(&add.command("DEL")).success();
    assert_eq!(host.published(), ["labnet/id-sibling/eth0"]);
    // Who does not masquerade needs no route.
    let answer = host.run(&add.with(|conf| conf["snat"] = false.into()));
    assert_eq!(answer.stderr, "");
    answer.success();
}

/// /proc/sys is read-only in many containers.
#[test]
fn add_when_sysctls_cannot_be_written_then_ports_are_taken_back() {
    let host = Host::inhabited();
    let before = host.netns.ruleset();
    let script =
        "mount -o bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec \"$0\"";
    let call = host.add().under(&["unshare", "-m", "sh", "-c", script]);
    host.netns.sysctl("ipv4/conf/cni0/route_localnet", "0");
    let (code, text) = host.run(&call).error();
    assert_eq!(code, 101, "{text}");
    assert!(text.contains("route_localnet") || text.contains("127.0.0.1"), "{text}");
    assert_eq!(host.netns.ruleset(), before);
    host.netns.sysctl("ipv4/conf/cni0/route_localnet", "1");
    host.run(&call).success();
}

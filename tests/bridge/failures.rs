//! An ADD that fails at any of its steps leaves nothing, and can be made again.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cases::{conf, dual};
use super::deletes::new_traces;
use super::names::Names;
use super::plugins::{Call, Maker, Said, subject};
use super::snapshot::{Carrier, ip_json, snapshot};
use super::world::World;

/// A call for container `number`, as eth0.
pub fn call(world: &World, verb: &'static str, number: usize, conf: &Value) -> Call {
    Call {
        verb,
        container: format!("ctr-{number}"),
        netns: world.container(number).path().to_string_lossy().into_owned(),
        ifname: "eth0".to_owned(),
        args: String::new(),
        conf: conf.clone(),
    }
}

/// Links, addresses, routes, sysctls, leases; rules and records that name the container `id` or
/// an address of the network. Locks, the hand of the round robin and the index of addresses are the
/// network's and no traces.
pub fn traces(world: &World, id: &str) -> Vec<String> {
    let mut lines = snapshot(world, &mut Names::default(), Carrier::Unknown);
    lines.retain(|line| {
        let is_the_networks = line.contains("last_reserved_ip") || line.contains("/.portcullis.");
        let is_lease = line.contains(" holds ") && !is_the_networks;
        !line.starts_with("disk: ") || (is_lease && !line.contains("/lock "))
    });
    let named = |line: &&str| [id, "10.1.0.", "fd00:1::"].iter().any(|word| line.contains(word));
    let ruleset = world.host.ruleset();
    lines.extend(ruleset.lines().filter(named).map(|line| format!("rule: {}", line.trim())));
    records(Path::new("/run"), id, &mut lines);
    lines
}

/// Files below that name the container, but for the laboratory's own.
fn records(directory: &Path, id: &str, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let is_the_labs = ["netns", "plugins", "strace"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_the_labs {
            records(&path, id, lines);
        } else if path.is_file() && !is_the_labs {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if text.contains(id) || path.to_string_lossy().contains(id) {
                lines.push(format!("record: {}", path.display()));
            }
        }
    }
}

/// Runs `test` on a thread of its own, whose namespaces end with it.
pub fn in_a_world(test: impl FnOnce(&World) + Send) {
    thread::scope(|scope| {
        let tested = scope.spawn(|| test(&World::new(subject()))).join();
        tested.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn usual() -> Value {
    conf(&json!({"isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "ipam": dual()}))
}

/// After a failed ADD nothing is left; gives what is (the peer leaves much).
pub fn assert_undone(world: &World, before: &[String], what: &str, said: &Said) -> usize {
    let after = traces(world, "ctr-1");
    let left = new_traces(before, &after);
    let lost = new_traces(&after, before);
    if world.plugins.maker == Maker::Own {
        assert!(left.is_empty(), "{what}: left: {left:#?}\n{said:?}");
        assert!(lost.is_empty(), "{what}: lost: {lost:#?}\n{said:?}");
    }
    left.len()
}

/// An ADD of `conf`, in a world made by `spoil`, fails with `message`; once `mend`ed it works.
fn fails(conf: &Value, message: &str, spoil: impl Fn(&World) + Sync, mend: impl Fn(&World) + Sync) {
    in_a_world(|world| {
        spoil(world);
        let before = traces(world, "ctr-1");
        let add = call(world, "ADD", 1, conf);
        let said = world.plugins.call(&world.host, &add);
        assert!(!said.is_success(), "the ADD was meant to fail: {said:?}");
        assert!(said.stdout.contains(message), "not {message:?}: {said:?}");
        let left = assert_undone(world, &before, message, &said);
        if world.plugins.maker == Maker::Peer {
            assert!(left > 0, "the peer is known to leave something: is it looked for?");
            return;
        }
        mend(world);
        let again = world.plugins.call(&world.host, &call(world, "ADD", 1, &usual()));
        assert!(again.is_success(), "{message}: mended, ADD again: {again:?}");
    });
}

fn ipam_script(text: &'static str) -> impl Fn(&World) + Sync {
    move |world| world.plugins.script("host-local", text)
}

fn real_ipam(world: &World) {
    world.plugins.unscript("host-local");
}

#[test]
fn add_when_ipam_fails_then_its_error_is_told_and_nothing_is_left() {
    let script = r#"echo '{"cniVersion":"1.0.0","code":123,"msg":"no leases today"}'; exit 1"#;
    fails(&usual(), "no leases today", ipam_script(script), real_ipam);
}

#[test]
fn add_when_ipam_gives_no_address_then_nothing_is_left() {
    let script = r#"echo '{"cniVersion":"1.0.0","ips":[]}'"#;
    fails(&usual(), "IPAM plugin returned missing IP config", ipam_script(script), real_ipam);
}

#[test]
fn add_when_ipam_says_nonsense_then_nothing_is_left() {
    fails(&usual(), "code", ipam_script("echo nonsense"), real_ipam);
}

#[test]
fn add_when_the_link_vanishes_meanwhile_then_nothing_is_left() {
    let script = "[ $CNI_COMMAND = ADD ] && ip -n ${CNI_NETNS##*/} link del $CNI_IFNAME\n\
                cd /run/plugins && mkdir -p real && cp -P host-local.real real/host-local\n\
                exec /run/plugins/real/host-local";
    fails(&usual(), "eth0", ipam_script(script), real_ipam);
}

#[test]
fn add_when_the_bridge_has_another_address_then_nothing_is_left() {
    let taken = |world: &World| {
        // A bridge without an address of its own has that of its ports, and none after them.
        let bridge = "link add br0 address 02:00:00:00:00:77 type bridge";
        world.host.ip(&format!("{bridge}\naddr add 10.1.0.99/24 dev br0\n"));
    };
    let free = |world: &World| world.host.ip("addr del 10.1.0.99/24 dev br0\n");
    fails(&usual(), "already has an IP address different from", taken, free);
}

/// An idle bridge with addresses of its own, which has had ports before: the kernel has made its
/// routes.
fn idle_bridge(world: &World, addresses: &[&str]) {
    world.host.ip("link add br0 address 02:00:00:00:00:77 type bridge\n\
                   link set br0 addrgenmode none\nlink set br0 up\n\
                   link add tmp0 type veth peer name tmp1\n\
                   link set tmp0 master br0 up\nlink set tmp1 up\n");
    // The kernel makes the routes, and marks them, in its own time after the carrier has changed.
    multicast_route(world, &json!([]));
    world.host.ip("link del tmp0\n");
    multicast_route(world, &json!(["linkdown"]));
    let add = |address: &&str| format!("addr add {address} dev br0\n");
    world.host.ip(&addresses.iter().map(add).collect::<String>());
}

/// Waits until the bridge's route for IPv6 multicast is there and has these flags.
fn multicast_route(world: &World, flags: &Value) {
    let words = ["-6", "route", "show", "table", "local", "dev", "br0"];
    let begin = Instant::now();
    loop {
        let routes = ip_json(&world.host, &words);
        if routes.iter().any(|route| route["dst"] == "ff00::/8" && route["flags"] == *flags) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "not {flags} of br0: {routes:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The IPv4 gateway is on the bridge already when the IPv6 one turns out to be in conflict.
#[test]
fn add_when_the_second_gateway_conflicts_then_the_first_is_taken_off_again() {
    let taken = |world: &World| idle_bridge(world, &["fd00:1::99/64"]);
    let free = |world: &World| world.host.ip("addr del fd00:1::99/64 dev br0\n");
    fails(&usual(), "already has an IP address different from", taken, free);
}

/// An address that had to give way is back when the ADD fails later.
#[test]
fn add_when_it_fails_after_forcing_its_address_then_the_other_one_is_back() {
    let taken = |world: &World| idle_bridge(world, &["10.1.0.99/24 brd +"]);
    let free = |world: &World| world.host.ip("addr del 10.1.0.99/24 dev br0\n");
    // A multicast address is nobody's own, which the kernel finds after the IPv4 one was changed.
    let conf = conf(&json!({
        "isGateway": true,
        "forceAddress": true,
        "ipam": { "type": "host-local", "ranges": [
            [{ "subnet": "10.1.0.0/24" }],
            [{ "subnet": "fd00:1::/64" }],
        ]},
    }));
    let script = r#"echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/24"},
                     {"address":"fd00:1::5/64","gateway":"ff02::1"}]}'"#;
    let spoil = |world: &World| {
        taken(world);
        world.plugins.script("host-local", script);
    };
    let mend = |world: &World| {
        free(world);
        world.plugins.unscript("host-local");
    };
    fails(&conf, "kernel refused address add ff02::1/64", spoil, mend);
}

#[test]
fn add_when_the_kernel_refuses_a_route_then_nothing_is_left() {
    let mut conf = usual();
    conf["ipam"]["routes"] = json!([{"dst": "198.51.100.0/24", "gw": "203.0.113.9"}]);
    fails(&conf, "route", |_| {}, |_| {});
}

/// Injects `fault` into the first, second, … of these system calls of an ADD until none is left to
/// inject it into. Each run has done all or nothing, and an ADD and a DEL work after it.
fn inject_at_each(calls: &str, fault: &str) {
    in_a_world(|world| {
        let before = traces(world, "ctr-1");
        let (add, del) = (call(world, "ADD", 1, &usual()), call(world, "DEL", 1, &usual()));
        let (mut failed, mut left) = (0, 0);
        for nth in 1..=400 {
            let (said, injected) =
                call_under_fault(world, &add, calls, &format!("{fault}:when={nth}"));
            let was_cut_off = is_cut_off(&said, injected.as_deref());
            if !said.is_success() && !was_cut_off {
                failed += 1;
                left += assert_undone(world, &before, &format!("{calls} {nth}"), &said);
                if world.plugins.maker == Maker::Own {
                    let again = world.plugins.call(&world.host, &add);
                    assert!(again.is_success(), "ADD after {calls} {nth} failed: {again:?}");
                }
            }
            let deleted = world.plugins.call(&world.host, &del);
            assert!(deleted.is_success(), "{calls} {nth}: DEL: {deleted:?}");
            reset(world);
            if was_cut_off {
                assert_undone(world, &before, &format!("DEL after {calls} {nth}"), &said);
            }
            if injected.is_none() || (world.plugins.maker == Maker::Peer && left > 0) {
                // The peer takes nothing back: that is what shows that it is looked for.
                assert!(world.plugins.maker == Maker::Own || left > 0, "the peer left nothing");
                assert!(failed > 0, "no {calls} of ADD failed in {nth} runs: is any made?");
                return;
            }
        }
        panic!("{calls}: 400 injections and still more");
    });
}

/// Runs a call with `fault` in one of these system calls; gives the calls that had it.
fn call_under_fault(
    world: &World,
    call: &Call,
    calls: &str,
    fault: &str,
) -> (Said, Option<String>) {
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}"));
    let wrapper = ["strace", "-f", "-y", "-qq", "-o", "/run/strace", "-e", &trace, "-e", &inject];
    let said = world.plugins.call_under(&wrapper, &world.host, call);
    let log = fs::read_to_string("/run/strace").expect("apt-get install strace");
    let injected: Vec<&str> = log.lines().filter(|line| line.contains("(INJECTED)")).collect();
    let injected = (!injected.is_empty()).then(|| injected.join("\n"));
    (said, injected)
}

/// Whether an ADD had no chance to take anything back: its result could not be written when all
/// was done, the runtime's own eventfd failed, which never happens and ends the process, or it was
/// in the container's namespace and could not leave it. The DEL that follows must find everything.
fn is_cut_off(said: &Said, injected: Option<&str>) -> bool {
    let injected = injected.unwrap_or_default();
    let is_of_the_runtime = injected.contains("eventfd") || injected.contains("eventpoll");
    let is_the_result = injected.contains(" write(1<");
    let is_ended = said.stderr.contains("cannot return to the host's network namespace");
    is_of_the_runtime || is_the_result || is_ended
}

/// The world as it was: no container, no bridge, no forwarding.
fn reset(world: &World) {
    let bridges = super::snapshot::ip_json(&world.host, &["link", "show", "type", "bridge"]);
    if !bridges.is_empty() {
        world.host.ip("link del br0\n");
    }
    world.host.nft("flush ruleset");
    world.host.sysctl("ipv4/ip_forward", "0");
    world.host.sysctl("ipv6/conf/all/forwarding", "0");
}

#[test]
fn add_when_any_send_fails_then_nothing_is_left() {
    inject_at_each("sendto,sendmsg", "error=ENOBUFS");
}

#[test]
fn add_when_any_receive_fails_then_nothing_is_left() {
    inject_at_each("recvfrom,recvmsg", "error=EIO");
}

#[test]
fn add_when_any_write_fails_then_nothing_is_left() {
    inject_at_each("write,pwrite64", "error=ENOSPC");
}

#[test]
fn add_when_any_open_fails_then_nothing_is_left() {
    inject_at_each("openat", "error=EMFILE");
}

#[test]
fn add_when_any_socket_or_namespace_is_refused_then_nothing_is_left() {
    inject_at_each("socket,setns", "error=EPERM");
}

#[test]
fn add_when_any_rename_or_unlink_fails_then_nothing_is_left() {
    inject_at_each("rename,renameat,renameat2,link,linkat", "error=EIO");
}

/// A plugin that is killed, or that ends itself, takes nothing back; the DEL that follows finds
/// everything that was made until then.
#[test]
fn add_when_killed_at_any_send_then_del_finds_everything() {
    in_a_world(|world| {
        let before = traces(world, "ctr-1");
        let (add, del) = (call(world, "ADD", 1, &usual()), call(world, "DEL", 1, &usual()));
        for nth in 1..=400 {
            let (said, _) =
                call_under_fault(world, &add, "sendto,sendmsg", &format!("signal=KILL:when={nth}"));
            let deleted = world.plugins.call(&world.host, &del);
            assert!(deleted.is_success(), "{nth}: DEL: {deleted:?}");
            reset(world);
            assert_undone(world, &before, &format!("DEL after a kill at {nth}"), &said);
            if said.is_success() {
                assert!(nth > 10, "few calls were there to be killed at: {nth}");
                return;
            }
        }
        panic!("400 kills and still more");
    });
}

/// A DEL in which a system call fails has done a part; what it left the next one finds.
fn inject_at_each_of_del(calls: &str, fault: &str) {
    in_a_world(|world| {
        let before = traces(world, "ctr-1");
        let (add, del) = (call(world, "ADD", 1, &usual()), call(world, "DEL", 1, &usual()));
        let mut failed = 0;
        for nth in 1..=200 {
            let added = world.plugins.call(&world.host, &add);
            assert!(added.is_success(), "{calls} {nth}: ADD: {added:?}");
            let (said, injected) =
                call_under_fault(world, &del, calls, &format!("{fault}:when={nth}"));
            failed += usize::from(!said.is_success());
            if !said.is_success() {
                let again = world.plugins.call(&world.host, &del);
                assert!(again.is_success(), "{calls} {nth}: DEL again: {again:?}");
            }
            reset(world);
            assert_undone(world, &before, &format!("DEL with {calls} {nth}"), &said);
            if injected.is_none() {
                assert!(failed > 0, "no {calls} of DEL failed in {nth} runs: is any made?");
                return;
            }
        }
        panic!("{calls}: 200 injections and still more");
    });
}

#[test]
fn del_when_any_send_fails_then_success_means_that_nothing_is_left() {
    inject_at_each_of_del("sendto,sendmsg", "error=ENOBUFS");
}

#[test]
fn del_when_any_receive_fails_then_success_means_that_nothing_is_left() {
    inject_at_each_of_del("recvfrom,recvmsg", "error=EIO");
}

#[test]
fn del_when_any_unlink_or_rename_fails_then_success_means_that_nothing_is_left() {
    inject_at_each_of_del("unlink,unlinkat,rename,renameat,renameat2", "error=EIO");
}

#[test]
fn add_when_descriptors_are_few_then_all_or_nothing_is_done() {
    in_a_world(|world| {
        let before = traces(world, "ctr-1");
        let (add, del) = (call(world, "ADD", 1, &usual()), call(world, "DEL", 1, &usual()));
        let mut failed = 0;
        for limit in 4..16 {
            let wrapper = ["prlimit", &format!("--nofile={limit}"), "--"];
            let said = world.plugins.call_under(&wrapper, &world.host, &add);
            if !said.is_success() {
                failed += 1;
                assert_undone(world, &before, &format!("{limit} descriptors"), &said);
            }
            let deleted = world.plugins.call(&world.host, &del);
            assert!(deleted.is_success(), "{limit} descriptors: DEL: {deleted:?}");
            reset(world);
        }
        assert!(failed > 0, "no limit was too low: nothing was tried");
    });
}

//! DEL under difficulties: no namespace, no result, an IPAM that fails, twice.

use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use super::cases::{conf, dual};
use super::failures::{call, traces};
use super::plugins::{Maker, Said, subject};
use super::world::World;

/// What a DEL is given beside its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    PrevResult,
    Nothing,
}

fn guarded() -> Value {
    conf(&json!({"isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "ipam": dual()}))
}

/// Runs `test` in a world of the subject's plugins, in which container 1 is attached; gives what
/// is left of it afterwards, which of ours must be nothing.
fn with_container(test: impl FnOnce(&World, &Said) + Send) -> Vec<String> {
    let left = thread::scope(|scope| {
        let left = scope.spawn(|| {
            let world = World::new(subject());
            // Another container stays, so that bridge and base chains do.
            let stays = call(&world, "ADD", 2, &guarded());
            assert!(world.plugins.call(&world.host, &stays).is_success());
            let before = traces(&world, "ctr-1");
            let said = world.plugins.call(&world.host, &call(&world, "ADD", 1, &guarded()));
            assert!(said.is_success(), "ADD: {said:?}");
            assert_ne!(traces(&world, "ctr-1"), before, "an ADD leaves something to delete");
            test(&world, &said);
            new_traces(&before, &traces(&world, "ctr-1"))
        });
        left.join().expect("the test goes well")
    });
    if subject() == Maker::Own {
        assert!(left.is_empty(), "left by DEL: {left:#?}");
    }
    left
}

/// The lines of `after` that are not in `before`.
pub fn new_traces(before: &[String], after: &[String]) -> Vec<String> {
    after.iter().filter(|line| !before.contains(line)).cloned().collect()
}

fn del(world: &World, netns: Option<&str>, said: &Said, given: Given) -> Said {
    let mut del = call(world, "DEL", 1, &guarded());
    if let Some(netns) = netns {
        del.netns = netns.to_owned();
    }
    if given == Given::PrevResult {
        del.conf["prevResult"] = said.json();
    }
    world.plugins.call(&world.host, &del)
}

fn unname_namespace(world: &World) {
    let ended = Command::new("ip").args(["netns", "del", world.container(1).name()]).status();
    assert!(ended.expect("ip").success());
}

/// DELs twice; the namespace is empty, or its name is gone while a process still holds it.
fn delete_without_namespace(netns: Option<&'static str>, given: Given) {
    let left = with_container(|world, said| {
        let path = world.container(1).path().to_string_lossy().into_owned();
        if netns.is_none() {
            unname_namespace(world);
        }
        for _ in 0..2 {
            let deleted = del(world, Some(netns.unwrap_or(&path)), said, given);
            assert!(deleted.is_success(), "DEL: {deleted:?}");
            assert_eq!(deleted.stdout, "", "a DEL says nothing");
        }
    });
    // A known defect of the peer, which shows that the rules and links are looked for.
    if subject() == Maker::Peer {
        assert!(left.iter().any(|line| line.starts_with("rule: ")), "the peer left {left:#?}");
        assert!(
            left.iter().any(|line| line.contains("host: link veth")),
            "the peer left {left:#?}"
        );
    }
}

#[test]
fn del_when_netns_is_empty_then_result_tells_what_to_remove() {
    delete_without_namespace(Some(""), Given::PrevResult);
}

#[test]
fn del_when_netns_and_result_are_missing_then_everything_goes() {
    delete_without_namespace(Some(""), Given::Nothing);
}

#[test]
fn del_when_netns_is_deleted_then_result_tells_what_to_remove() {
    delete_without_namespace(None, Given::PrevResult);
}

#[test]
fn del_when_netns_is_deleted_and_result_missing_then_everything_goes() {
    delete_without_namespace(None, Given::Nothing);
}

#[test]
fn del_when_repeated_then_nothing_is_left_and_nothing_is_said() {
    with_container(|world, said| {
        for given in [Given::PrevResult, Given::PrevResult, Given::Nothing] {
            let deleted = del(world, None, said, given);
            assert!(deleted.is_success(), "DEL: {deleted:?}");
        }
    });
}

/// An address is free for others only when no rule names it any more.
#[test]
fn del_when_its_address_is_given_back_then_its_rules_are_gone_already() {
    if subject() == Maker::Peer {
        println!("not tested: Debian's plugin gives the address back first");
        return;
    }
    with_container(|world, said| {
        let script = "nft list ruleset | grep -q 'bridge/.*/ctr-1/' && [ $CNI_COMMAND = DEL ] &&\n\
                    { echo '{\"code\":123,\"msg\":\"rules are still there\"}'; exit 1; }\n\
                    cd /run/plugins && mkdir -p real && cp -P host-local.real real/host-local\n\
                    exec /run/plugins/real/host-local";
        world.plugins.script("host-local", script);
        let deleted = del(world, None, said, Given::PrevResult);
        world.plugins.unscript("host-local");
        assert!(deleted.is_success(), "{deleted:?}");
    });
}

#[test]
fn del_when_ipam_fails_then_the_rest_goes_and_the_failure_is_told() {
    with_container(|world, said| {
        world.plugins.script(
            "host-local",
            r#"echo '{"cniVersion":"1.0.0","code":123,"msg":"no leases today"}'; exit 1"#,
        );
        let deleted = del(world, None, said, Given::PrevResult);
        world.plugins.unscript("host-local");
        assert!(!deleted.is_success(), "the IPAM's failure is lost");
        assert!(deleted.stdout.contains("no leases today"), "{deleted:?}");
        if world.plugins.maker == Maker::Own {
            let left = traces(world, "ctr-1");
            let only_leases = left.iter().filter(|line| line.contains("ctr-1"));
            only_leases.for_each(|line| assert!(line.starts_with("disk: "), "left: {line}"));
        }
        let repeated = del(world, None, said, Given::PrevResult);
        assert!(repeated.is_success(), "DEL after the IPAM works again: {repeated:?}");
    });
}

//! A hundred containers at once, on a bridge that is not there yet.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::lab::Netns;

use super::cases::{conf, dual};
use super::deletes::new_traces;
use super::failures::{call, traces};
use super::plugins::{Call, Said, subject};
use super::reach::addresses;
use super::snapshot::ip_json;
use super::world::World;

const CONTAINERS: usize = 100;

fn all_at_once(world: &World, verb: &'static str, calls: &[Call]) -> Vec<Said> {
    let replies: Vec<Said> = thread::scope(|scope| {
        let running: Vec<_> = calls
            .iter()
            .map(|call| {
                let call = Call { verb, ..call.clone() };
                scope.spawn(move || world.plugins.call(&world.host, &call))
            })
            .collect();
        running.into_iter().map(|call| call.join().expect("the call is made")).collect()
    });
    let failed: Vec<&Said> = replies.iter().filter(|said| !said.is_success()).collect();
    assert!(failed.is_empty(), "{} of {CONTAINERS} {verb} failed: {:?}", failed.len(), failed[0]);
    replies
}

/// The host's bridges with MAC and addresses but the link-local ones.
fn bridges(world: &World) -> Vec<(Value, Value, BTreeSet<String>)> {
    let global = |link: &Value| {
        let all = link["addr_info"].as_array().cloned().unwrap_or_default();
        let global = all.iter().filter(|address| address["scope"] == "global");
        global.map(|address| address["local"].to_string()).collect()
    };
    ip_json(&world.host, &["-d", "addr", "show", "type", "bridge"])
        .iter()
        .map(|link| (link["ifname"].clone(), link["address"].clone(), global(link)))
        .collect()
}

#[test]
fn hundred_containers_when_attached_and_detached_at_once_then_all_works_and_nothing_is_left() {
    let world = World::new(subject());
    let conf = conf(&json!({"isDefaultGateway": true, "ipMasq": true, "ipam": dual()}));
    let calls: Vec<Call> = (1..=CONTAINERS)
        .map(|number| Call {
            container: format!("crowd-{number}"),
            netns: Netns::add(&format!("crowd-{number}")).path().to_string_lossy().into_owned(),
            ..call(&world, "ADD", 1, &conf)
        })
        .collect();
    // Forwarding stays on, and brings routes of its own.
    world.host.sysctl("ipv4/ip_forward", "1");
    world.host.sysctl("ipv6/conf/all/forwarding", "1");
    let before = traces(&world, "crowd-");
    let results: Vec<Value> = all_at_once(&world, "ADD", &calls).iter().map(Said::json).collect();
    let given: Vec<_> = results.iter().flat_map(|result| addresses(result, "address")).collect();
    let different: BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), different.len()), (2 * CONTAINERS, 2 * CONTAINERS));
    let bridge = bridges(&world);
    assert_eq!(bridge.len(), 1, "{bridge:?}");
    let gateways = ["\"10.1.0.1\"", "\"fd00:1::1\""].map(str::to_owned);
    assert_eq!(bridge[0].2, BTreeSet::from(gateways));
    // Ports come and go: the gateway's MAC address is the bridge's own.
    all_at_once(&world, "DEL", &calls);
    assert_eq!(bridges(&world), bridge);
    world.host.ip("link del br0\n");
    let left = new_traces(&before, &traces(&world, "crowd-"));
    assert!(left.is_empty(), "{left:#?}");
}

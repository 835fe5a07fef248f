//! Who reaches whom, and as whom.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use serde_json::Value;

use crate::lab::{Netns, Outcome, Place, Probe, Protocol};

use super::world::World;

/// The outside world's addresses.
const OUTSIDE: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

struct Question<'a> {
    what: String,
    from: &'a Netns,
    to: IpAddr,
}

/// Asks between all containers of `results` (by number), their gateways, the host and outside.
pub fn matrix(world: &World, results: &[(usize, Value)]) -> Vec<String> {
    let mut questions = Vec::new();
    for (number, result) in results {
        let from = world.container(*number);
        for (other, theirs) in results {
            for to in addresses(theirs, "address") {
                ask(&mut questions, format!("c{number} to c{other}"), from, to);
            }
        }
        for to in addresses(result, "gateway") {
            ask(&mut questions, format!("c{number} to its gateway"), from, to);
        }
        for to in OUTSIDE {
            let to = to.parse().expect("an address");
            ask(&mut questions, format!("c{number} to outside"), from, to);
        }
        for to in addresses(result, "address") {
            ask(&mut questions, format!("host to c{number}"), &world.host, to);
        }
    }
    thread::scope(|scope| {
        let asked: Vec<_> =
            questions.iter().map(|question| (question, scope.spawn(|| answer(question)))).collect();
        let line = |(question, thread): (&Question<'_>, thread::ScopedJoinHandle<'_, Outcome>)| {
            let outcome = thread.join().expect("a probe does not panic");
            format!("reach: {} {}: {outcome}", question.what, question.to)
        };
        asked.into_iter().map(line).collect()
    })
}

fn ask<'a>(questions: &mut Vec<Question<'a>>, what: String, from: &'a Netns, to: IpAddr) {
    questions.push(Question { what, from, to });
}

/// Twice where nothing comes back: a fresh port drops what is sent before it forwards.
fn answer(question: &Question<'_>) -> Outcome {
    let to = SocketAddr::new(question.to, 80);
    let probe = Probe { client: Place::Container, protocol: Protocol::Tcp, to };
    match probe.send(question.from) {
        Outcome::Silent => probe.send(question.from),
        outcome @ (Outcome::Answered { .. } | Outcome::Refused) => outcome,
    }
}

/// The addresses of a result of any version, without their prefix.
pub fn addresses(result: &Value, key: &str) -> Vec<IpAddr> {
    let listed = result["ips"].as_array().into_iter().flatten();
    let old = ["ip4", "ip6"].map(|family| &result[family]);
    let old_key = if key == "address" { "ip" } else { key };
    listed
        .map(|ip| &ip[key])
        .chain(old.map(|ip| &ip[old_key]))
        .filter_map(Value::as_str)
        .filter_map(|text| text.split('/').next().expect("a part").parse().ok())
        .collect()
}

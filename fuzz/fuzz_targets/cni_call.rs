//! A CNI call up to the point where the kernel is asked: one line of environment for each variable
//! (command, container, namespace, interface, path), the rest is standard input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::front::cni::{Call, Environment, PORTMAP, portmap_intent};

const VARIABLES: [&str; 5] =
    ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(VARIABLES.len() + 1, |byte| *byte == b'\n');
    let values: Vec<String> = parts
        .by_ref()
        .take(VARIABLES.len())
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    let env = Environment::read(|name| {
        let at = VARIABLES.iter().position(|variable| *variable == name);
        at.and_then(|at| values.get(at)).cloned().unwrap_or_default()
    });
    match Call::parse(&env, parts.next().unwrap_or_default(), PORTMAP.versions) {
        Ok(call) => {
            let _ = call.owner();
            let _ = call.config.valid_attachments();
            if let Err(error) = portmap_intent(&call) {
                let _ = error.to_json(Some(call.version));
            }
        }
        Err(error) => drop(error.to_json(None)),
    }
});

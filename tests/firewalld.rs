//! The firewall plugin beside the real firewalld: zones, its reload, and buses that are not well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

#[path = "firewall/plugin.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod plugin;

#[path = "firewalld/buses.rs"]
mod buses;
#[path = "firewalld/reloads.rs"]
mod reloads;
#[path = "firewalld/service.rs"]
mod service;
#[path = "firewalld/zones.rs"]
mod zones;

use std::panic::resume_unwind;
use std::thread;

use lab::Lab;

/// A laboratory on a thread of its own, whose namespaces end with it.
fn in_a_lab(work: impl FnOnce(&Lab) + Send) {
    thread::scope(|scope| {
        let inside = scope.spawn(|| work(&Lab::new()));
        inside.join().unwrap_or_else(|panic| resume_unwind(panic));
    });
}

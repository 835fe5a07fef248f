//! What a container's place on a bridge means, with real packets: masquerading, checked source
//! addresses, forwarding and isolation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

#[path = "firewall/forwarding.rs"]
mod forwarding;
#[path = "firewall/guard.rs"]
mod guard;
#[path = "firewall/isolation.rs"]
mod isolation;
#[path = "firewall/plugin.rs"]
mod plugin;

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

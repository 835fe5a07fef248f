//! The programs `iptables`, `iptables-save` and `iptables-restore` beside those of iptables-nft
//! 1.8.9: the same calls, each with a network namespace of its own, and what they answer.
//!
//! It needs root, iptables-nft 1.8.9, nft and iproute2; what is missing is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

#[path = "iptables/batches.rs"]
mod batches;
#[path = "iptables/beside.rs"]
mod beside;
#[path = "iptables/garbage.rs"]
mod garbage;
#[path = "iptables/mirror.rs"]
mod mirror;
#[path = "iptables/mirror_faults.rs"]
mod mirror_faults;
#[path = "iptables/replay.rs"]
mod replay;
#[path = "iptables/sessions.rs"]
mod sessions;
#[path = "iptables/surroundings.rs"]
mod surroundings;
#[path = "iptables/world.rs"]
mod world;

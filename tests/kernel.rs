//! The nf_tables room against the kernel, nft and iptables: what those tools make decodes, lists
//! and encodes as theirs, and commits do what they say.
//!
//! Each test has a network namespace of its own. It needs root, nft 1.0.6 and iptables 1.8.9.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kernel/chains.rs"]
mod chains;
#[path = "kernel/commits.rs"]
mod commits;
#[path = "kernel/iptables.rs"]
mod iptables;
#[path = "kernel/marks.rs"]
mod marks;
#[path = "kernel/mirror_room.rs"]
mod mirror_room;
#[path = "kernel/mirrors.rs"]
mod mirrors;
#[path = "kernel/roundtrip.rs"]
mod roundtrip;
#[path = "kernel/tools.rs"]
mod tools;
#[path = "kernel/whole.rs"]
mod whole;

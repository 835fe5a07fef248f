//! The language of iptables against iptables-nft 1.8.9 itself: what we print of a rule is what
//! iptables-nft-save prints of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "language/base.rs"]
mod base;
#[path = "language/foreign.rs"]
mod foreign;
#[path = "language/forget.rs"]
mod forget;
#[path = "language/identity.rs"]
mod identity;
#[path = "language/judge.rs"]
mod judge;
mod lab;
#[path = "language/matches.rs"]
mod matches;
#[path = "language/more_matches.rs"]
mod more_matches;
#[path = "language/packets.rs"]
mod packets;
#[path = "language/recent.rs"]
mod recent;
#[path = "language/rest.rs"]
mod rest;
#[path = "language/rules.rs"]
mod rules;
#[path = "language/states.rs"]
mod states;
#[path = "language/targets.rs"]
mod targets;
#[path = "language/tools.rs"]
mod tools;
#[path = "language/tproxy.rs"]
mod tproxy;

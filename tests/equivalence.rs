//! Meaning is proven with packets: a rule of ours counts, marks, rewrites and drops the packets that
//! the rule of xtables does.
//!
//! Rules are made of every match and target that iptables has, positive, negated and at the edges
//! of their values. One host loads them with iptables-legacy, so that the kernel's own xt modules
//! judge; a second host, wired alike, loads them with our front. Both get the same packets, byte for
//! byte and in the same order, and the counters of each rule, the marks and every frame that leaves
//! the host must be the same. A rule that our side refuses must be in a list of [`refused`], and an
//! entry that refuses nothing any more fails. What is known to differ is pinned in [`known`].
//!
//! `PORTCULLIS_TEST_LONG=20` plays 20 rounds of rules with other seeds; `PORTCULLIS_TEST_SEED=7`
//! begins with that seed. A difference is printed with the rule, the packet and both outcomes. It
//! needs root, iproute2, nft and iptables-legacy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "equivalence/compare.rs"]
mod compare;
#[path = "equivalence/effects.rs"]
mod effects;
#[path = "equivalence/faults.rs"]
mod faults;
#[path = "equivalence/generate.rs"]
mod generate;
#[path = "equivalence/grammar.rs"]
mod grammar;
#[path = "equivalence/headers.rs"]
mod headers;
#[path = "equivalence/known.rs"]
mod known;
mod lab;
#[path = "equivalence/listeners.rs"]
mod listeners;
#[path = "equivalence/lists.rs"]
mod lists;
#[path = "equivalence/loading.rs"]
mod loading;
#[path = "fronts/random.rs"]
mod random;
#[path = "equivalence/refused.rs"]
mod refused;
#[path = "equivalence/rounds.rs"]
mod rounds;
#[path = "equivalence/side.rs"]
mod side;
#[path = "equivalence/states.rs"]
mod states;
#[path = "equivalence/surroundings.rs"]
mod surroundings;
#[path = "equivalence/traffic.rs"]
mod traffic;
#[path = "equivalence/wire.rs"]
mod wire;

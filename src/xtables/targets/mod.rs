//! Targets by name (`-j NAME`), one file for each.

mod classify;
mod connmark;
mod dnat;
mod dscp;
mod log;
mod mark;
mod masquerade;
mod nat;
mod netmap;
mod nflog;
mod nfqueue;
mod notrack;
mod redirect;
mod refused;
mod reject;
mod synproxy;
mod table;
mod tcp;
mod tee;
mod tproxy;
mod trace;
mod ttl;

pub(super) use table::{all, every, find, refusals};
pub(super) use tproxy::is_gate;

#[cfg(test)]
mod tests;

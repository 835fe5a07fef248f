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
mod trace;
mod ttl;

pub(super) use table::{all, every, find, refusals};

#[cfg(test)]
mod tests;

//! Matches by name (`-m NAME`), one file for each; those that are refused are in `refused`.

mod addrtype;
mod comment;
mod conntrack;
mod conntrack_state;
mod dscp;
mod icmp;
mod iprange;
mod length;
mod limit;
mod mac;
mod mark;
mod module;
mod multiport;
mod owner;
mod pkttype;
mod refused;
mod rpfilter;
mod statistic;
mod tcp;
mod transport;
mod ttl;

pub(super) use module::{Context, Match, Module, NEEDS_PORTS, WITH_PORTS, find};

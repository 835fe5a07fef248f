//! Matches by name (`-m NAME`), one file for each; those that are refused are in `refused`.

mod addrtype;
mod comment;
mod connbytes;
mod connlimit;
mod conntrack;
mod conntrack_map;
mod conntrack_read;
mod conntrack_state;
mod date;
mod dccp;
mod dscp;
mod ecn;
mod exthdr;
mod flow;
mod fragment;
mod hashlimit;
mod host;
mod icmp;
mod iprange;
mod ipsec;
mod length;
mod limit;
mod mac;
mod mark;
mod mobility;
mod multiport;
mod owner;
mod pkttype;
mod recent;
mod refused;
mod rpfilter;
mod sctp;
mod socket;
mod span;
mod statistic;
mod table;
mod tcp;
mod tcpmss;
mod time;
mod transport;
mod ttl;
mod vxlan;

pub(super) use conntrack_map::Listed;
pub use conntrack_map::{PREFIX as DECIDING_MAP, decided, deciding_map};
pub(super) use table::{all, every, find, refusals};

#[cfg(test)]
mod tests;

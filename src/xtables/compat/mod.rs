//! Expressions of nft_compat: the matches and targets that iptables-nft leaves as the kernel's C structures.
//!
//! iptables-nft writes some modules as native expressions and the rest as expressions `match` and
//! `target`, which hold a name, a revision and the structure that the module of that name reads.
//! [`words`] reads such an expression and returns the words that `iptables-save` prints for it, so
//! that a rule left behind can be shown, compared, or made anew from native expressions.
//!
//! It knows the layouts of `linux/netfilter/xt_*.h`, `linux/netfilter_ipv4/ipt_*.h` and
//! `linux/netfilter_ipv6/ip6t_*.h`, which are fixed as the kernel's interface. It never talks to
//! the kernel and looks up no names. What it does not know for sure it refuses: an unknown bit is
//! an error, for a rule shown with a word less would be another rule.

mod address;
mod alter;
mod attach;
mod bpf;
mod conntrack;
mod content;
mod decode;
mod device;
mod error;
mod expression;
mod hashlimit;
mod header;
mod info;
mod ipv6;
mod mark;
mod modules;
mod nat;
mod option;
mod policy;
mod ports;
mod queue;
mod rate;
mod rateest;
mod reply;
mod sctp;
mod socket;
mod srh;
mod text;
mod u32;

pub use decode::words;
pub use error::{Error, Kind};

#[cfg(test)]
mod tests;

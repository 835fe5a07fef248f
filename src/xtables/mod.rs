//! The language of iptables(8), both ways: words into native nftables expressions, and back.
//!
//! [`command`] reads a command line; its rules come out as rules of nf_tables, in the order of
//! expressions that iptables-nft uses. [`Rule::read`] reads such a rule, or one of others, and
//! says it in the words of iptables-save. The expressions are the rule: no text is kept beside
//! them, only its shape (which match made how many of them), so that
//! what is printed is what the kernel does.
//!
//! CNI's `conditionsV4` and `conditionsV6` are words of an iptables rule, such as
//! `["!", "-s", "198.51.100.0/24"]`. [`conditions`] reads them as iptables would and returns
//! native nftables expressions that match the same packets in an inet table; never a call into
//! xtables (`xt match …`). What has no native form is refused by name, with the reason: a condition
//! that meant something slightly different would be a hole in a firewall.
//!
//! It knows `net` and `nft` values. It does no IO: host names and users are not looked up, and
//! of services and protocols it knows the usual names. See iptables(8), iptables-extensions(8), nft(8).

mod address;
mod base;
mod base_read;
mod command;
mod companion;
pub mod compat;
mod compile;
mod conditions;
mod coverage;
mod error;
mod extension;
mod field;
mod foreign;
mod interval;
mod listing;
mod matches;
mod module;
mod number;
mod operation;
mod own_set;
mod pattern;
mod port_list;
mod ports;
mod protocol;
mod quote;
mod rule;
mod same;
mod service;
mod setting;
mod shape;
mod spec;
mod targets;
mod test;
mod words;

pub use command::command;
pub use companion::{
    Age, Companion, CompanionChain, TPROXY_HOOK, TPROXY_TABLE, companion_chain, is_companion_chain,
};
pub use compile::{Compiled, Counters, is_companion};
pub use conditions::{conditions, conditions_for};
pub use coverage::{Covered, CoveredOption, Place, coverage};
pub use error::Error;
pub use listing::{Columns, Listing, count, titles};
pub use matches::{DECIDING_MAP, decided, deciding_map};
pub use operation::{Command, Operation, PrintStyle};
pub use own_set::{own_sets, with_next_own_sets};
pub use pattern::Pattern;
pub use quote::quoted;
pub use rule::{Rule, jump_target};
pub use same::same;

#[cfg(test)]
mod tests;

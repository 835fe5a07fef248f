//! The iptables match language, as far as conditions of a published port need it.
//!
//! CNI's `conditionsV4` and `conditionsV6` are words of an iptables rule, such as
//! `["!", "-s", "198.51.100.0/24"]`. [`conditions`] reads them as iptables would and returns
//! native nftables expressions that match the same packets in an inet table; never a call into
//! xtables (`xt match …`). What has no native form is refused by name, with the reason: a condition
//! that meant something slightly different would be a hole in a firewall.
//!
//! It knows `net` and `nft` values. It does no IO: host names, service names, users and
//! `/etc/protocols` are not looked up. See iptables(8), iptables-extensions(8), nft(8).

mod address;
mod base;
mod conditions;
mod error;
mod field;
mod interval;
mod matches;
mod number;
mod ports;
mod protocol;
mod words;

pub use conditions::{conditions, conditions_for};
pub use error::Error;

#[cfg(test)]
mod tests;

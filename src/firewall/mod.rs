//! What publishing, masquerading, forwarding and keeping apart mean, as the content of tables.
//!
//! Intent in, [`crate::ruleset::Desired`] out: no IO, and nothing of what is there but the names of
//! the sets that other containers brought in. The names of tables, chains and sets stand in
//! [`names`], and only there.
//!
//! A published port is one element of a map, found by one hash lookup however many there are:
//!
//! ```text
//! map hostports4 {
//!         type inet_proto . inet_service : ipv4_addr . inet_service
//!         counter
//!         elements = { tcp . 8080 counter packets 0 bytes 0 comment "cni/mynet/web/eth0" : 10.88.0.2 . 80 }
//! }
//! ```
//!
//! Who must be masqueraded on the way there (a container that calls a published port of its own
//! network, the host that calls 127.0.0.1) is one element of a set too, keyed by source network,
//! protocol and port. The rules that look there exist once for each length of prefix in use.
//!
//! What a container on a bridge needs ([`BridgeRules`]) and what it needs of forwarding
//! ([`Forwarding`]) are elements in the same way, in chains of their own hooks: nobody who does the
//! one needs to know of the other.

mod bridge;
mod class;
mod element;
mod forward;
mod hostports;
mod intent;
pub mod names;
mod rules;

pub use bridge::{BridgeRules, MasqueradePrefix, masquerading, spoof_check};
pub use class::{Class, MarkClass, Masquerader, Place, Rank, Reach, Source};
pub use element::{claims, elements_of, published};
pub use forward::{
    Forwarding, Ingress, InvalidAdminChain, PRIORITY as FORWARD_PRIORITY, Shared, accepted_before,
    admin_chain, admin_chains, forwarded_address, forwarding,
};
pub use hostports::desired;
pub use intent::{Conditions, Hostports, InvalidCondition, MarkTarget, Masquerading, Publish};

#[cfg(test)]
mod tests;

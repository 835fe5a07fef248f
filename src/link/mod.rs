//! Links, addresses and routes of a network namespace, and their sysctls.
//!
//! Over `rtnetlink`, whose futures run to their end on a runtime of the calling thread: the face
//! of this room blocks, and no wait is without an end. It knows rtnetlink(7) and no nf_tables.
//!
//! [`Links`] is one connection; it stays in the namespace in which it was opened, so that one
//! thread can hold one for the host and one for a container. Links are looked up one by one, and
//! addresses and routes are listed for one link: what it costs does not depend on how many others
//! there are.

mod address;
mod bridge;
mod change;
mod connection;
mod error;
mod links;
mod lists;
mod names;
mod route;
mod routes;
mod sysctl;
mod value;
mod veth;
mod vlans;
mod wait;

pub use crate::sys::{NetnsFile, in_netns};
pub use address::{Address, Detection};
pub use bridge::{Ensured, NewBridge};
pub use change::{LinkChange, PortChange};
pub use error::Error;
pub use links::Links;
pub use route::interface_towards;
pub use routes::Route;
pub use sysctl::{Previous, Sysctl, allow_route_localnet};
pub use value::{BridgePort, Kind, Link, OperState, VlanFiltering};
pub use veth::NewVeth;
pub use vlans::{Tagging, Vlan, VlanOwner};

#[cfg(test)]
mod tests;

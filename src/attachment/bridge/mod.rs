//! A container on a bridge: connected, disconnected, checked, cleaned up.
//!
//! Here is the order of links, addresses and rules, and what is undone when one of them fails: an
//! attachment that does not come about leaves nothing behind. Who assigns the addresses is the
//! caller's business ([`AddressManager`]); whose a link is stands in its alias, as the owner's
//! label.

mod check;
mod connect;
mod disconnect;
mod gateway;
mod network;
mod sysctls;
mod undo;

pub use check::{Expected, Seen, check_bridge};
pub use connect::{AddressManager, Connected, connect};
pub use disconnect::{Remains, collect_links, disconnect};
pub use network::{Addressing, BridgeNetwork, ContainerLink, Gateway, Reflection, Vlans};

#[cfg(test)]
mod tests;

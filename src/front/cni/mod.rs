//! CNI: the plugins that container runtimes execute.
//!
//! A call is environment (`CNI_*`), a configuration on standard input, a result or an error as
//! JSON on standard output (<https://www.cni.dev/docs/spec/>, versions 0.1.0 to 1.1.0). This room
//! parses and prints; what a call means is in firewall, what it does in attachment.

mod args;
mod bridge;
mod call;
mod config;
mod delegate;
mod env;
mod error;
mod firewall;
pub mod host_local;
mod json;
mod loopback;
mod mappings;
mod plugin;
mod portmap;
mod result;
mod version;

pub use bridge::{BRIDGE, bridge_intent};
pub use call::{Call, Command};
pub use env::Environment;
pub use error::Error;
pub use firewall::{FIREWALL, firewall_intent};
pub use loopback::LOOPBACK;
pub use plugin::{Plugin, run};
pub use portmap::{PORTMAP, portmap_intent};
pub use result::{CniResult, Dns, Interface, Ip, Route};
pub use version::CniVersion;

#[cfg(test)]
mod tests;

//! Installing the applets: links of their names to this binary, where a runtime looks for them.
//!
//! What stood in their place is kept beside them, and uninstalling puts it back as it was. A
//! change is whole or not at all: what fails half-way is undone. This room knows files and no
//! network.

mod alternatives;
mod command;
mod directory;
mod error;
mod iptables;
mod journal;
mod plan;
mod record;
mod report;
mod warning;

pub use command::{Applets, Install, Uninstall, install, uninstall};
pub use error::Error;
pub use warning::warn;

#[cfg(test)]
mod tests;

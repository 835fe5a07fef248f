//! firewalld: sources of packets in its zones, over the system bus.
//!
//! What is added is firewalld's runtime state: a reload of it forgets all. [`Watch`] tells of
//! reloads. Finding that no firewalld runs costs one look for the bus's socket.
//!
//! See `firewalld.dbus(5)` and <https://dbus.freedesktop.org/doc/dbus-specification.html>.

mod bus;
mod client;
mod error;
mod watch;

pub use client::{Firewalld, State};
pub use error::{Error, Refusal};
pub use watch::Watch;

#[cfg(test)]
mod tests;

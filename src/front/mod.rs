//! Fronts: one for each kind of caller. None uses another.

pub mod cni;
pub mod daemon;
pub mod inspect;
pub mod install;
pub mod iptables;
mod refused;

pub use refused::{Refused, RefusedLine, RefusedRule};

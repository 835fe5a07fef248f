//! `host-local`: addresses from ranges of this host's own, remembered in a directory.
//!
//! The functions of this door take a call as the plugin gets it. A plugin that delegates to
//! `host-local` hands its own call on and gets what the process would have answered.

mod commands;
mod config;
mod resolv_conf;

pub use commands::{HOST_LOCAL, add, check, del, gc, status};
pub use config::HostLocalConf;

#[cfg(test)]
mod tests;

//! `cargo xtask demo`: one container's ports published, tried from everywhere, and taken back.
//!
//! - `host`: the three namespaces and their links;
//! - `plugin`: the calls that a container runtime makes;
//! - `story`: the order of it all, what is expected, and the count at the end.

mod host;
mod plugin;
mod story;

pub use story::{inside, start};

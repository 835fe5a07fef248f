//! `cargo xtask bench portmap`, `bench bridge`, `bench iptables`: whole processes, as their callers
//! start them, beside those of Debian.
//!
//! The peer's cost depends on its release: 1.1.1 lists the whole nat table four times in an ADD,
//! later ones ask for single chains. The report names the version.
//!
//! - `portmap`: what is measured, in which order, within which bounds;
//! - `subject`: one plugin in a host of its own, and the calls made to it;
//! - `others`: what is on that host already: other containers' ports, tracked flows;
//! - `measure`: the time of one process, its memory, and medians;
//! - `report`: the result as Markdown;
//! - `bridge`: bridge, host-local and Podman's whole chain; `wires`: their hosts and calls;
//!   `kernel`: what the kernel takes for the same links;
//! - `iptables`: the `iptables` programs; `docker`: the calls that dockerd makes of them;
//! - `choose`: which benchmark is meant; `options`: what else its words say.

mod bridge;
mod choose;
mod docker;
mod iptables;
mod kernel;
mod measure;
mod options;
mod others;
mod portmap;
mod report;
mod subject;
mod wires;

pub use choose::{inside, start};
pub use measure::peak_memory;

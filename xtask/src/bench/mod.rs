//! `cargo xtask bench portmap` and `bench bridge`: whole processes, as a runtime starts them, beside Debian's plugin.
//!
//! The peer's cost depends on its release: 1.1.1 lists the whole nat table four times in an ADD,
//! later ones ask for single chains. The report names the version.
//!
//! - `portmap`: what is measured, in which order, within which bounds;
//! - `subject`: one plugin in a host of its own, and the calls made to it;
//! - `others`: what is on that host already: other containers' ports, tracked flows;
//! - `measure`: the time of one process, its memory, and medians;
//! - `report`: the result as Markdown;
//! - `bridge`: bridge, host-local and Podman's whole chain; `wires`: their hosts and calls.

mod bridge;
mod measure;
mod others;
mod portmap;
mod report;
mod subject;
mod wires;

use std::process::ExitCode;

use anyhow::{Result, bail};

pub use measure::peak_memory;

/// `bench WHAT OPTIONS`: set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    match words.split_first() {
        Some((what, rest)) if what == "portmap" => portmap::start(rest),
        Some((what, rest)) if what == "bridge" => bridge::start(rest),
        Some((what, _)) => bail!("no benchmark `{what}`; there are `portmap` and `bridge`"),
        None => bail!("bench what? `portmap` or `bridge`"),
    }
}

/// The part inside the namespaces.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    match words.split_first() {
        Some((what, rest)) if what == "bridge" => bridge::inside(rest),
        _ => portmap::inside(words),
    }
}

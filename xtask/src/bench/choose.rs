//! Which benchmark is meant.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::{bridge, iptables, portmap};

/// `bench WHAT OPTIONS`: set up, build, and go into namespaces.
pub fn start(words: &[String]) -> Result<ExitCode> {
    match words.split_first() {
        Some((what, rest)) if what == "portmap" => portmap::start(rest),
        Some((what, rest)) if what == "bridge" => bridge::start(rest),
        Some((what, rest)) if what == "iptables" => iptables::start(rest),
        Some((what, _)) => {
            bail!("no benchmark `{what}`; there are `portmap`, `bridge` and `iptables`")
        }
        None => bail!("bench what? `portmap`, `bridge` or `iptables`"),
    }
}

/// The part inside the namespaces.
pub fn inside(words: &[String]) -> Result<ExitCode> {
    match words.split_first() {
        Some((what, rest)) if what == "bridge" => bridge::inside(rest),
        Some((what, rest)) if what == "iptables" => iptables::inside(rest),
        _ => portmap::inside(words),
    }
}

//! Sysctls of interfaces, under `/proc/sys/net` of the calling thread's network namespace.

use std::fs;
use std::path::PathBuf;

use super::error::Error;

/// One sysctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    path: PathBuf,
    name: String,
}

impl Sysctl {
    /// `net.ipv4.conf.IFNAME.route_localnet`: whether 127.0.0.0/8 may be routed through it.
    #[must_use]
    pub fn route_localnet(interface: &str) -> Self {
        Sysctl {
            path: PathBuf::from(format!("/proc/sys/net/ipv4/conf/{interface}/route_localnet")),
            name: format!("net.ipv4.conf.{interface}.route_localnet"),
        }
    }

    /// What it is.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn read(&self) -> Result<String, Error> {
        let text = fs::read_to_string(&self.path).map_err(|cause| self.failed(cause))?;
        Ok(text.trim().to_owned())
    }

    /// Sets it: `sysctl -w NAME=VALUE`.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn write(&self, value: &str) -> Result<(), Error> {
        fs::write(&self.path, value).map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: std::io::Error) -> Error {
        Error::Sysctl { name: self.name.clone(), cause }
    }
}

/// Lets packets from 127.0.0.1 leave through an interface, unless they may already. `lo` always
/// may.
///
/// # Errors
/// [`Error::Sysctl`].
pub fn allow_route_localnet(interface: &str) -> Result<(), Error> {
    if interface == "lo" {
        return Ok(());
    }
    let sysctl = Sysctl::route_localnet(interface);
    if sysctl.read()? == "1" { Ok(()) } else { sysctl.write("1") }
}

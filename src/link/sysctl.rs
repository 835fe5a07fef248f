//! Sysctls of interfaces, under `/proc/sys/net` of the calling thread's network namespace.
//!
//! Those of a container are reached by [`in_netns`](super::in_netns).
//!
//! `arp_notify` and `ndisc_notify` make the kernel tell the neighbours of an address by itself, so
//! that no packet is made here: with them set before the link goes up, one gratuitous ARP request
//! for each IPv4 address that it then has, and one unsolicited neighbour advertisement for each
//! IPv6 address, leave when it does (seen on Linux 6.18 by a packet socket at the other end).

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use nix::fcntl::OFlag;

use super::error::Error;
use crate::net::{IfName, IpVersion};
use crate::sys::open_proc;

/// One sysctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Below `/proc`.
    path: PathBuf,
    name: String,
}

/// A sysctl that was changed, and what it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    sysctl: Sysctl,
    value: String,
}

impl Sysctl {
    /// `net.ipv4.conf.IFNAME.route_localnet`: whether 127.0.0.0/8 may be routed through it.
    #[must_use]
    pub fn route_localnet(interface: &str) -> Self {
        Sysctl::named("ipv4/conf", interface, "route_localnet")
    }

    /// `net.ipv4.conf.IFNAME.arp_notify`: whether its IPv4 addresses are made known to neighbours
    /// when it goes up.
    #[must_use]
    pub fn arp_notify(interface: &IfName) -> Self {
        Sysctl::named("ipv4/conf", interface.as_str(), "arp_notify")
    }

    /// `net.ipv6.conf.IFNAME.ndisc_notify`: the same for its IPv6 addresses.
    #[must_use]
    pub fn ndisc_notify(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "ndisc_notify")
    }

    /// `net.ipv6.conf.IFNAME.accept_ra`: whether routers may configure it.
    #[must_use]
    pub fn accept_ra(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "accept_ra")
    }

    /// `net.ipv6.conf.IFNAME.accept_dad`: whether addresses are looked for elsewhere first.
    #[must_use]
    pub fn accept_dad(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "accept_dad")
    }

    /// `net.ipv6.conf.IFNAME.enhanced_dad`: whether that recognises its own probes (RFC 7527),
    /// which come back through a hairpin.
    #[must_use]
    pub fn enhanced_dad(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "enhanced_dad")
    }

    /// `net.ipv6.conf.IFNAME.disable_ipv6`
    #[must_use]
    pub fn disable_ipv6(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "disable_ipv6")
    }

    /// `net.ipv6.conf.IFNAME.keep_addr_on_down`: whether addresses stay when it goes down.
    #[must_use]
    pub fn keep_addr_on_down(interface: &IfName) -> Self {
        Sysctl::named("ipv6/conf", interface.as_str(), "keep_addr_on_down")
    }

    /// `net.ipv4.ip_forward` or `net.ipv6.conf.all.forwarding`: whether packets of others are
    /// passed on.
    #[must_use]
    pub fn forwarding(version: IpVersion) -> Self {
        let (path, name) = match version {
            IpVersion::V4 => ("sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"),
            IpVersion::V6 => ("sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"),
        };
        Sysctl { path: PathBuf::from(path), name: name.to_owned() }
    }

    fn named(tree: &str, interface: &str, key: &str) -> Self {
        Sysctl {
            path: PathBuf::from(format!("sys/net/{tree}/{interface}/{key}")),
            name: format!("net.{}.{interface}.{key}", tree.replace('/', ".")),
        }
    }

    /// What it is.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn read(&self) -> Result<String, Error> {
        let mut text = String::new();
        open_proc(&self.path, OFlag::O_RDONLY)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|cause| self.failed(cause))?;
        Ok(text.trim().to_owned())
    }

    /// Sets it: `sysctl -w NAME=VALUE`.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn write(&self, value: &str) -> Result<(), Error> {
        open_proc(&self.path, OFlag::O_WRONLY)
            .and_then(|mut file| file.write_all(value.as_bytes()))
            .map_err(|cause| self.failed(cause))
    }

    /// Sets it unless it is so already, and returns what it was if it was something else.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn set(&self, value: &str) -> Result<Option<Previous>, Error> {
        let before = self.read()?;
        if before == value {
            return Ok(None);
        }
        self.write(value)?;
        Ok(Some(Previous { sysctl: self.clone(), value: before }))
    }

    /// As [`Sysctl::set`]; where there is no such sysctl (no IPv6, an older kernel) nothing is done
    /// and `None` returned.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn set_if_there(&self, value: &str) -> Result<Option<Previous>, Error> {
        match self.set(value) {
            Err(Error::Sysctl { cause, .. }) if cause.kind() == ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }

    fn failed(&self, cause: std::io::Error) -> Error {
        Error::Sysctl { name: self.name.clone(), cause }
    }
}

impl Previous {
    /// Sets the sysctl to what it was before.
    ///
    /// # Errors
    /// [`Error::Sysctl`].
    pub fn restore(&self) -> Result<(), Error> {
        self.sysctl.write(&self.value)
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
    Sysctl::route_localnet(interface).set("1").map(|_| ())
}

//! The address family of a table.

use std::fmt;

use crate::net::IpVersion;

/// An nf_tables family (`NFPROTO_*` of linux/netfilter.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Family {
    /// IPv4 and IPv6 together.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// ARP.
    Arp,
    /// Frames that cross a bridge.
    Bridge,
    /// Ingress and egress of a device.
    Netdev,
    /// A number without a name here.
    Other(u8),
}

impl Family {
    /// The family of one IP version: `ip` or `ip6`.
    #[must_use]
    pub fn of(version: IpVersion) -> Self {
        match version {
            IpVersion::V4 => Family::Ip,
            IpVersion::V6 => Family::Ip6,
        }
    }

    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Family::Inet => 1,
            Family::Ip => 2,
            Family::Arp => 3,
            Family::Netdev => 5,
            Family::Bridge => 7,
            Family::Ip6 => 10,
            Family::Other(number) => number,
        }
    }

    /// The family with that number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Family::Inet,
            2 => Family::Ip,
            3 => Family::Arp,
            5 => Family::Netdev,
            7 => Family::Bridge,
            10 => Family::Ip6,
            number => Family::Other(number),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Family::Inet => f.write_str("inet"),
            Family::Ip => f.write_str("ip"),
            Family::Ip6 => f.write_str("ip6"),
            Family::Arp => f.write_str("arp"),
            Family::Bridge => f.write_str("bridge"),
            Family::Netdev => f.write_str("netdev"),
            Family::Other(number) => write!(f, "{number}"),
        }
    }
}

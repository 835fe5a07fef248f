//! IPv4 or IPv6, as a value: code that differs only in the family is written once.

use std::fmt;
use std::net::IpAddr;

/// The version of the Internet Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpVersion {
    /// IPv4 (RFC 791).
    V4,
    /// IPv6 (RFC 8200).
    V6,
}

impl IpVersion {
    /// Both versions, IPv4 first.
    pub const BOTH: [IpVersion; 2] = [IpVersion::V4, IpVersion::V6];

    /// The version of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => IpVersion::V4,
            IpAddr::V6(_) => IpVersion::V6,
        }
    }

    /// Bytes in an address: 4 or 16.
    #[must_use]
    pub fn address_len(self) -> usize {
        match self {
            IpVersion::V4 => 4,
            IpVersion::V6 => 16,
        }
    }

    /// Bits in an address, the longest prefix: 32 or 128.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            IpVersion::V4 => 32,
            IpVersion::V6 => 128,
        }
    }

    /// The number of the address family in netlink messages: 2 (`AF_INET`, `NFPROTO_IPV4`) or 10
    /// (`AF_INET6`, `NFPROTO_IPV6`).
    #[must_use]
    pub fn family_number(self) -> u8 {
        match self {
            IpVersion::V4 => 2,
            IpVersion::V6 => 10,
        }
    }

    /// The word that nft uses in front of an address match: `ip` or `ip6`.
    #[must_use]
    pub fn nft_word(self) -> &'static str {
        match self {
            IpVersion::V4 => "ip",
            IpVersion::V6 => "ip6",
        }
    }

    /// `4` or `6`, as in names such as `hostports4`.
    #[must_use]
    pub fn digit(self) -> char {
        match self {
            IpVersion::V4 => '4',
            IpVersion::V6 => '6',
        }
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IpVersion::V4 => "IPv4",
            IpVersion::V6 => "IPv6",
        })
    }
}

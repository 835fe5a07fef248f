//! An IP network: an address whose host bits are clear, and the length of its prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::IpVersion;

/// A network in CIDR form (RFC 4632), host bits clear: `10.88.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

/// The text is not an address with a prefix length that fits it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR address: {text}")]
pub struct InvalidSubnet {
    /// What was given.
    pub text: String,
}

impl Subnet {
    /// The network that an address is in; `None` if the prefix is longer than the address.
    #[must_use]
    pub fn containing(address: IpAddr, prefix: u8) -> Option<Self> {
        let version = IpVersion::of(address);
        (prefix <= version.bits()).then(|| Subnet { address: mask(address, prefix), prefix })
    }

    /// One address as a network of its own: /32 or /128.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Subnet { address, prefix: IpVersion::of(address).bits() }
    }

    /// All addresses of a version: `0.0.0.0/0` or `::/0`.
    #[must_use]
    pub fn everything(version: IpVersion) -> Self {
        let address = match version {
            IpVersion::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpVersion::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Subnet { address, prefix: 0 }
    }

    /// The first address: all host bits clear.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Subnet::containing(address, self.prefix).is_some_and(|subnet| subnet == *self)
    }

    /// The length of the prefix in bits.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Of IPv4 or IPv6.
    #[must_use]
    pub fn version(&self) -> IpVersion {
        IpVersion::of(self.address)
    }

    /// The mask of a prefix length, in network order, as long as an address of that version.
    #[must_use]
    pub fn netmask(version: IpVersion, prefix: u8) -> Vec<u8> {
        let all_ones = match version {
            IpVersion::V4 => IpAddr::V4(Ipv4Addr::BROADCAST),
            IpVersion::V6 => IpAddr::V6(Ipv6Addr::from(u128::MAX)),
        };
        match mask(all_ones, prefix.min(version.bits())) {
            IpAddr::V4(mask) => mask.octets().to_vec(),
            IpAddr::V6(mask) => mask.octets().to_vec(),
        }
    }

    /// Reads `address/prefix`, keeping the address as written beside its network.
    ///
    /// # Errors
    /// [`InvalidSubnet`] with the text.
    pub fn parse_interface(text: &str) -> Result<(IpAddr, Subnet), InvalidSubnet> {
        let invalid = || InvalidSubnet { text: text.to_owned() };
        let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix: u8 = prefix.parse().map_err(|_| invalid())?;
        let subnet = Subnet::containing(address, prefix).ok_or_else(invalid)?;
        Ok((address, subnet))
    }
}

fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let ones = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & ones))
        }
        IpAddr::V6(v6) => {
            let ones = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & ones))
        }
    }
}

impl FromStr for Subnet {
    type Err = InvalidSubnet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Subnet::parse_interface(text).map(|(_, subnet)| subnet)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

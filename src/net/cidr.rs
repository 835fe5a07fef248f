//! An address with the length of its network's prefix, as an interface has it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{InvalidSubnet, Subnet};

/// An address with its prefix length, host bits kept: `10.88.0.2/16`. `ip address add` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    subnet: Subnet,
}

impl Cidr {
    /// An address in the network of that prefix length; `None` if it is longer than the address.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        Subnet::containing(address, prefix).map(|subnet| Cidr { address, subnet })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The length of the prefix in bits.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.subnet.prefix()
    }

    /// The network that the address is in.
    #[must_use]
    pub fn subnet(&self) -> Subnet {
        self.subnet
    }
}

impl From<Subnet> for Cidr {
    fn from(subnet: Subnet) -> Self {
        Cidr { address: subnet.address(), subnet }
    }
}

impl FromStr for Cidr {
    type Err = InvalidSubnet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, subnet) = Subnet::parse_interface(text)?;
        Ok(Cidr { address, subnet })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix())
    }
}

//! A range: the addresses of a subnet between two, without the gateway. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::InvalidRange;
use crate::net::{Cidr, IpVersion, Subnet};

/// A range as it is configured. What is absent is filled in by [`Range::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSpec {
    /// The subnet; host bits are refused.
    pub subnet: Cidr,
    /// The first address; else the one after the network's.
    pub start: Option<IpAddr>,
    /// The last address; else the one before IPv4's broadcast, or IPv6's last.
    pub end: Option<IpAddr>,
    /// The gateway, which is never given away; else the address after the network's. It may lie
    /// outside.
    pub gateway: Option<IpAddr>,
}

/// A range that addresses can be given from: `start` ≤ `end`, both in the subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    subnet: Subnet,
    start: IpAddr,
    end: IpAddr,
    gateway: IpAddr,
}

impl Range {
    /// Checks a range and fills in what is absent.
    ///
    /// # Errors
    /// [`InvalidRange`].
    pub fn new(spec: &RangeSpec) -> Result<Self, InvalidRange> {
        let subnet = spec.subnet.subnet();
        if subnet.prefix() > subnet.version().bits() - 2 {
            return Err(InvalidRange::TooSmall { subnet });
        }
        if spec.subnet.address().to_canonical() != spec.subnet.address() {
            return Err(InvalidRange::MappedNetwork);
        }
        let network = subnet.address();
        if spec.subnet.address() != network {
            return Err(InvalidRange::HostBits { prefix: subnet.prefix(), network });
        }
        let first = address(subnet.version(), number(network) + 1);
        let given = spec.end.map(|end| end.to_canonical());
        let start = spec.start.map_or(first, |start| start.to_canonical());
        let end = given.unwrap_or_else(|| last(subnet));
        let inside = |address| Subnet::containing(address, subnet.prefix()) == Some(subnet);
        if spec.start.is_some() && (!inside(start) || given.is_some_and(|end| start > end)) {
            return Err(InvalidRange::Start { address: start, subnet });
        }
        if !inside(end) || end < start {
            return Err(InvalidRange::End { address: end, subnet });
        }
        let gateway = spec.gateway.map_or(first, |gateway| gateway.to_canonical());
        Ok(Range { subnet, start, end, gateway })
    }

    /// IPv4 or IPv6.
    #[must_use]
    pub fn version(&self) -> IpVersion {
        self.subnet.version()
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// Whether an address is between the first and the last.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        IpVersion::of(address) == self.version() && self.start <= address && address <= self.end
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Range) -> bool {
        self.version() == other.version() && self.start <= other.end && other.start <= self.end
    }

    /// The address with the subnet's prefix, as a container's interface has it.
    #[must_use]
    pub fn cidr(&self, address: IpAddr) -> Option<Cidr> {
        Cidr::new(address, self.subnet.prefix())
    }

    /// The addresses that follow `last`, up to the end, without the gateway.
    pub(super) fn after(&self, last: IpAddr) -> impl Iterator<Item = IpAddr> {
        self.without_gateway(self.between(last, self.end).skip(1))
    }

    /// The addresses from the first one up to `last`, without the gateway.
    pub(super) fn until(&self, last: IpAddr) -> impl Iterator<Item = IpAddr> {
        self.without_gateway(self.between(self.start, last))
    }

    /// All addresses but the gateway, in order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.until(self.end)
    }

    fn between(&self, first: IpAddr, last: IpAddr) -> impl Iterator<Item = IpAddr> + use<> {
        let version = self.version();
        (number(first)..=number(last)).map(move |number| address(version, number))
    }

    fn without_gateway(
        &self,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> impl Iterator<Item = IpAddr> {
        addresses.filter(|address| *address != self.gateway)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

/// The last address that a container can have.
fn last(subnet: Subnet) -> IpAddr {
    let version = subnet.version();
    let hosts = u128::MAX >> (128 - version.bits() + subnet.prefix());
    let end = number(subnet.address()) | hosts;
    match version {
        IpVersion::V4 => address(version, end - 1),
        IpVersion::V6 => address(version, end),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

/// The inverse of [`number`]; a number is only ever made of an address of the same version.
fn address(version: IpVersion, number: u128) -> IpAddr {
    match version {
        IpVersion::V4 => {
            let low = u32::try_from(number & u128::from(u32::MAX)).unwrap_or(u32::MAX);
            IpAddr::V4(Ipv4Addr::from(low))
        }
        IpVersion::V6 => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

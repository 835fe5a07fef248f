//! Addresses of a link: `ip address`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::error::Error;
use super::links::Links;
use super::value::Link;
use crate::net::{Cidr, IpVersion, Subnet};

/// An address of an interface: `10.88.0.2/16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address itself.
    pub host: IpAddr,
    /// The network that it is in, to which the kernel makes a route.
    pub subnet: Subnet,
    /// Whether it was looked for elsewhere in the network.
    pub detection: Detection,
}

/// Duplicate address detection (RFC 4862; IPv6 only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detection {
    /// It is over and found nobody, or there is none.
    Finished,
    /// It was told not to be: `nodad`.
    Skipped,
    /// It is still going on; the address cannot be used.
    Tentative,
    /// Another host has the address; it cannot be used.
    Failed,
}

impl Address {
    /// An address with the detection that the kernel is set to.
    #[must_use]
    pub fn new(host: IpAddr, subnet: Subnet) -> Self {
        Address { host, subnet, detection: Detection::Finished }
    }

    /// The same as address and prefix length.
    #[must_use]
    pub fn cidr(&self) -> Option<Cidr> {
        Cidr::new(self.host, self.subnet.prefix())
    }

    /// The same without duplicate address detection: `nodad`.
    #[must_use]
    pub fn without_detection(self) -> Self {
        Address { detection: Detection::Skipped, ..self }
    }

    /// Whether it is the same address of the same network, whatever the detection says.
    #[must_use]
    pub fn is_same(&self, other: &Address) -> bool {
        self.host == other.host && self.subnet == other.subnet
    }

    /// The broadcast address of its network; none where it has no room for one.
    fn broadcast(&self) -> Option<Ipv4Addr> {
        let IpAddr::V4(network) = self.subnet.address() else { return None };
        let prefix = u32::from(self.subnet.prefix());
        (prefix <= 30).then(|| Ipv4Addr::from(u32::from(network) | (u32::MAX >> prefix)))
    }

    fn message(&self, link: &Link) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = family(IpVersion::of(self.host));
        message.header.prefix_len = self.subnet.prefix();
        message.header.index = link.index;
        message.attributes.push(AddressAttribute::Local(self.host));
        message.attributes.push(AddressAttribute::Address(self.host));
        message
    }

    /// Reads a message of the kernel.
    fn parse(message: &AddressMessage) -> Result<Self, Error> {
        let malformed = Error::Malformed { what: "an address that is none" };
        let (mut local, mut address) = (None, None);
        let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::Flags(all) => flags = *all,
                _ => {}
            }
        }
        // IFA_ADDRESS is the other end's where there are two; IPv6 has IFA_LOCAL only then.
        let Some(host) = local.or(address) else { return Err(malformed) };
        let network = Subnet::containing(address.unwrap_or(host), message.header.prefix_len);
        let subnet = network.ok_or(malformed)?;
        let detection = if flags.contains(AddressFlags::Dadfailed) {
            Detection::Failed
        } else if flags.contains(AddressFlags::Tentative) {
            Detection::Tentative
        } else if flags.contains(AddressFlags::Nodad) {
            Detection::Skipped
        } else {
            Detection::Finished
        };
        Ok(Address { host, subnet, detection })
    }
}

impl Links {
    /// All addresses of a link, IPv4 first: `ip address show dev NAME`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn addresses(&self, link: &Link) -> Result<Vec<Address>, Error> {
        let mut all = Vec::new();
        for version in IpVersion::BOTH {
            all.extend(self.addresses_of(link, version)?);
        }
        Ok(all)
    }

    /// The addresses of a link of one version: `ip -4 address show dev NAME`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn addresses_of(&self, link: &Link, version: IpVersion) -> Result<Vec<Address>, Error> {
        let mut message = AddressMessage::default();
        message.header.family = family(version);
        message.header.index = link.index;
        let request = RouteNetlinkMessage::GetAddress(message);
        let digit = version.digit();
        let listed = self
            .connection
            .list(&request, || format!("-{digit} address show dev {}", link.name))?;
        let addresses = listed.iter().filter_map(|message| match message {
            // The kernel filters (Linux 4.20); an older one lists every link's.
            RouteNetlinkMessage::NewAddress(message) if message.header.index == link.index => {
                Some(Address::parse(message))
            }
            _ => None,
        });
        addresses.collect()
    }

    /// The addresses of all links: `ip address show`. Lists them all.
    ///
    /// # Errors
    /// [`Error`].
    pub fn all_addresses(&self) -> Result<Vec<IpAddr>, Error> {
        let mut all = Vec::new();
        for version in IpVersion::BOTH {
            let mut message = AddressMessage::default();
            message.header.family = family(version);
            let request = RouteNetlinkMessage::GetAddress(message);
            let digit = version.digit();
            for message in self.connection.list(&request, || format!("-{digit} address show"))? {
                if let RouteNetlinkMessage::NewAddress(message) = message {
                    all.push(Address::parse(&message)?.host);
                }
            }
        }
        Ok(all)
    }

    /// Gives a link an address: `ip address add ADDRESS dev NAME`.
    ///
    /// # Errors
    /// [`Error::Refused`], with `EEXIST` where it has the address already.
    pub fn add_address(&self, link: &Link, address: &Address) -> Result<(), Error> {
        let mut message = address.message(link);
        message.attributes.extend(address.broadcast().map(AddressAttribute::Broadcast));
        if address.detection == Detection::Skipped {
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        let request = RouteNetlinkMessage::NewAddress(message);
        let words = || format!("address add {address} dev {}", link.name);
        self.connection.change(request, NLM_F_CREATE | NLM_F_EXCL, words)
    }

    /// Takes an address from a link: `ip address delete ADDRESS dev NAME`.
    ///
    /// # Errors
    /// [`Error::Refused`], with `EADDRNOTAVAIL` where it has no such address.
    pub fn delete_address(&self, link: &Link, address: &Address) -> Result<(), Error> {
        let request = RouteNetlinkMessage::DelAddress(address.message(link));
        let words = || format!("address delete {address} dev {}", link.name);
        self.connection.change(request, 0, words)
    }
}

impl From<Cidr> for Address {
    fn from(cidr: Cidr) -> Self {
        Address::new(cidr.address(), cidr.subnet())
    }
}

/// The address family of a version.
pub(super) fn family(version: IpVersion) -> AddressFamily {
    match version {
        IpVersion::V4 => AddressFamily::Inet,
        IpVersion::V6 => AddressFamily::Inet6,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.subnet.prefix())
    }
}

//! A container's loopback interface: up, down, and whether it is up.

use super::error::Error;
use super::record::Netns;
use crate::link::{Address, Link, LinkChange, Links};
use crate::net::{Cidr, IfName, IpVersion};

/// What its name is in every namespace.
const LOOPBACK: &str = "lo";

/// Sets the loopback interface of a namespace up and returns its first address of each IP version:
/// `ip link set lo up`.
///
/// # Errors
/// [`Error::ForeignLoopbackAddress`] if it has an address that others might want to reach,
/// [`Error::Link`].
pub fn loopback_up(netns: &Netns) -> Result<Vec<Cidr>, Error> {
    let (links, lo) = open(netns)?;
    if !lo.is_up {
        links.change(&lo, LinkChange::new().up())?;
    }
    let mut first = Vec::new();
    for version in IpVersion::BOTH {
        let addresses = links.addresses_of(&lo, version)?;
        if let Some(address) = addresses.iter().find(|one| !one.host.is_loopback()) {
            return Err(Error::ForeignLoopbackAddress { address: address.host });
        }
        first.extend(addresses.first().and_then(Address::cidr));
    }
    Ok(first)
}

/// Sets it down: `ip link set lo down`.
///
/// # Errors
/// [`Error::Link`].
pub fn loopback_down(netns: &Netns) -> Result<(), Error> {
    let (links, lo) = open(netns)?;
    Ok(links.change(&lo, LinkChange::new().down())?)
}

/// Whether it is up.
///
/// # Errors
/// [`Error::LoopbackDown`] if it is not, [`Error::Link`].
pub fn check_loopback(netns: &Netns) -> Result<(), Error> {
    let (_, lo) = open(netns)?;
    if lo.is_up { Ok(()) } else { Err(Error::LoopbackDown) }
}

fn open(netns: &Netns) -> Result<(Links, Link), Error> {
    let links = Links::open_in(&netns.file()?)?;
    let name = IfName::new(LOOPBACK)?;
    let lo = links.existing(&name)?;
    Ok((links, lo))
}

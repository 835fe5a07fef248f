//! The gateway: the host's addresses on a bridge.

use nix::errno::Errno;

use crate::attachment::error::Error;
use crate::link::{Address, Link, LinkChange, Links};
use crate::net::{Cidr, IpVersion};

/// What to do about one address of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AddressPlan {
    /// It is there.
    Keep,
    /// It is to be added, after these have been taken off.
    Replace(Vec<Cidr>),
    /// Another one is in its way.
    Conflict,
}

/// An address as the link has it.
pub(super) fn address(cidr: Cidr) -> Address {
    Address::new(cidr.address(), cidr.subnet())
}

/// Compares a bridge's addresses with one that it should have. Of IPv4 it has one only; of IPv6 one
/// for each network.
pub(super) fn plan_address(there: &[Cidr], wanted: Cidr, force: bool) -> AddressPlan {
    if there.contains(&wanted) {
        return AddressPlan::Keep;
    }
    let version = IpVersion::of(wanted.address());
    let is_in_the_way = |other: &Cidr| {
        IpVersion::of(other.address()) == version
            && (version == IpVersion::V4
                || other.subnet().contains(wanted.address())
                || wanted.subnet().contains(other.address()))
    };
    let in_the_way: Vec<Cidr> = there.iter().copied().filter(is_in_the_way).collect();
    if in_the_way.is_empty() || force {
        AddressPlan::Replace(in_the_way)
    } else {
        AddressPlan::Conflict
    }
}

/// What was done to a bridge's addresses, to be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Readdressed {
    pub added: Vec<Cidr>,
    pub removed: Vec<Cidr>,
}

/// Gives a bridge an address: `ip address add CIDR dev BRIDGE`. Its hardware address is fixed by
/// the way, or it would change with its ports.
pub(super) fn give_address(
    links: &Links,
    bridge: &Link,
    wanted: Cidr,
    force: bool,
    done: &mut Readdressed,
) -> Result<(), Error> {
    let version = IpVersion::of(wanted.address());
    let there = links.addresses_of(bridge, version)?;
    let there: Vec<Cidr> =
        there.iter().filter_map(|at| Cidr::new(at.host, at.subnet.prefix())).collect();
    let in_the_way = match plan_address(&there, wanted, force) {
        AddressPlan::Keep => return Ok(()),
        AddressPlan::Replace(others) => others,
        AddressPlan::Conflict => {
            return Err(Error::OtherGateway { bridge: bridge.name.clone(), wanted });
        }
    };
    for other in in_the_way {
        links.delete_address(bridge, &address(other))?;
        done.removed.push(other);
    }
    match links.add_address(bridge, &address(wanted)) {
        // Another attachment was faster, without the lock.
        Err(error) if error.is(Errno::EEXIST) => return Ok(()),
        added => added?,
    }
    done.added.push(wanted);
    if let Some(mac) = bridge.mac {
        links.change(bridge, LinkChange::new().mac(mac))?;
    }
    Ok(())
}

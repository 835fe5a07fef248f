//! What a failed attachment has to undo, in which order, and what it must leave to others.

use std::net::IpAddr;

use super::gateway::{Readdressed, address};
use crate::link::{Error, Link, LinkChange, Links, Previous};
use crate::net::{Cidr, IfName, IpVersion};
use crate::ruleset::Lock;

/// One thing that was done for an attachment that then failed.
#[derive(Debug)]
pub(super) enum Step {
    /// The bridge was not there, and was to be made.
    Bridge(IfName),
    /// The bridge was set up.
    Up(Link),
    /// The bridge was set to filter VLANs.
    Filtering(Link),
    /// The bridge was set promiscuous.
    Promiscuous(Link),
    /// A pair was made; this is the bridge's port.
    Port(IfName),
    /// The pair that carries a VLAN's gateway was made; this is its end beside the bridge.
    VlanGateway { bridge: Link, gateway: IfName },
    /// Addresses were put on the bridge, and others taken off.
    Addresses { bridge: Link, link: Link, done: Readdressed },
    /// A sysctl of the container was set that does not go with its interface.
    ContainerSysctl(Previous),
    /// The address manager assigned addresses.
    Assignment,
    /// Rules came into force.
    Rules,
}

impl Step {
    /// Whether it is the container's own link or rules.
    pub(super) fn is_of_container(&self) -> bool {
        matches!(self, Step::Port(_) | Step::Rules)
    }
}

/// Undoes what was done to the host's links. What other containers have come to use meanwhile is
/// left to them: a bridge with other ports stays as it is.
///
/// With the lock no port comes between the look and the deed; without, a bridge is left to those
/// who may be about to use it.
pub(super) fn undo_on_host(host: &Links, step: &Step, lock: Lock) -> Result<(), Error> {
    match step {
        Step::Bridge(name) if lock == Lock::Missing => {
            tracing::warn!(bridge = %name, "left to others, for the lock could not be had");
        }
        Step::Bridge(name) => {
            if let Some(bridge) = host.link(name)?.filter(Link::is_bridge)
                && is_without_ports(host, &bridge, None)?
            {
                host.delete(&bridge)?;
            }
        }
        Step::Up(bridge) => {
            if is_without_ports(host, bridge, None)? && !has_v6(host, bridge)? {
                host.change(bridge, LinkChange::new().down())?;
            }
        }
        Step::Filtering(bridge) => {
            if is_without_ports(host, bridge, None)? {
                host.ignore_vlans(bridge)?;
            }
        }
        Step::Promiscuous(bridge) => {
            if is_without_ports(host, bridge, None)? {
                host.change(bridge, LinkChange::new().not_promiscuous())?;
            }
        }
        Step::VlanGateway { bridge, gateway } => {
            if let Some(gateway) = host.link(gateway)?
                && is_without_ports(host, bridge, gateway.peer)?
            {
                host.delete(&gateway)?;
            }
        }
        Step::Addresses { bridge, link, done } => {
            let own = (bridge.index != link.index).then_some(link.peer).flatten();
            if is_without_ports(host, bridge, own)? {
                restore(host, link, &done.added, &done.removed)?;
            }
        }
        Step::Port(_) | Step::ContainerSysctl(_) | Step::Assignment | Step::Rules => {}
    }
    Ok(())
}

fn is_without_ports(host: &Links, bridge: &Link, save: Option<u32>) -> Result<bool, Error> {
    Ok(host.ports(bridge)?.iter().all(|port| Some(port.index) == save))
}

/// Whether a link has IPv6 addresses of others' choosing, which the kernel would take off with its
/// going down.
fn has_v6(host: &Links, link: &Link) -> Result<bool, Error> {
    let is_link_local = |host: IpAddr| match host {
        IpAddr::V6(address) => address.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    };
    let there = host.addresses_of(link, IpVersion::V6)?;
    Ok(there.iter().any(|address| !is_link_local(address.host)))
}

fn restore(host: &Links, link: &Link, added: &[Cidr], removed: &[Cidr]) -> Result<(), Error> {
    for added in added {
        host.delete_address(link, &address(*added))?;
    }
    for removed in removed {
        host.add_address(link, &address(*removed))?;
    }
    Ok(())
}

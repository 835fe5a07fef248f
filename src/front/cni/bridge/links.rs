//! Links in results: what an ADD reports, and what a later call reads back.

use crate::attachment::{Connected, Expected, Link, Seen};
use crate::front::cni::error::Error;
use crate::front::cni::result::{CniResult, Interface};
use crate::net::{IfName, Mac};

/// The position of the container's interface among those that an ADD reports.
pub(super) const CONTAINER: i64 = 2;

/// The interfaces that an ADD reports: bridge, the host's end, the container's end, and the link
/// that carries a VLAN's gateway.
pub(super) fn interfaces(connected: &Connected, sandbox: &str) -> Vec<Interface> {
    let bridge = Interface { mtu: 0, ..interface(&connected.bridge, "") };
    let port = interface(&connected.port, "");
    let container = interface(&connected.container, sandbox);
    let vlan =
        connected.vlan_gateway.iter().map(|link| Interface { mtu: 0, ..interface(link, "") });
    [bridge, port, container].into_iter().chain(vlan).collect()
}

fn interface(link: &Link, sandbox: &str) -> Interface {
    Interface {
        name: link.name.as_str().to_owned(),
        mac: link.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        mtu: i64::from(link.mtu),
        sandbox: sandbox.to_owned(),
        ..Interface::default()
    }
}

/// The host's end of the pair in a result.
pub(super) fn port(result: &CniResult, bridge: &IfName) -> Option<(IfName, Option<Mac>)> {
    let is_port =
        |interface: &&Interface| interface.sandbox.is_empty() && interface.name != bridge.as_str();
    let seen = seen(result.interfaces.iter().find(is_port)?)?;
    Some((seen.name, seen.mac))
}

/// What a result says of the container's place on a bridge.
///
/// # Errors
/// [`Error::PrevResult`] where it lacks the bridge or the container's interface.
pub(super) fn expected(
    result: &CniResult,
    bridge: &IfName,
    container: &IfName,
    sandbox: &str,
) -> Result<Expected, Error> {
    let lacks = |what: &str| Error::PrevResult { reason: format!("it has no interface {what}") };
    let find = |name: &IfName, sandbox: &str| {
        let mut all = result.interfaces.iter();
        all.find(|one| one.name == name.as_str() && one.sandbox == sandbox).and_then(seen)
    };
    let index = result.interfaces.iter().position(|one| one.sandbox == sandbox);
    let is_ours = |of: Option<i64>| of.is_none() || of == index.and_then(|at| at.try_into().ok());
    let ips = result.ips.iter().filter(|ip| is_ours(ip.interface));
    Ok(Expected {
        bridge: find(bridge, "").ok_or_else(|| lacks(bridge.as_str()))?,
        container: find(container, sandbox)
            .ok_or_else(|| lacks(&format!("{} in {sandbox}", container.as_str())))?,
        addresses: ips.map(|ip| ip.address).collect(),
        routes: result.routes.iter().map(super::ipam::route).collect::<Result<_, _>>()?,
    })
}

fn seen(interface: &Interface) -> Option<Seen> {
    Some(Seen { name: IfName::new(&interface.name).ok()?, mac: interface.mac.parse().ok() })
}

//! Connecting a container to a bridge: all of it, or nothing.

use super::gateway::{Readdressed, address, give_address};
use super::network::{Addressing, BridgeNetwork, ContainerLink, Gateway, Reflection, Vlans};
use super::sysctls::{forward, hint, set_sysctls};
use super::undo::{Step, undo_on_host};
use crate::attachment::error::Error;
use crate::attachment::host::{Host, lock};
use crate::attachment::record::{Attachment, Netns};
use crate::attachment::{guard, unguard};
use crate::link::{
    Ensured, Kind, Link, LinkChange, Links, NetnsFile, NewBridge, NewVeth, PortChange, Route,
    Sysctl, Tagging, Vlan, VlanFiltering, VlanOwner, in_netns,
};
use crate::net::{IfName, IpVersion, VlanId};
use crate::ruleset::Owner;

/// Who assigns addresses to containers.
pub trait AddressManager {
    /// What fails, with the failures of this room.
    type Error: From<Error> + std::fmt::Display;

    /// Assigns addresses to the container.
    ///
    /// # Errors
    /// Its own.
    fn assign(&mut self) -> Result<Addressing, Self::Error>;

    /// Takes them back.
    ///
    /// # Errors
    /// Its own.
    fn release(&mut self) -> Result<(), Self::Error>;
}

/// A container on a bridge, as it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The bridge.
    pub bridge: Link,
    /// The host's end of the pair: the bridge's port.
    pub port: Link,
    /// The container's end.
    pub container: Link,
    /// The link that carries the gateway's addresses where they are in a VLAN.
    pub vlan_gateway: Option<Link>,
    /// What the container has.
    pub addressing: Addressing,
}

/// Connects a container to a network. Without an address manager it gets a link and no addresses.
///
/// The order is that of the reference plugin but for the rules, which come into force in one batch
/// when all links are there, and for forwarding, which is switched on when nothing else can fail:
/// nobody could tell later whether others rely on it. The gateway comes after the container's
/// routes: where the container is in the host's own namespace the kernel takes no route through an
/// address of its own.
///
/// # Errors
/// What failed; everything done before is undone then.
pub fn connect<I: AddressManager>(
    owner: Owner,
    netns: Netns,
    link: &ContainerLink,
    network: &BridgeNetwork,
    ipam: Option<&mut I>,
) -> Result<Connected, I::Error> {
    let mut connecting = Connecting::open(owner, netns, link, network, ipam)?;
    match connecting.run() {
        Ok(connected) => Ok(connected),
        Err(error) => {
            connecting.roll_back();
            Err(error)
        }
    }
}

struct Connecting<'a, I> {
    attachment: Attachment,
    link: &'a ContainerLink,
    network: &'a BridgeNetwork,
    ipam: Option<&'a mut I>,
    own: NetnsFile,
    netns: NetnsFile,
    host: Links,
    inside: Links,
    undo: Vec<Step>,
}

impl<'a, I: AddressManager> Connecting<'a, I> {
    fn open(
        owner: Owner,
        netns: Netns,
        link: &'a ContainerLink,
        network: &'a BridgeNetwork,
        ipam: Option<&'a mut I>,
    ) -> Result<Self, Error> {
        let own = NetnsFile::own().map_err(Error::OwnNetns)?;
        let inhabited = netns.reopen()?;
        let host = Links::open()?;
        let inside = Links::open_in(&inhabited)?;
        let attachment = Attachment { owner, netns: Some(netns) };
        let (netns, undo) = (inhabited, Vec::new());
        Ok(Connecting { attachment, link, network, ipam, own, netns, host, inside, undo })
    }

    fn run(&mut self) -> Result<Connected, I::Error> {
        let (bridge, port, container) = {
            let (_held, _lock) = lock()?;
            let bridge = self.bridge()?;
            let (port, container) = self.pair(&bridge)?;
            (bridge, port, container)
        };
        let mut addressing = Addressing::default();
        if let Some(ipam) = &mut self.ipam {
            addressing = ipam.assign()?;
            self.undo.push(Step::Assignment);
            addressing.complete(self.network.gateway);
        }
        self.guard(&port, &container, &addressing)?;
        self.configure(&container, &addressing)?;
        let vlan_gateway = self.gateway(&bridge, &addressing)?;
        // Its hardware address may have changed with its first port.
        let bridge = self.host.existing(&bridge.name).map_err(Error::from)?;
        if !self.network.left_down {
            self.host.wait_operational(&port).map_err(Error::from)?;
        }
        if self.network.gateway != Gateway::None {
            forward(&addressing)?;
        }
        Ok(Connected { bridge, port, container, vlan_gateway, addressing })
    }

    /// The bridge, made if it is not there, and up.
    fn bridge(&mut self) -> Result<Link, Error> {
        let network = self.network;
        let new = NewBridge {
            name: network.bridge.clone(),
            mtu: network.mtu,
            mac: None,
            has_vlan_filtering: network.vlans.are_wanted(),
        };
        let undo = &mut self.undo;
        let ensured = self.host.ensure_bridge(&new, || undo.push(Step::Bridge(new.name.clone())));
        let failed = |cause| Error::Bridge { bridge: new.name.clone(), cause };
        let (bridge, is_new) = match ensured.map_err(failed)? {
            Ensured::Made(bridge) => (bridge, true),
            Ensured::Found(bridge) => {
                // If it was to be made, others were faster: it is theirs.
                self.undo.clear();
                (bridge, false)
            }
        };
        if is_new {
            hint(&Sysctl::accept_ra(&bridge.name), "0")?;
        }
        if network.vlans.are_wanted() && bridge.kind == Kind::Bridge(VlanFiltering::Off) {
            self.filter(&bridge)?;
        }
        let mut change = LinkChange::new();
        if !bridge.is_up {
            change = change.up();
        }
        if network.reflection == Reflection::Promiscuous && !bridge.is_promiscuous {
            change = change.promiscuous();
            self.undo.push(Step::Promiscuous(bridge.clone()));
        }
        self.host.change(&bridge, change)?;
        if !bridge.is_up && !is_new {
            self.undo.push(Step::Up(bridge.clone()));
        }
        Ok(bridge)
    }

    /// Has a bridge that was there filter VLANs: without that the container's would be mere words.
    /// Untagged frames go on as before, they are all of VLAN 1. Only the tagged ones of others,
    /// such as virtual machines or the host's network card, could be cut off.
    fn filter(&mut self, bridge: &Link) -> Result<(), Error> {
        let kind = Owner::prefix(self.attachment.owner.parts().get(..1).unwrap_or_default());
        let is_ours =
            |port: &Link| port.alias.as_ref().is_some_and(|alias| alias.starts_with(&kind));
        if let Some(other) = self.host.ports(bridge)?.into_iter().find(|port| !is_ours(port)) {
            let (bridge, port) = (bridge.name.clone(), other.name);
            return Err(Error::UnfilteredBridge { bridge, port });
        }
        self.host.filter_vlans(bridge)?;
        self.undo.push(Step::Filtering(bridge.clone()));
        Ok(())
    }

    /// A veth pair: the bridge's port, and the container's end.
    fn pair(&mut self, bridge: &Link) -> Result<(Link, Link), Error> {
        let new = NewVeth {
            name: self.link.name.clone(),
            mac: self.link.mac,
            mtu: self.network.mtu,
            host_name: None,
            master: Some(bridge.clone()),
        };
        let name = self.host.create_veth(&new, &self.netns)?;
        self.undo.push(Step::Port(name.clone()));
        let port = self.host.existing(&name)?;
        hint(&Sysctl::accept_ra(&name), "0")?;
        let mut change = PortChange::new();
        if self.network.reflection == Reflection::Hairpin {
            change = change.hairpin();
        }
        if self.network.isolated {
            change = change.isolated();
        }
        let alias = LinkChange::new().alias(self.attachment.owner.label());
        self.host.change(&port, alias.port(change))?;
        tag(&self.host, &port, &self.network.vlans)?;
        self.host.change(&port, LinkChange::new().up())?;
        Ok((port, self.inside.existing(&new.name)?))
    }

    fn guard(
        &mut self,
        port: &Link,
        container: &Link,
        addressing: &Addressing,
    ) -> Result<(), Error> {
        let addresses = addressing.addresses.iter().map(|(at, _)| *at);
        let spoof = container.mac.map(|mac| (port.name.clone(), mac));
        let rules = self.network.rules_for(addresses, spoof);
        if rules.is_empty() {
            return Ok(());
        }
        let mut host = Host::open()?;
        // Before they are made: they may be in force although the kernel's answer was lost.
        self.undo.push(Step::Rules);
        guard(&mut host, &self.attachment, &rules)?;
        Ok(())
    }

    /// Addresses and routes of the container.
    fn configure(&mut self, container: &Link, addressing: &Addressing) -> Result<(), Error> {
        if self.network.left_down {
            return Ok(());
        }
        if self.ipam.is_some() {
            let (network, undo) = (self.network, &mut self.undo);
            let set = || set_sysctls(&container.name, network, addressing, undo);
            in_netns(&self.netns, set).map_err(crate::link::Error::Enter)??;
        }
        for (cidr, _) in &addressing.addresses {
            self.inside.add_address(container, &address(*cidr))?;
        }
        let is_v4 = |route: &Route| route.destination.version() == IpVersion::V4;
        let (at_once, later): (Vec<Route>, Vec<Route>) =
            addressing.resolved_routes().partition(is_v4);
        self.inside.raise(container, &at_once)?;
        if addressing.has(IpVersion::V6) {
            self.inside.wait_detection(container)?;
        }
        for route in later {
            self.inside.add_route(container, &route)?;
        }
        Ok(())
    }

    /// The gateway's addresses, on the bridge or on a link in the container's VLAN.
    fn gateway(&mut self, bridge: &Link, addressing: &Addressing) -> Result<Option<Link>, Error> {
        let gateways = addressing.gateways();
        if self.network.gateway == Gateway::None || gateways.is_empty() {
            return Ok(None);
        }
        let (_held, _lock) = lock()?;
        let vlan_gateway = match self.network.vlans.native {
            Some(vlan) => Some(self.vlan_gateway(bridge, vlan)?),
            None => None,
        };
        let link = vlan_gateway.as_ref().unwrap_or(bridge).clone();
        let mut done = Readdressed::default();
        let given = gateways.into_iter().try_for_each(|wanted| {
            give_address(&self.host, &link, wanted, self.network.force_address, &mut done)
        });
        if done != Readdressed::default() {
            self.undo.push(Step::Addresses { bridge: bridge.clone(), link, done });
        }
        given.map(|()| vlan_gateway)
    }

    /// The link beside the bridge that is the host's in a VLAN: one end of a pair whose other end
    /// is a port of that VLAN.
    fn vlan_gateway(&mut self, bridge: &Link, vlan: VlanId) -> Result<Link, Error> {
        let name = IfName::new(&format!("{}.{vlan}", bridge.name))?;
        if let Some(there) = self.host.link(&name)? {
            return Ok(there);
        }
        let new = NewVeth {
            name: name.clone(),
            mac: None,
            mtu: Some(bridge.mtu),
            host_name: None,
            master: Some(bridge.clone()),
        };
        let port = self.host.create_veth(&new, &self.own)?;
        let gateway = name.clone();
        self.undo.push(Step::VlanGateway { bridge: bridge.clone(), gateway });
        let gateway = self.host.existing(&name)?;
        let own = Vlans { trunk: vec![], ..self.network.vlans.clone() };
        let port = self.host.existing(&port)?;
        tag(&self.host, &port, &own)?;
        self.host.change(&port, LinkChange::new().up())?;
        self.host.change(&gateway, LinkChange::new().up())?;
        Ok(gateway)
    }

    /// Undoes, last things first, but the container's link and rules before all: only when they are
    /// gone nobody has its addresses, and others can be seen to use the bridge or not. What cannot
    /// be undone is said, and the rest is undone.
    fn roll_back(&mut self) {
        // What failed may have been the connection.
        match Links::open() {
            Ok(host) => self.host = host,
            Err(error) => tracing::warn!(%error, "undoing over the old connection"),
        }
        let (first, then): (Vec<Step>, Vec<Step>) =
            std::mem::take(&mut self.undo).into_iter().rev().partition(Step::is_of_container);
        let mut is_link_gone = true;
        for step in first.into_iter().chain(then) {
            if matches!(step, Step::Assignment) && !is_link_gone {
                tracing::error!("its addresses stay assigned, for its link is still there");
                continue;
            }
            if let Err(error) = self.undo_step(&step) {
                is_link_gone &= !matches!(step, Step::Port(_));
                tracing::error!(%error, ?step, "cannot undo a part of a failed attachment");
            }
        }
    }

    fn undo_step(&mut self, step: &Step) -> Result<(), I::Error> {
        match step {
            Step::Assignment => self.ipam.as_mut().map_or(Ok(()), |ipam| ipam.release()),
            Step::Rules => {
                unguard(&mut Host::open()?, &self.attachment.owner, None)?;
                Ok(())
            }
            Step::Port(name) => {
                let port = self.host.link(name).map_err(Error::from)?;
                let deleted = port.map(|port| self.host.delete(&port)).transpose();
                Ok(deleted.map(|_| ()).map_err(Error::from)?)
            }
            Step::ContainerSysctl(previous) => {
                let restore = || previous.restore();
                let restored = in_netns(&self.netns, restore).map_err(crate::link::Error::Enter);
                Ok(restored.and_then(|done| done).map_err(Error::from)?)
            }
            Step::Bridge(_)
            | Step::Up(_)
            | Step::Filtering(_)
            | Step::Promiscuous(_)
            | Step::VlanGateway { .. }
            | Step::Addresses { .. } => {
                let (_held, lock) = lock()?;
                Ok(undo_on_host(&self.host, step, lock).map_err(Error::from)?)
            }
        }
    }
}

/// A port's VLANs.
fn tag(host: &Links, port: &Link, vlans: &Vlans) -> Result<(), Error> {
    if !vlans.are_wanted() {
        return Ok(());
    }
    let one = |id: VlanId, tagging| Vlan { first: id.number(), last: id.number(), tagging };
    if !vlans.preserve_default {
        // A new port has one VLAN at most, and not every bridge gives it VLAN 1 (default_pvid).
        let all = Vlan { first: 1, last: 4094, tagging: Tagging::Tagged };
        host.delete_vlan(port, VlanOwner::Port, all)?;
    }
    // A trunk without a native VLAN still has the default one for frames without a tag.
    let native = one(vlans.native.unwrap_or(VlanId::DEFAULT), Tagging::PvidUntagged);
    host.add_vlan(port, VlanOwner::Port, native)?;
    for range in &vlans.trunk {
        let (first, last) = (range.first().number(), range.last().number());
        host.add_vlan(port, VlanOwner::Port, Vlan { first, last, tagging: Tagging::Tagged })?;
    }
    Ok(())
}

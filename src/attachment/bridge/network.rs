//! What a network on a bridge is, as far as one container's attachment to it goes.

use std::net::IpAddr;

use crate::firewall::BridgeRules;
use crate::link::Route;
use crate::net::{Cidr, IfName, IpVersion, Mac, Subnet, VlanId, VlanRange};

/// A network on a bridge of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeNetwork {
    /// The bridge; made where it is not there.
    pub bridge: IfName,
    /// Of the bridge and of both ends of the pair; the kernel's default if none.
    pub mtu: Option<u32>,
    /// What the host is to the network.
    pub gateway: Gateway,
    /// Whether an address that conflicts with the gateway's is taken off the bridge.
    pub force_address: bool,
    /// How the bridge treats frames to where they came from.
    pub reflection: Reflection,
    /// The port's VLANs.
    pub vlans: Vlans,
    /// `bridge link set dev PORT isolated on`: the port exchanges frames with no other isolated one.
    pub isolated: bool,
    /// Duplicate address detection in the container. Without it an IPv6 address can be used at once.
    pub detect_duplicates: bool,
    /// The container's end is left down, for others to set up.
    pub left_down: bool,
    /// What leaves the network with the container's address is masqueraded.
    pub masquerade: bool,
    /// Frames that the container sends with another hardware address than its own are dropped.
    pub spoof_check: bool,
}

/// What the host is to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// Nothing: the bridge only forwards frames.
    None,
    /// It has an address on the bridge, and forwards packets.
    Address,
    /// And it is the container's default route, unless a route is given for that.
    DefaultRoute,
}

/// How a bridge treats frames whose way leads back to where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reflection {
    /// It drops them.
    None,
    /// `bridge link set dev PORT hairpin on`: the port gets its own frames back.
    Hairpin,
    /// `ip link set BRIDGE promisc on`: the bridge itself takes them all.
    Promiscuous,
}

/// VLANs of a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vlans {
    /// Untagged frames belong to it.
    pub native: Option<VlanId>,
    /// Tagged frames of these pass.
    pub trunk: Vec<VlanRange>,
    /// The default VLAN that the kernel gives to a new port stays beside them.
    pub preserve_default: bool,
}

impl BridgeNetwork {
    /// Whether a container of it needs the firewall at all.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.masquerade || self.spoof_check
    }

    /// Whether the gateway's addresses are the bridge's own, not those of a link in a VLAN.
    pub(super) fn gateway_is_on_bridge(&self) -> bool {
        self.gateway != Gateway::None && self.vlans.native.is_none()
    }

    /// What the firewall has to do for a container with these addresses, behind this port.
    pub(super) fn rules_for(
        &self,
        addresses: impl Iterator<Item = Cidr>,
        spoof: Option<(IfName, Mac)>,
    ) -> BridgeRules {
        let masquerade = addresses.map(|at| (at.address(), at.subnet()));
        BridgeRules {
            masquerade: if self.masquerade { masquerade.collect() } else { vec![] },
            spoof: spoof.filter(|_| self.spoof_check),
        }
    }
}

impl Vlans {
    /// Whether the bridge must know of VLANs.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.native.is_some() || !self.trunk.is_empty()
    }
}

/// The container's end of the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLink {
    /// Its name in the container.
    pub name: IfName,
    /// Its hardware address; the kernel's choice if none.
    pub mac: Option<Mac>,
}

/// The addresses and routes that a container is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressing {
    /// Its addresses, each with its gateway.
    pub addresses: Vec<(Cidr, Option<IpAddr>)>,
    /// Its routes; those without a gateway lead through the first of their version.
    pub routes: Vec<Route>,
}

impl Addressing {
    /// Completes what an address manager left open: a gateway is the first address of its network
    /// unless another is named, and, if the host is the default route, leads everywhere.
    pub(super) fn complete(&mut self, gateway: Gateway) {
        if gateway == Gateway::None {
            return;
        }
        for (address, via) in &mut self.addresses {
            if via.is_none() {
                *via = first_host(address.subnet());
            }
        }
        if gateway == Gateway::Address {
            return;
        }
        for version in IpVersion::BOTH {
            let is_default = |route: &Route| {
                route.gateway.is_some() && route.destination == Subnet::everything(version)
            };
            let first =
                self.addresses.iter().find(|(at, _)| IpVersion::of(at.address()) == version);
            let Some((_, via)) = first else { continue };
            if !self.routes.iter().any(is_default) {
                self.routes.push(Route::new(Subnet::everything(version), *via));
            }
        }
    }

    /// The versions of its addresses.
    pub(super) fn has(&self, version: IpVersion) -> bool {
        self.addresses.iter().any(|(at, _)| IpVersion::of(at.address()) == version)
    }

    /// The routes, those without a gateway led through the first of their version.
    pub(super) fn resolved_routes(&self) -> impl Iterator<Item = Route> {
        let first = |version| {
            let vias = self.addresses.iter().filter_map(|(_, via)| *via);
            vias.into_iter().find(|via| IpVersion::of(*via) == version)
        };
        let resolve = move |route: &Route| {
            let gateway = route.gateway.or_else(|| first(route.destination.version()));
            Route { gateway, ..route.clone() }
        };
        self.routes.iter().map(resolve)
    }

    /// The gateway's addresses, each with the prefix of the container's: what the bridge gets.
    pub(super) fn gateways(&self) -> Vec<Cidr> {
        let with_prefix = |(address, via): &(Cidr, Option<IpAddr>)| {
            via.and_then(|via| Cidr::new(via, address.prefix()))
        };
        let mut all: Vec<Cidr> = Vec::new();
        for gateway in self.addresses.iter().filter_map(with_prefix) {
            if !all.contains(&gateway) {
                all.push(gateway);
            }
        }
        all
    }
}

/// The first address of a network that a host can have: the one after the network's own.
fn first_host(subnet: Subnet) -> Option<IpAddr> {
    match subnet.address() {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|n| IpAddr::V4(n.into())),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|n| IpAddr::V6(n.into())),
    }
}

//! A result and its parts: interfaces, addresses, routes, name resolution.

use std::net::IpAddr;

use crate::net::{Cidr, Subnet};

/// A result, whatever version it came in or is printed as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CniResult {
    /// In the order in which [`Ip::interface`] counts them.
    pub interfaces: Vec<Interface>,
    /// The addresses that the container has.
    pub ips: Vec<Ip>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// How it resolves names.
    pub dns: Dns,
}

/// An interface that a plugin made, on the host or in the container. What is empty or 0 is not
/// printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name; printed even if empty.
    pub name: String,
    /// Its hardware address: `02:00:00:00:00:01`.
    pub mac: String,
    /// In bytes; from 1.0.0 on.
    pub mtu: i64,
    /// The path of the network namespace it is in; empty for the host's.
    pub sandbox: String,
    /// From 1.0.0 on.
    pub socket_path: String,
    /// From 1.0.0 on.
    pub pci_id: String,
}

/// An address of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// Which of [`CniResult::interfaces`] has it. Others send what is out of range.
    pub interface: Option<i64>,
    /// The address with the prefix of its network.
    pub address: Cidr,
    /// The router of that network.
    pub gateway: Option<IpAddr>,
}

/// A route of the container: `ip route add DST via GW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to; host bits are handed on as they came.
    pub dst: Cidr,
    /// The next hop; else the network's gateway.
    pub gw: Option<IpAddr>,
    /// In bytes; 0 for none, which is not printed.
    pub mtu: i64,
    /// In bytes; 0 for none, which is not printed.
    pub advmss: i64,
    /// The metric; 0 for none, which is not printed.
    pub priority: i64,
    /// The routing table, where it is not the main one.
    pub table: Option<i64>,
    /// The scope; 0 is global.
    pub scope: Option<i64>,
}

/// Name resolution. What is empty is not printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    /// Servers, best first.
    pub nameservers: Vec<String>,
    /// The domain of short names.
    pub domain: String,
    /// Domains that short names are looked for in.
    pub search: Vec<String>,
    /// Options as in `resolv.conf(5)`.
    pub options: Vec<String>,
}

impl CniResult {
    /// The container's addresses with their subnets: the first of each IP version that belongs to
    /// its interface, or to none that is known.
    #[must_use]
    pub fn container_addresses(&self, ifname: &str) -> Vec<(IpAddr, Subnet)> {
        let is_ours = |ip: &&Ip| {
            let index = ip.interface.and_then(|index| usize::try_from(index).ok());
            match index.and_then(|index| self.interfaces.get(index)) {
                Some(interface) => interface.name == ifname && !interface.sandbox.is_empty(),
                None => true,
            }
        };
        let ours = || self.ips.iter().filter(is_ours).map(|ip| ip.address);
        let first = |v4: bool| ours().find(|cidr| cidr.address().is_ipv4() == v4);
        let both = [first(true), first(false)].into_iter().flatten();
        both.map(|cidr| (cidr.address(), cidr.subnet())).collect()
    }
}

impl Interface {
    /// An interface of the host.
    #[must_use]
    pub fn on_host(name: &str, mac: &str) -> Self {
        Interface { name: name.to_owned(), mac: mac.to_owned(), ..Interface::default() }
    }

    /// An interface in a network namespace, which `sandbox` is the path of.
    #[must_use]
    pub fn in_sandbox(name: &str, mac: &str, sandbox: &str) -> Self {
        Interface { sandbox: sandbox.to_owned(), ..Interface::on_host(name, mac) }
    }
}

impl Ip {
    /// An address of no interface yet.
    #[must_use]
    pub fn new(address: Cidr, gateway: Option<IpAddr>) -> Self {
        Ip { interface: None, address, gateway }
    }
}

impl Route {
    /// A plain route.
    #[must_use]
    pub fn new(dst: Cidr, gw: Option<IpAddr>) -> Self {
        Route { dst, gw, mtu: 0, advmss: 0, priority: 0, table: None, scope: None }
    }
}

impl Dns {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Dns::default()
    }
}

//! Routes through a link: `ip route`.

use std::fmt;
use std::net::IpAddr;

use nix::errno::Errno;
use rtnetlink::packet_core::NLM_F_CREATE;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric,
    RouteProtocol, RouteScope, RouteType,
};

use super::address::family;
use super::change::LinkChange;
use super::connection::Change;
use super::error::Error;
use super::links::Links;
use super::value::Link;
use crate::net::{IpVersion, Subnet};

/// A route through one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to; 0.0.0.0/0 or ::/0 is the default route.
    pub destination: Subnet,
    /// Through whom; absent where the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// `metric`: the lower, the better. The kernel's default if absent (0; IPv6 1024).
    pub priority: Option<u32>,
    /// The table; main (254) if absent.
    pub table: Option<u32>,
    /// `RT_SCOPE_*`; 0 (global) if absent. The kernel ignores it in IPv6.
    pub scope: Option<u8>,
    /// The longest packet in bytes.
    pub mtu: Option<u32>,
    /// The segment size that TCP tells the other side, in bytes.
    pub advmss: Option<u32>,
    /// Whether the gateway is taken to be on the link although no route says so.
    pub is_onlink: bool,
}

impl Route {
    /// A route with nothing but where to and through whom.
    #[must_use]
    pub fn new(destination: Subnet, gateway: Option<IpAddr>) -> Self {
        Route {
            destination,
            gateway,
            priority: None,
            table: None,
            scope: None,
            mtu: None,
            advmss: None,
            is_onlink: false,
        }
    }

    fn message(&self, link: &Link) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = family(self.destination.version());
        header.destination_prefix_length = self.destination.prefix();
        header.protocol = RouteProtocol::Boot;
        header.kind = RouteType::Unicast;
        header.scope = RouteScope::from(self.scope.unwrap_or(0));
        if self.is_onlink {
            header.flags = RouteFlags::Onlink;
        }
        let attributes = &mut message.attributes;
        let table = self.table.unwrap_or_else(|| u32::from(RouteHeader::RT_TABLE_MAIN));
        match u8::try_from(table) {
            Ok(table) => header.table = table,
            Err(_) => attributes.push(RouteAttribute::Table(table)),
        }
        if self.destination.prefix() > 0 {
            let address = RouteAddress::from(self.destination.address());
            attributes.push(RouteAttribute::Destination(address));
        }
        attributes.push(RouteAttribute::Oif(link.index));
        attributes.extend(
            self.gateway.map(|gateway| RouteAttribute::Gateway(RouteAddress::from(gateway))),
        );
        attributes.extend(self.priority.map(RouteAttribute::Priority));
        let metrics: Vec<RouteMetric> = self
            .mtu
            .map(RouteMetric::Mtu)
            .into_iter()
            .chain(self.advmss.map(RouteMetric::Advmss))
            .collect();
        if !metrics.is_empty() {
            attributes.push(RouteAttribute::Metrics(metrics));
        }
        message
    }

    /// Reads a message of the kernel; nothing where it is no route of a unicast destination.
    fn parse(message: &RouteMessage, version: IpVersion) -> Option<Self> {
        let header = &message.header;
        if header.kind != RouteType::Unicast {
            return None;
        }
        let mut destination = unspecified(version);
        let mut route = Route::new(Subnet::containing(destination, 0)?, None);
        route.table = Some(u32::from(header.table));
        route.scope = Some(header.scope.into());
        route.is_onlink = header.flags.contains(RouteFlags::Onlink);
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(to) => destination = ip(to)?,
                RouteAttribute::Gateway(by) => route.gateway = ip(by),
                RouteAttribute::Priority(priority) => route.priority = Some(*priority),
                RouteAttribute::Table(table) => route.table = Some(*table),
                RouteAttribute::Metrics(metrics) => {
                    for metric in metrics {
                        match metric {
                            RouteMetric::Mtu(mtu) => route.mtu = Some(*mtu),
                            RouteMetric::Advmss(bytes) => route.advmss = Some(*bytes),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        route.destination = Subnet::containing(destination, header.destination_prefix_length)?;
        Some(route)
    }
}

impl Links {
    /// The unicast routes through a link, of all tables: `ip -4 route show dev NAME table all`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn routes(&self, link: &Link, version: IpVersion) -> Result<Vec<Route>, Error> {
        let mut message = RouteMessage::default();
        message.header.address_family = family(version);
        message.attributes.push(RouteAttribute::Oif(link.index));
        let request = RouteNetlinkMessage::GetRoute(message);
        let digit = version.digit();
        let words = || format!("-{digit} route show dev {} table all", link.name);
        let listed = match self.connection.list(&request, words) {
            // The kernel has no routing of this version.
            Err(error) if error.is(Errno::EOPNOTSUPP) => return Ok(vec![]),
            listed => listed?,
        };
        let routes = listed.iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewRoute(message) if leads_through(message, link) => {
                Route::parse(message, version)
            }
            _ => None,
        });
        Ok(routes.collect())
    }

    /// Adds a route through a link: `ip route prepend DESTINATION via GATEWAY dev NAME`.
    ///
    /// # Errors
    /// [`Error::Refused`], with `EEXIST` where it is there already.
    pub fn add_route(&self, link: &Link, route: &Route) -> Result<(), Error> {
        self.connection.change_all(vec![addition(link, route)])
    }

    /// Sets a link up and adds routes through it: `ip link set NAME up` and `ip route prepend …`.
    /// All is sent before the first answer is awaited, so that the routes need not wait for what
    /// the kernel does in its own time about a link that is up.
    ///
    /// # Errors
    /// [`Error::Refused`] for the first that is refused; the others may stand.
    pub fn raise(&self, link: &Link, routes: &[Route]) -> Result<(), Error> {
        let mut changes = vec![LinkChange::new().up().request(link)];
        changes.extend(routes.iter().map(|route| addition(link, route)));
        self.connection.change_all(changes)
    }

    /// Deletes a route through a link: `ip route delete DESTINATION via GATEWAY dev NAME`.
    ///
    /// # Errors
    /// [`Error::Refused`], with `ESRCH` where there is no such route.
    pub fn delete_route(&self, link: &Link, route: &Route) -> Result<(), Error> {
        let request = RouteNetlinkMessage::DelRoute(route.message(link));
        let words = || format!("route delete {route} dev {}", link.name);
        self.connection.change(request, 0, words)
    }
}

fn addition(link: &Link, route: &Route) -> Change {
    Change {
        request: RouteNetlinkMessage::NewRoute(route.message(link)),
        flags: NLM_F_CREATE,
        words: format!("route add {route} dev {}", link.name),
    }
}

fn leads_through(message: &RouteMessage, link: &Link) -> bool {
    message.attributes.contains(&RouteAttribute::Oif(link.index))
}

fn unspecified(version: IpVersion) -> IpAddr {
    match version {
        IpVersion::V4 => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        IpVersion::V6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.destination)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        let numbers = [
            ("metric", self.priority),
            ("table", self.table),
            ("mtu", self.mtu),
            ("advmss", self.advmss),
        ];
        for (word, number) in numbers {
            if let Some(number) = number {
                write!(f, " {word} {number}")?;
            }
        }
        if let Some(scope) = self.scope {
            write!(f, " scope {scope}")?;
        }
        if self.is_onlink { f.write_str(" onlink") } else { Ok(()) }
    }
}

//! `runtimeConfig.portMappings`: what the runtime wants published.

use std::net::IpAddr;

use super::error::Error;
use super::json::Object;
use crate::firewall::Publish;
use crate::net::{IpVersion, L4Proto, Port};

/// One entry of `portMappings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    host_port: Port,
    container_port: Port,
    proto: L4Proto,
    /// The address to publish on; unspecified (0.0.0.0, ::) for all of that IP version.
    host_ip: Option<IpAddr>,
}

impl Mapping {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`Error::PortNumber`], [`Error::Type`] or [`Error::Value`], naming the entry.
    pub(super) fn parse_all(root: &Object<'_>) -> Result<Vec<Mapping>, Error> {
        match root.object("runtimeConfig")? {
            None => Ok(vec![]),
            Some(runtime) => runtime.objects("portMappings")?.iter().map(Mapping::parse).collect(),
        }
    }

    fn parse(entry: &Object<'_>) -> Result<Mapping, Error> {
        let port = |key: &str, which| -> Result<Port, Error> {
            let number = entry.integer(key)?.unwrap_or(0);
            Port::try_from(number).map_err(|_| Error::PortNumber { which, number })
        };
        let host_port = port("hostPort", "host")?;
        let container_port = port("containerPort", "container")?;
        let proto = match entry.filled_text("protocol")? {
            Some(word) => word.parse().map_err(|error| entry.invalid("protocol", error))?,
            None => {
                let reason = "missing: expected tcp, udp, sctp, dccp or udplite";
                return Err(entry.invalid("protocol", reason));
            }
        };
        let host_ip = match entry.filled_text("hostIP")? {
            Some(text) => {
                let address: IpAddr = text
                    .parse()
                    .map_err(|_| entry.invalid("hostIP", format!("{text:?} is no IP address")))?;
                // ::ffff:192.0.2.1 is an IPv4 address in IPv6 clothes.
                Some(address.to_canonical())
            }
            None => None,
        };
        Ok(Mapping { host_port, container_port, proto, host_ip })
    }

    /// Its protocol.
    #[must_use]
    pub fn proto(&self) -> L4Proto {
        self.proto
    }

    /// What it publishes at a container's address: nothing, if it is for the other IP version.
    #[must_use]
    pub fn publish_at(&self, container: IpAddr) -> Option<Publish> {
        if self.host_ip.is_some_and(|ip| IpVersion::of(ip) != IpVersion::of(container)) {
            return None;
        }
        Some(Publish {
            host_address: self.host_ip.filter(|ip| !ip.is_unspecified()),
            host_port: self.host_port,
            proto: self.proto,
            container,
            container_port: self.container_port,
        })
    }
}

/// Everything that mappings publish at these addresses, each port once.
///
/// # Errors
/// [`Error::Value`] when one host port would lead to two places.
pub(super) fn publishes(
    mappings: &[Mapping],
    containers: &[IpAddr],
) -> Result<Vec<Publish>, Error> {
    let mut all: Vec<Publish> = containers
        .iter()
        .flat_map(|container| mappings.iter().filter_map(|m| m.publish_at(*container)))
        .collect();
    // Ordered by host address, host port and protocol within an IP version, so that two claims
    // to one port are neighbours.
    all.sort_by_key(|p| (p.version(), p.host_address, p.host_port, p.proto, p.container_port));
    all.dedup();
    for pair in all.windows(2) {
        let key = |p: &Publish| (p.version(), p.host_address, p.host_port, p.proto);
        if key(&pair[0]) == key(&pair[1]) {
            return Err(Error::Value {
                key: "runtimeConfig.portMappings".to_owned(),
                reason: format!(
                    "host port {}/{} is mapped to container ports {} and {}",
                    pair[0].host_port,
                    pair[0].proto,
                    pair[0].container_port,
                    pair[1].container_port
                ),
            });
        }
    }
    Ok(all)
}

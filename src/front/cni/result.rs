//! Results: what the plugin before made, passed on in the shape of the configuration's version.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::error::Error;
use super::json::Object;
use super::version::CniVersion;
use crate::net::Subnet;

/// A result, whatever version it came in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PrevResult {
    interfaces: Vec<Interface>,
    ips: Vec<Ip>,
    routes: Vec<Map<String, Value>>,
    dns: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Interface {
    name: String,
    mac: String,
    mtu: i64,
    sandbox: String,
    socket_path: String,
    pci_id: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Ip {
    interface: Option<i64>,
    address: String,
    host: IpAddr,
    subnet: Subnet,
    gateway: Option<String>,
}

const ROUTE_NUMBERS: [&str; 5] = ["mtu", "advmss", "priority", "table", "scope"];

impl PrevResult {
    /// Reads `prevResult`, which must be of the configuration's version, or of one with the same
    /// shape.
    ///
    /// # Errors
    /// [`Error::PrevResult`].
    pub fn parse(value: &Value, config: CniVersion) -> Result<Self, Error> {
        let root = Object::root(value).map_err(prev_result)?;
        let own = root.text("cniVersion").map_err(prev_result)?.filter(|text| !text.is_empty());
        if let Some(own) = own {
            let family = shapes(config);
            if !family.iter().any(|version| version.as_str() == own) {
                let family: Vec<&str> = family.iter().map(|version| version.as_str()).collect();
                return Err(Error::PrevResult {
                    reason: format!(
                        "could not parse prevResult: result type supports [{}] but unmarshalled \
                         CNIVersion is {own:?}",
                        family.join(" ")
                    ),
                });
            }
        }
        let parsed = if config <= CniVersion::V0_2_0 { parse_020(&root) } else { parse_030(&root) };
        parsed.map_err(prev_result)
    }

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
        let first = |v4: bool| self.ips.iter().filter(is_ours).find(|ip| ip.host.is_ipv4() == v4);
        [first(true), first(false)].into_iter().flatten().map(|ip| (ip.host, ip.subnet)).collect()
    }

    /// The result as a plugin of this version prints it.
    #[must_use]
    pub fn to_json(&self, version: CniVersion) -> Value {
        match version {
            CniVersion::V0_1_0 | CniVersion::V0_2_0 => self.to_json_020(version),
            CniVersion::V0_3_0 | CniVersion::V0_3_1 | CniVersion::V0_4_0 => {
                self.to_json_030(version)
            }
            CniVersion::V1_0_0 | CniVersion::V1_1_0 => self.to_json_100(version),
        }
    }

    fn to_json_020(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        for (key, v4) in [("ip4", true), ("ip6", false)] {
            let Some(ip) = self.ips.iter().find(|ip| ip.host.is_ipv4() == v4) else { continue };
            let mut config = Map::new();
            config.insert("ip".to_owned(), ip.address.clone().into());
            if let Some(gateway) = &ip.gateway {
                config.insert("gateway".to_owned(), gateway.clone().into());
            }
            let of_version = |route: &&Map<String, Value>| {
                route.get("dst").and_then(Value::as_str).is_some_and(|dst| dst.contains(':') != v4)
            };
            let routes: Vec<Value> = self
                .routes
                .iter()
                .filter(of_version)
                .map(|route| {
                    let mut plain = route.clone();
                    plain.retain(|key, _| matches!(key.as_str(), "dst" | "gw"));
                    Value::Object(plain)
                })
                .collect();
            if !routes.is_empty() {
                config.insert("routes".to_owned(), routes.into());
            }
            result.insert(key.to_owned(), config.into());
        }
        result.insert("dns".to_owned(), self.dns.clone().into());
        result.into()
    }

    fn to_json_030(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        let interfaces: Vec<Value> =
            self.interfaces.iter().map(|interface| interface.to_json(false)).collect();
        insert_filled(&mut result, "interfaces", interfaces);
        let ips: Vec<Value> = self.ips.iter().map(|ip| ip.to_json(true)).collect();
        insert_filled(&mut result, "ips", ips);
        let routes = self.routes.iter().cloned().map(Value::Object).collect();
        insert_filled(&mut result, "routes", routes);
        result.insert("dns".to_owned(), self.dns.clone().into());
        result.into()
    }

    /// Keys in the order of the alphabet, as the reference library marshals them.
    fn to_json_100(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        if !self.dns.is_empty() {
            result.insert("dns".to_owned(), self.dns.clone().into());
        }
        let interfaces: Vec<Value> =
            self.interfaces.iter().map(|interface| interface.to_json(true)).collect();
        insert_filled(&mut result, "interfaces", interfaces);
        insert_filled(&mut result, "ips", self.ips.iter().map(|ip| ip.to_json(false)).collect());
        let routes = self.routes.iter().cloned().map(Value::Object).collect();
        insert_filled(&mut result, "routes", routes);
        result.into()
    }
}

fn insert_filled(result: &mut Map<String, Value>, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        result.insert(key.to_owned(), list.into());
    }
}

fn insert_text(object: &mut Map<String, Value>, key: &str, value: &str) {
    if !value.is_empty() {
        object.insert(key.to_owned(), value.into());
    }
}

impl Interface {
    fn to_json(&self, all: bool) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone().into());
        insert_text(&mut object, "mac", &self.mac);
        if all && self.mtu != 0 {
            object.insert("mtu".to_owned(), self.mtu.into());
        }
        insert_text(&mut object, "sandbox", &self.sandbox);
        if all {
            insert_text(&mut object, "socketPath", &self.socket_path);
            insert_text(&mut object, "pciID", &self.pci_id);
        }
        object.into()
    }
}

impl Ip {
    fn to_json(&self, with_version: bool) -> Value {
        let mut object = Map::new();
        if with_version {
            let version = if self.host.is_ipv4() { "4" } else { "6" };
            object.insert("version".to_owned(), version.into());
        }
        if let Some(interface) = self.interface {
            object.insert("interface".to_owned(), interface.into());
        }
        object.insert("address".to_owned(), self.address.clone().into());
        if let Some(gateway) = &self.gateway {
            object.insert("gateway".to_owned(), gateway.clone().into());
        }
        object.into()
    }
}

/// The versions whose results have the same shape.
fn shapes(version: CniVersion) -> &'static [CniVersion] {
    match version {
        CniVersion::V0_1_0 | CniVersion::V0_2_0 => &[CniVersion::V0_1_0, CniVersion::V0_2_0],
        CniVersion::V0_3_0 | CniVersion::V0_3_1 | CniVersion::V0_4_0 => {
            &[CniVersion::V0_3_0, CniVersion::V0_3_1, CniVersion::V0_4_0]
        }
        CniVersion::V1_0_0 | CniVersion::V1_1_0 => &[CniVersion::V1_0_0, CniVersion::V1_1_0],
    }
}

fn prev_result(error: Error) -> Error {
    match error {
        Error::Type { key, expected, found } => {
            Error::PrevResult { reason: format!("{key}: expected {expected}, found {found}") }
        }
        Error::Value { key, reason } => Error::PrevResult { reason: format!("{key}: {reason}") },
        other => Error::PrevResult { reason: other.to_string() },
    }
}

fn parse_020(root: &Object<'_>) -> Result<PrevResult, Error> {
    let mut result = PrevResult { dns: dns(root)?, ..PrevResult::default() };
    for key in ["ip4", "ip6"] {
        let Some(config) = root.object(key)? else { continue };
        result.ips.push(ip(&config, "ip", None)?);
        for route in config.objects("routes")? {
            result.routes.push(self::route(&route)?);
        }
    }
    Ok(result)
}

fn parse_030(root: &Object<'_>) -> Result<PrevResult, Error> {
    let mut result = PrevResult { dns: dns(root)?, ..PrevResult::default() };
    for interface in root.objects("interfaces")? {
        let text = |key| interface.text(key).map(|text| text.unwrap_or_default().to_owned());
        result.interfaces.push(Interface {
            name: text("name")?,
            mac: text("mac")?,
            mtu: interface.integer("mtu")?.unwrap_or(0),
            sandbox: text("sandbox")?,
            socket_path: text("socketPath")?,
            pci_id: text("pciID")?,
        });
    }
    for address in root.objects("ips")? {
        result.ips.push(ip(&address, "address", address.integer("interface")?)?);
    }
    for route in root.objects("routes")? {
        result.routes.push(self::route(&route)?);
    }
    Ok(result)
}

fn ip(object: &Object<'_>, key: &str, interface: Option<i64>) -> Result<Ip, Error> {
    let address = object.text(key)?.unwrap_or_default();
    let (host, subnet) =
        Subnet::parse_interface(address).map_err(|error| object.invalid(key, error))?;
    let gateway = match object.filled_text("gateway")? {
        Some(text) => {
            let gateway: IpAddr = text.parse().map_err(|error| object.invalid("gateway", error))?;
            Some(gateway.to_string())
        }
        None => None,
    };
    Ok(Ip { interface, address: format!("{host}/{}", subnet.prefix()), host, subnet, gateway })
}

fn route(object: &Object<'_>) -> Result<Map<String, Value>, Error> {
    let mut route = Map::new();
    let dst = object.text("dst")?.unwrap_or_default();
    // Host bits are handed on as they came.
    let (host, subnet) =
        Subnet::parse_interface(dst).map_err(|error| object.invalid("dst", error))?;
    route.insert("dst".to_owned(), format!("{host}/{}", subnet.prefix()).into());
    if let Some(gw) = object.filled_text("gw")? {
        let gw: IpAddr = gw.parse().map_err(|error| object.invalid("gw", error))?;
        route.insert("gw".to_owned(), gw.to_string().into());
    }
    for key in ROUTE_NUMBERS {
        if let Some(number) = object.integer(key)? {
            route.insert(key.to_owned(), json!(number));
        }
    }
    Ok(route)
}

/// `dns`: nameservers, domain, search, options, without what is empty.
fn dns(root: &Object<'_>) -> Result<Map<String, Value>, Error> {
    let mut dns = Map::new();
    let Some(object) = root.object("dns")? else { return Ok(dns) };
    for key in ["nameservers", "domain", "search", "options"] {
        if key == "domain" {
            if let Some(domain) = object.filled_text(key)? {
                dns.insert(key.to_owned(), domain.into());
            }
        } else if let Some(list) = object.texts(key)?.filter(|list| !list.is_empty()) {
            dns.insert(key.to_owned(), list.into());
        }
    }
    Ok(dns)
}

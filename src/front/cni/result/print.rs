//! Printing a result in the shape of a version, byte for byte as the reference plugins do.

use serde_json::{Map, Value};

use super::cni_result::{CniResult, Dns, Interface, Ip, Route};
use crate::front::cni::version::CniVersion;

impl CniResult {
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

    /// The first address of each IP version, with the routes of that version.
    fn to_json_020(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        for (key, v4) in [("ip4", true), ("ip6", false)] {
            let of_version = |ip: &&Ip| ip.address.address().is_ipv4() == v4;
            let Some(ip) = self.ips.iter().find(of_version) else { continue };
            let mut config = Map::new();
            config.insert("ip".to_owned(), ip.address.to_string().into());
            if let Some(gateway) = ip.gateway {
                config.insert("gateway".to_owned(), gateway.to_string().into());
            }
            let of_version = |route: &&Route| route.dst.address().is_ipv4() == v4;
            let plain = |route: &Route| Route::new(route.dst, route.gw).to_json();
            let routes = self.routes.iter().filter(of_version).map(plain).collect();
            insert_filled(&mut config, "routes", routes);
            result.insert(key.to_owned(), config.into());
        }
        result.insert("dns".to_owned(), self.dns.to_json());
        result.into()
    }

    fn to_json_030(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        let interfaces = self.interfaces.iter().map(Interface::to_json_030).collect();
        insert_filled(&mut result, "interfaces", interfaces);
        insert_filled(&mut result, "ips", self.ips.iter().map(Ip::to_json_030).collect());
        insert_filled(&mut result, "routes", self.routes.iter().map(Route::to_json).collect());
        result.insert("dns".to_owned(), self.dns.to_json());
        result.into()
    }

    /// Keys in the order of the alphabet, as the reference library marshals them.
    fn to_json_100(&self, version: CniVersion) -> Value {
        let mut result = Map::new();
        result.insert("cniVersion".to_owned(), version.as_str().into());
        if !self.dns.is_empty() {
            result.insert("dns".to_owned(), self.dns.to_json());
        }
        let interfaces = self.interfaces.iter().map(Interface::to_json_100).collect();
        insert_filled(&mut result, "interfaces", interfaces);
        insert_filled(&mut result, "ips", self.ips.iter().map(Ip::to_json_100).collect());
        insert_filled(&mut result, "routes", self.routes.iter().map(Route::to_json).collect());
        result.into()
    }
}

impl Interface {
    fn to_json_030(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone().into());
        insert_text(&mut object, "mac", &self.mac);
        insert_text(&mut object, "sandbox", &self.sandbox);
        object.into()
    }

    fn to_json_100(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), self.name.clone().into());
        insert_text(&mut object, "mac", &self.mac);
        insert_number(&mut object, "mtu", self.mtu);
        insert_text(&mut object, "sandbox", &self.sandbox);
        insert_text(&mut object, "socketPath", &self.socket_path);
        insert_text(&mut object, "pciID", &self.pci_id);
        object.into()
    }
}

impl Ip {
    fn to_json_030(&self) -> Value {
        let mut object = Map::new();
        let version = if self.address.address().is_ipv4() { "4" } else { "6" };
        object.insert("version".to_owned(), version.into());
        self.insert_into(&mut object);
        object.into()
    }

    fn to_json_100(&self) -> Value {
        let mut object = Map::new();
        self.insert_into(&mut object);
        object.into()
    }

    fn insert_into(&self, object: &mut Map<String, Value>) {
        if let Some(interface) = self.interface {
            object.insert("interface".to_owned(), interface.into());
        }
        object.insert("address".to_owned(), self.address.to_string().into());
        if let Some(gateway) = self.gateway {
            object.insert("gateway".to_owned(), gateway.to_string().into());
        }
    }
}

impl Route {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("dst".to_owned(), self.dst.to_string().into());
        if let Some(gw) = self.gw {
            object.insert("gw".to_owned(), gw.to_string().into());
        }
        insert_number(&mut object, "mtu", self.mtu);
        insert_number(&mut object, "advmss", self.advmss);
        insert_number(&mut object, "priority", self.priority);
        for (key, number) in [("table", self.table), ("scope", self.scope)] {
            if let Some(number) = number {
                object.insert(key.to_owned(), number.into());
            }
        }
        object.into()
    }
}

impl Dns {
    fn to_json(&self) -> Value {
        let texts = |list: &[String]| list.iter().cloned().map(Value::from).collect();
        let mut object = Map::new();
        insert_filled(&mut object, "nameservers", texts(&self.nameservers));
        insert_text(&mut object, "domain", &self.domain);
        insert_filled(&mut object, "search", texts(&self.search));
        insert_filled(&mut object, "options", texts(&self.options));
        object.into()
    }
}

fn insert_filled(object: &mut Map<String, Value>, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        object.insert(key.to_owned(), list.into());
    }
}

fn insert_text(object: &mut Map<String, Value>, key: &str, value: &str) {
    if !value.is_empty() {
        object.insert(key.to_owned(), value.into());
    }
}

fn insert_number(object: &mut Map<String, Value>, key: &str, value: i64) {
    if value != 0 {
        object.insert(key.to_owned(), value.into());
    }
}

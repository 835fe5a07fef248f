//! What a runtime writes to the plugin's stdin.

use serde_json::{Map, Value, json};

/// One entry of `runtimeConfig.portMappings`.
#[derive(Clone, Debug)]
pub struct Mapping {
    protocol: &'static str,
    host_port: u16,
    container_port: u16,
    host_ip: Option<&'static str>,
}

impl Mapping {
    pub fn tcp(host_port: u16, container_port: u16) -> Mapping {
        Mapping { protocol: "tcp", host_port, container_port, host_ip: None }
    }

    pub fn udp(host_port: u16, container_port: u16) -> Mapping {
        Mapping { protocol: "udp", ..Mapping::tcp(host_port, container_port) }
    }

    pub fn on(self, host_ip: &'static str) -> Mapping {
        Mapping { host_ip: Some(host_ip), ..self }
    }

    fn json(&self) -> Value {
        let mut mapping = json!({
            "hostPort": self.host_port,
            "containerPort": self.container_port,
            "protocol": self.protocol,
        });
        if let Some(host_ip) = self.host_ip {
            mapping["hostIP"] = host_ip.into();
        }
        mapping
    }
}

/// A portmap network configuration, chained behind a bridge plugin that made `eth0`.
#[derive(Clone, Debug)]
pub struct PortmapConf {
    mappings: Vec<Mapping>,
    keys: Map<String, Value>,
}

impl PortmapConf {
    pub fn new(mappings: &[Mapping]) -> PortmapConf {
        PortmapConf { mappings: mappings.to_vec(), keys: Map::new() }
    }

    /// `port` on the host leads to `container_port`, TCP and UDP.
    pub fn publish(port: u16, container_port: u16) -> PortmapConf {
        PortmapConf::new(&[Mapping::tcp(port, container_port), Mapping::udp(port, container_port)])
    }

    pub fn snat(self, snat: bool) -> PortmapConf {
        self.key("snat", snat.into())
    }

    pub fn masq_all(self) -> PortmapConf {
        self.key("masqAll", true.into())
    }

    pub fn mark_masq_bit(self, bit: u8) -> PortmapConf {
        self.key("markMasqBit", bit.into())
    }

    pub fn conditions_v4(self, words: &[&str]) -> PortmapConf {
        self.key("conditionsV4", words.into())
    }

    pub fn conditions_v6(self, words: &[&str]) -> PortmapConf {
        self.key("conditionsV6", words.into())
    }

    fn key(mut self, name: &str, value: Value) -> PortmapConf {
        self.keys.insert(name.to_owned(), value);
        self
    }

    /// The whole configuration, with a prevResult of these addresses; whoever attaches a container
    /// puts in the network's and the interface's names and the sandbox.
    pub fn json(&self, addresses: &[&str]) -> Value {
        let gateway = |ip: &str| if ip.contains(':') { "fd00:88::1" } else { "10.88.0.1" };
        let ips: Vec<Value> = addresses
            .iter()
            .map(|ip| json!({"interface": 2, "address": ip, "gateway": gateway(ip)}))
            .collect();
        let mut conf = json!({
            "cniVersion": "1.0.0",
            "name": "labnet",
            "type": "portmap",
            "capabilities": {"portMappings": true},
            "runtimeConfig": {
                "portMappings": self.mappings.iter().map(Mapping::json).collect::<Vec<_>>(),
            },
            "prevResult": {
                "cniVersion": "1.0.0",
                "interfaces": [
                    {"name": "cni0", "mac": "02:00:00:00:00:01"},
                    {"name": "veth2", "mac": "02:00:00:00:00:02"},
                    {"name": "eth0", "mac": "02:00:00:00:00:03"},
                ],
                "ips": ips,
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                "dns": {},
            },
        });
        for (name, value) in &self.keys {
            conf[name] = value.clone();
        }
        conf
    }
}

//! Reading a result: of the plugin before, or of a plugin that was delegated to.

use std::net::IpAddr;

use serde_json::Value;

use super::cni_result::{CniResult, Dns, Interface, Ip, Route};
use crate::front::cni::error::Error;
use crate::front::cni::json::Object;
use crate::front::cni::version::CniVersion;
use crate::net::Cidr;

impl CniResult {
    /// Reads `prevResult`, which must be of the configuration's version, or of one with the same
    /// shape.
    ///
    /// # Errors
    /// [`Error::PrevResult`].
    pub fn parse(value: &Value, config: CniVersion) -> Result<Self, Error> {
        let root = Object::root(value).map_err(prev_result)?;
        if let Some(own) = own_version(&root).map_err(prev_result)? {
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
        of_shape(&root, config).map_err(prev_result)
    }

    /// Reads what a plugin that was delegated to has printed, in the shape of its own
    /// `cniVersion`; without one, of the configuration's.
    ///
    /// # Errors
    /// [`Error::DelegatedResult`].
    pub fn parse_delegated(stdout: &[u8], config: CniVersion) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(stdout)
            .map_err(|error| Error::DelegatedResult { reason: error.to_string() })?;
        let root = Object::root(&value).map_err(delegated)?;
        let version = match own_version(&root).map_err(delegated)? {
            Some(own) => CniVersion::parse(Some(own), &CniVersion::ALL).map_err(|_| {
                let reason = format!("unsupported CNI result version {own:?}");
                Error::DelegatedResult { reason }
            })?,
            None => config,
        };
        of_shape(&root, version).map_err(delegated)
    }
}

fn own_version<'a>(root: &Object<'a>) -> Result<Option<&'a str>, Error> {
    root.filled_text("cniVersion")
}

fn of_shape(root: &Object<'_>, version: CniVersion) -> Result<CniResult, Error> {
    if version <= CniVersion::V0_2_0 { parse_020(root) } else { parse_030(root) }
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

#[allow(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn prev_result(error: Error) -> Error {
    Error::PrevResult { reason: reason(&error) }
}

#[allow(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn delegated(error: Error) -> Error {
    Error::DelegatedResult { reason: reason(&error) }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Type { key, expected, found } => {
            format!("{key}: expected {expected}, found {found}")
        }
        Error::Value { key, reason } => format!("{key}: {reason}"),
        other => other.to_string(),
    }
}

fn parse_020(root: &Object<'_>) -> Result<CniResult, Error> {
    let mut result = CniResult { dns: Dns::parse(root)?, ..CniResult::default() };
    for key in ["ip4", "ip6"] {
        let Some(config) = root.object(key)? else { continue };
        result.ips.push(ip(&config, "ip", None)?);
        for route in config.objects("routes")? {
            result.routes.push(Route::parse(&route)?);
        }
    }
    Ok(result)
}

fn parse_030(root: &Object<'_>) -> Result<CniResult, Error> {
    let mut result = CniResult { dns: Dns::parse(root)?, ..CniResult::default() };
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
        result.routes.push(Route::parse(&route)?);
    }
    Ok(result)
}

fn ip(object: &Object<'_>, key: &str, interface: Option<i64>) -> Result<Ip, Error> {
    Ok(Ip { interface, address: cidr(object, key)?, gateway: address(object, "gateway")? })
}

fn cidr(object: &Object<'_>, key: &str) -> Result<Cidr, Error> {
    let text = object.text(key)?.unwrap_or_default();
    text.parse().map_err(|error| object.invalid(key, error))
}

/// An address; empty is none.
pub(in crate::front::cni) fn address(
    object: &Object<'_>,
    key: &str,
) -> Result<Option<IpAddr>, Error> {
    let parse = |text: &str| {
        text.parse().map_err(|_| object.invalid(key, format!("invalid IP address: {text}")))
    };
    object.filled_text(key)?.map(parse).transpose()
}

impl Route {
    /// Reads an entry of `routes`, in a result or in a configuration.
    pub(in crate::front::cni) fn parse(object: &Object<'_>) -> Result<Self, Error> {
        Ok(Route {
            dst: cidr(object, "dst")?,
            gw: address(object, "gw")?,
            mtu: object.integer("mtu")?.unwrap_or(0),
            advmss: object.integer("advmss")?.unwrap_or(0),
            priority: object.integer("priority")?.unwrap_or(0),
            table: object.integer("table")?,
            scope: object.integer("scope")?,
        })
    }
}

impl Dns {
    /// Reads `dns` of a result or of a configuration.
    pub(in crate::front::cni) fn parse(root: &Object<'_>) -> Result<Self, Error> {
        let Some(object) = root.object("dns")? else { return Ok(Dns::default()) };
        let texts = |key| object.texts(key).map(Option::unwrap_or_default);
        Ok(Dns {
            nameservers: texts("nameservers")?,
            domain: object.text("domain")?.unwrap_or_default().to_owned(),
            search: texts("search")?,
            options: texts("options")?,
        })
    }
}

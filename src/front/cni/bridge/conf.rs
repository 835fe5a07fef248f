//! The configuration of `bridge`: keys and `CNI_ARGS` into a network and a container's link.

use crate::attachment::{BridgeNetwork, ContainerLink, Gateway, Reflection, Vlans};
use crate::front::cni::args::Args;
use crate::front::cni::call::Call;
use crate::front::cni::error::Error;
use crate::front::cni::json::Object;
use crate::front::cni::result::{CniResult, Dns};
use crate::net::{IfName, Mac, VlanId, VlanRange};

/// The bridge where none is named.
const DEFAULT_BRIDGE: &str = "cni0";

/// The configuration of one call.
#[derive(Debug)]
pub(super) struct BridgeConf {
    pub network: BridgeNetwork,
    /// The address manager's name; none for a network without addresses.
    pub ipam: Option<String>,
    /// What stands in for the address manager's.
    pub dns: Dns,
    pub prev_result: Option<CniResult>,
    mac: Option<Mac>,
}

impl BridgeConf {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`Error::Type`], [`Error::Value`], [`Error::Plugin`].
    pub fn parse(call: &Call) -> Result<Self, Error> {
        let root = call.config.root()?;
        let ipam = ipam_type(call)?.map(str::to_owned);
        let network = network(&root)?;
        if network.left_down && ipam.is_some() {
            let why = "cannot use IPAM when DisableContainerInterface flag is set";
            return Err(Error::Contradiction { why });
        }
        let prev_result = match call.config.prev_result()? {
            Some(value) => Some(CniResult::parse(value, call.version)?),
            None => None,
        };
        Ok(BridgeConf {
            network,
            ipam,
            dns: Dns::parse(&root)?,
            prev_result,
            mac: mac(&root, &call.args)?,
        })
    }

    /// The container's end of the pair.
    pub fn container_link(&self, name: &IfName) -> ContainerLink {
        ContainerLink { name: name.clone(), mac: self.mac }
    }
}

fn network(root: &Object<'_>) -> Result<BridgeNetwork, Error> {
    let flag = |key| root.flag(key).map(Option::unwrap_or_default);
    let name = root.filled_text("bridge")?.unwrap_or(DEFAULT_BRIDGE);
    let bridge = IfName::new(name).map_err(|error| root.invalid("bridge", error))?;
    let mtu = match root.integer("mtu")?.unwrap_or(0) {
        0 => None,
        number => Some(u32::try_from(number).map_err(|error| root.invalid("mtu", error))?),
    };
    let gateway = match (flag("isGateway")?, flag("isDefaultGateway")?) {
        (_, true) => Gateway::DefaultRoute,
        (true, false) => Gateway::Address,
        (false, false) => Gateway::None,
    };
    let reflection = match (flag("hairpinMode")?, flag("promiscMode")?) {
        (true, true) => {
            let why = "cannot set hairpin mode and promiscuous mode at the same time";
            return Err(Error::Contradiction { why });
        }
        (true, false) => Reflection::Hairpin,
        (false, true) => Reflection::Promiscuous,
        (false, false) => Reflection::None,
    };
    match root.filled_text("ipMasqBackend")? {
        None | Some("iptables" | "nftables") => {}
        Some(other) => return Err(Error::MasqueradeBackend { backend: other.to_owned() }),
    }
    Ok(BridgeNetwork {
        bridge,
        mtu,
        gateway,
        force_address: flag("forceAddress")?,
        reflection,
        vlans: vlans(root)?,
        isolated: flag("portIsolation")?,
        detect_duplicates: flag("enabledad")?,
        left_down: flag("disableContainerInterface")?,
        masquerade: flag("ipMasq")?,
        spoof_check: flag("macspoofchk")?,
    })
}

fn vlans(root: &Object<'_>) -> Result<Vlans, Error> {
    let native = match root.integer("vlan")?.unwrap_or(0) {
        0 => None,
        number => Some(VlanId::try_from(number)?),
    };
    let trunk = root.objects("vlanTrunk")?;
    let trunk = trunk.iter().map(trunk_entry).collect::<Result<Vec<_>, Error>>()?;
    let preserve_default = root.flag("preserveDefaultVlan")?.unwrap_or(true);
    Ok(Vlans { native, trunk: trunk.into_iter().flatten().collect(), preserve_default })
}

/// An entry of `vlanTrunk`: a range, a single VLAN, or both.
fn trunk_entry(entry: &Object<'_>) -> Result<Vec<VlanRange>, Error> {
    let id = |key: &'static str| -> Result<Option<VlanId>, Error> {
        let Some(number) = entry.integer(key)? else { return Ok(None) };
        let wrong = |_| Error::VlanTrunk { why: format!("incorrect trunk {key} parameter") };
        VlanId::try_from(number).map(Some).map_err(wrong)
    };
    let missing = |which: &str| Error::VlanTrunk {
        why: format!("minID and maxID should be configured simultaneously, {which} is missing"),
    };
    let range = match (id("minID")?, id("maxID")?) {
        (None, None) => None,
        (Some(_), None) => return Err(missing("maxID")),
        (None, Some(_)) => return Err(missing("minID")),
        (Some(first), Some(last)) => Some(VlanRange::new(first, last).ok_or_else(|| {
            Error::VlanTrunk { why: "minID is greater than maxID in trunk parameter".to_owned() }
        })?),
    };
    let single = id("id")?.and_then(|id| VlanRange::new(id, id));
    Ok(range.into_iter().chain(single).collect())
}

/// The hardware address that is asked for: by the runtime, by `args`, by `CNI_ARGS`, in that order.
fn mac(root: &Object<'_>, args: &str) -> Result<Option<Mac>, Error> {
    let runtime = root.object("runtimeConfig")?;
    let args_cni = match root.object("args")? {
        Some(args) => args.object("cni")?,
        None => None,
    };
    let text = |object: Option<&Object<'_>>| -> Result<Option<String>, Error> {
        match object {
            Some(object) => Ok(object.filled_text("mac")?.map(str::to_owned)),
            None => Ok(None),
        }
    };
    let args = Args::parse(args, &["MAC"])?;
    let wanted = match (text(runtime.as_ref())?, text(args_cni.as_ref())?) {
        (Some(mac), _) | (None, Some(mac)) => Some(mac),
        (None, None) => args.get("MAC").map(str::to_owned),
    };
    let parse = |text: String| text.parse().map_err(Error::HardwareAddress);
    wanted.map(parse).transpose()
}

/// The address manager's name; none for a network without addresses.
pub(super) fn ipam_type(call: &Call) -> Result<Option<&str>, Error> {
    match call.config.root()?.object("ipam")? {
        Some(ipam) => ipam.filled_text("type"),
        None => Ok(None),
    }
}

/// The bridge's name, if it is one.
pub(super) fn bridge_name(call: &Call) -> Option<IfName> {
    let root = call.config.root().ok()?;
    IfName::new(root.filled_text("bridge").ok()?.unwrap_or(DEFAULT_BRIDGE)).ok()
}

//! `firewall`: lets packets from and to a container pass, and keeps networks apart.
//!
//! Keys: `ingressPolicy`, `iptablesAdminChainName`, `backend`, `firewalldZone`, as the CNI plugin
//! of that name has them (<https://www.cni.dev/plugins/current/meta/firewall/>).

use serde_json::Value;

use super::call::Call;
use super::error::Error;
use super::json::Object;
use super::plugin::{Plugin, firewall_status};
use super::result::CniResult;
use super::version::CniVersion;
use crate::attachment::{self, Attachment, Host, Zoning};
use crate::firewall::{Forwarding, Ingress, InvalidAdminChain, admin_chain};
use crate::net::{IfName, ZoneName};

/// The plugin.
pub const FIREWALL: Plugin = Plugin {
    name: "firewall",
    versions: &[CniVersion::V0_4_0, CniVersion::V1_0_0, CniVersion::V1_1_0],
    add,
    del,
    check,
    gc,
    status: firewall_status,
};

/// The first part of the labels of what this plugin owns.
const LABEL: &str = "firewall";
/// The user's own chain, if the configuration names none.
const ADMIN_CHAIN: &str = "CNI-ADMIN";

/// The zone of firewalld, if the configuration names none.
const ZONE: &str = "trusted";

/// `ingressPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Open,
    SameBridge,
    Isolated,
}

impl Policy {
    fn parse(root: &Object<'_>) -> Result<Self, Error> {
        match root.filled_text("ingressPolicy")? {
            None | Some("open") => Ok(Policy::Open),
            Some("same-bridge") => Ok(Policy::SameBridge),
            Some("isolated") => Ok(Policy::Isolated),
            Some(other) => Err(Error::IngressPolicy { policy: other.to_owned() }),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Policy::Open => "open",
            Policy::SameBridge => "same-bridge",
            Policy::Isolated => "isolated",
        }
    }

    /// The policy for the bridge that the plugin before made.
    fn ingress(self, prev: &CniResult) -> Result<Ingress, Error> {
        let bridge = || {
            let first = prev.interfaces.first().map(|interface| interface.name.as_str());
            let name = first.filter(|name| !name.is_empty());
            let missing = || Error::NoBridge { policy: self.as_str().to_owned() };
            IfName::new(name.ok_or_else(missing)?).map_err(|_| missing())
        };
        Ok(match self {
            Policy::Open => Ingress::Open,
            Policy::SameBridge => Ingress::SameBridge(bridge()?),
            Policy::Isolated => Ingress::Isolated(bridge()?),
        })
    }
}

/// What a call wants, as far as its configuration says. Pure.
///
/// # Errors
/// [`Error`] where the configuration is wrong, or there is no result of a plugin before.
pub fn firewall_intent(call: &Call) -> Result<(Forwarding, Value), Error> {
    let root = call.config.root()?;
    let policy = Policy::parse(&root)?;
    let chain = root.filled_text("iptablesAdminChainName")?.unwrap_or(ADMIN_CHAIN);
    let invalid = |error: InvalidAdminChain| root.invalid("iptablesAdminChainName", error);
    let admin = admin_chain(chain).map_err(invalid)?;
    let Some(prev) = call.config.prev_result()? else { return Err(Error::NoEarlierResult) };
    let prev = CniResult::parse(prev, call.version)?;
    let ingress = policy.ingress(&prev)?;
    let forwarding = Forwarding {
        addresses: prev.ips.iter().map(|ip| ip.address.address()).collect(),
        ingress,
        admin,
        // Whether there are zones only the host knows.
        zone: None,
    };
    Ok((forwarding, prev.to_json(call.version)))
}

/// What `backend` and `firewalldZone` want. Any other back end than `iptables` and `firewalld`
/// stands for firewalld where it runs. The rules are the same with all.
fn zoning(call: &Call) -> Result<Zoning, Error> {
    let root = call.config.root()?;
    let zone = root.filled_text("firewalldZone")?.unwrap_or(ZONE);
    let zone = ZoneName::new(zone).map_err(|error| root.invalid("firewalldZone", error))?;
    Ok(match root.filled_text("backend")? {
        Some("iptables") => Zoning::Without,
        Some("firewalld") => Zoning::Required(zone),
        Some(_) | None => Zoning::WhereRunning(zone),
    })
}

fn add(call: &Call) -> Result<Value, Error> {
    let netns = call.open_netns()?;
    let (forwarding, result) = firewall_intent(call)?;
    let attachment = Attachment { owner: call.owner_as(LABEL), netns: Some(netns) };
    attachment::admit(&mut Host::open()?, &attachment, &forwarding, &zoning(call)?)?;
    Ok(result)
}

fn del(call: &Call) -> Result<(), Error> {
    // What is there goes whatever the configuration says now; what it says only tells where to
    // look first.
    let expected = firewall_intent(call);
    let owner = call.owner_as(LABEL);
    let looked_for = expected.as_ref().ok().map(|(forwarding, _)| forwarding);
    attachment::dismiss(&mut Host::open()?, &owner, looked_for)?;
    match expected {
        Ok(_) | Err(Error::NoEarlierResult) => Ok(()),
        // The plugin of that name tells of it at DEL too.
        Err(error @ Error::IngressPolicy { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the configuration of this DEL was not understood");
            Ok(())
        }
    }
}

fn check(call: &Call) -> Result<(), Error> {
    let netns = call.open_netns()?;
    let (forwarding, _) = firewall_intent(call)?;
    let attachment = Attachment { owner: call.owner_as(LABEL), netns: Some(netns) };
    Ok(attachment::check_admitted(&mut Host::open()?, &attachment, &forwarding, &zoning(call)?)?)
}

fn gc(call: &Call) -> Result<(), Error> {
    let (prefix, valid) = call.valid_owners(LABEL)?;
    attachment::dismiss_stale(&mut Host::open()?, &prefix, &valid)?;
    Ok(())
}

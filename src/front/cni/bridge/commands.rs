//! The commands, each from a checked call to its answer.

use super::conf::{BridgeConf, bridge_name, ipam_type};
use super::ipam::Ipam;
use super::links;
use crate::attachment::{self, Attachment, Expected, Host, Netns, NetnsError, Owner, Remains};
use crate::firewall::BridgeRules;
use crate::front::cni::call::{Call, Command};
use crate::front::cni::error::Error;
use crate::front::cni::plugin::Plugin;
use crate::front::cni::result::CniResult;
use crate::front::cni::version::CniVersion;
use crate::net::IfName;

/// The plugin.
pub const BRIDGE: Plugin = Plugin {
    name: "bridge",
    versions: &CniVersion::ALL,
    add: |call| add(call).map(|result| result.to_json(call.version)),
    del,
    check,
    gc,
    status,
};

/// Under which name the plugin's things are kept apart from those of others in the same network.
const KIND: &str = "bridge";

fn ifname(call: &Call) -> Result<IfName, Error> {
    let name = call.container.as_ref().map_or("", |(_, ifname)| ifname);
    Ok(IfName::new(name)?)
}

fn add(call: &Call) -> Result<CniResult, Error> {
    let netns = call.open_netns()?;
    let conf = BridgeConf::parse(call)?;
    let link = conf.container_link(&ifname(call)?);
    let mut ipam = match &conf.ipam {
        Some(name) => Some(Ipam::find(call, name)?),
        None => None,
    };
    let owner = call.owner_as(KIND);
    let connected = attachment::connect(owner, netns, &link, &conf.network, ipam.as_mut())?;
    let mut result = match ipam {
        Some(ipam) => ipam.completed(&connected.addressing, links::CONTAINER),
        None => CniResult::default(),
    };
    result.interfaces = links::interfaces(&connected, &call.netns_path);
    if !conf.dns.is_empty() {
        result.dns = conf.dns;
    }
    Ok(result)
}

/// What is there goes whatever the configuration says now; what of it is understood tells where to
/// look.
fn del(call: &Call) -> Result<(), Error> {
    let conf = BridgeConf::parse(call);
    let mut failures = Vec::new();
    let netns = match netns_of(call) {
        Ok(netns) => netns,
        // Who takes the host for a container is wrong about what is to go.
        Err(error @ Error::Netns(NetnsError::Own)) => return Err(error),
        Err(error) => {
            failures.push(error);
            None
        }
    };
    let ipam = ipam_type(call).and_then(|name| name.map(|name| Ipam::find(call, name)).transpose());
    let mut ipam = ipam.unwrap_or_else(|error| {
        failures.push(error);
        None
    });
    let prev = call.config.prev_result().ok().flatten();
    let prev = prev.and_then(|value| CniResult::parse(value, call.version).ok());
    let bridge = bridge_name(call);
    let remains = Remains {
        owner: call.owner_as(KIND),
        netns,
        interface: ifname(call)?,
        port: prev.zip(bridge).and_then(|(prev, bridge)| links::port(&prev, &bridge)),
        has_rules: conf.as_ref().is_ok_and(|conf| conf.network.has_rules()),
    };
    failures.extend(attachment::disconnect(&remains, ipam.as_mut()));
    if let Err(error) = conf {
        tracing::warn!(%error, "the configuration of this DEL was not understood");
    }
    Error::all(failures)
}

/// The container's namespace, if it is still there.
fn netns_of(call: &Call) -> Result<Option<Netns>, Error> {
    if call.netns_path.is_empty() {
        return Ok(None);
    }
    match call.open_netns() {
        Ok(netns) => Ok(Some(netns)),
        Err(Error::Netns(NetnsError::Open { cause, .. }))
            if cause.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn check(call: &Call) -> Result<(), Error> {
    let netns = call.open_netns()?;
    let conf = BridgeConf::parse(call)?;
    if let Some(name) = &conf.ipam {
        Ipam::find(call, name)?.run(Command::Check)?;
    }
    let Some(prev) = &conf.prev_result else {
        return Err(Error::NoPrevResult { command: "CHECK" });
    };
    let (expected, rules) = expected(call, &conf, prev)?;
    attachment::check_bridge(&netns, &conf.network, &expected)?;
    if !rules.is_empty() {
        let attachment = Attachment { owner: call.owner_as(KIND), netns: Some(netns) };
        attachment::check_guard(&mut Host::open()?, &attachment, &rules)?;
    }
    Ok(())
}

/// What links and rules should be, after what an ADD reported.
fn expected(
    call: &Call,
    conf: &BridgeConf,
    prev: &CniResult,
) -> Result<(Expected, BridgeRules), Error> {
    let bridge = &conf.network.bridge;
    let expected = links::expected(prev, bridge, &ifname(call)?, &call.netns_path)?;
    let port = links::port(prev, bridge).map(|(name, _)| name);
    let rules = expected.rules(&conf.network, port);
    Ok((expected, rules))
}

/// What a container that an ADD reported needs of the firewall, and whose it is. Pure.
///
/// # Errors
/// [`Error`] where the configuration is wrong or has no `prevResult`.
pub fn bridge_intent(call: &Call) -> Result<(Owner, BridgeRules), Error> {
    let conf = BridgeConf::parse(call)?;
    let prev = conf.prev_result.as_ref().ok_or(Error::NoPrevResult { command: "CHECK" })?;
    let (_, rules) = expected(call, &conf, prev)?;
    Ok((call.owner_as(KIND), rules))
}

fn gc(call: &Call) -> Result<(), Error> {
    let (prefix, valid) = call.valid_owners(KIND)?;
    let rules = || -> Result<(), Error> {
        attachment::collect_unguarded(&mut Host::open()?, &prefix, &valid)?;
        Ok(())
    };
    let addresses = || match ipam_type(call)? {
        Some(name) => Ipam::find(call, name)?.run(Command::Gc),
        None => Ok(()),
    };
    let links = attachment::collect_links(&prefix, &valid).map_err(Error::from);
    let failures = [links, rules(), addresses()].into_iter().filter_map(Result::err);
    Error::all(failures.collect())
}

fn status(call: &Call) -> Result<(), Error> {
    let unavailable = |error| Error::NotAvailable(Box::new(error));
    if let Some(name) = ipam_type(call)? {
        Ipam::find(call, name).map_err(unavailable)?.run(Command::Status)?;
    }
    let wants_rules = BridgeConf::parse(call)?.network.has_rules();
    if wants_rules {
        attachment::status().map_err(|error| unavailable(error.into()))?;
    }
    Ok(())
}

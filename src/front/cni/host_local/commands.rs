//! The commands, each from a checked call to its answer.

use std::collections::BTreeSet;

use super::config::{HostLocalConf, directory};
use super::resolv_conf;
use crate::attachment::NetnsError;
use crate::front::cni::call::Call;
use crate::front::cni::error::Error;
use crate::front::cni::plugin::Plugin;
use crate::front::cni::result::{CniResult, Dns, Ip};
use crate::front::cni::version::CniVersion;
use crate::ipam::{self, Attachment};

/// The plugin.
pub const HOST_LOCAL: Plugin = Plugin {
    name: "host-local",
    versions: &CniVersion::ALL,
    add: |call| {
        foreign_netns(call)?;
        add(call).map(|result| result.to_json(call.version))
    },
    del,
    check: |call| {
        foreign_netns(call)?;
        check(call)
    },
    gc,
    status,
};

/// Refuses the plugin's own namespace. That it is there is no concern of this plugin, which does
/// not enter it.
fn foreign_netns(call: &Call) -> Result<(), Error> {
    match call.open_netns() {
        Err(error @ Error::Netns(NetnsError::Own)) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn attachment(call: &Call) -> Attachment {
    let (container, ifname) = call.container.clone().unwrap_or_default();
    Attachment { container, ifname }
}

/// ADD: one address of each range set, with the routes and the name resolution that are
/// configured.
///
/// # Errors
/// [`Error`]; then nothing is reserved.
pub fn add(call: &Call) -> Result<CniResult, Error> {
    let conf = HostLocalConf::parse(call)?;
    let dns = match &conf.resolv_conf {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|cause| Error::ResolvConf { path: path.clone(), cause })?;
            resolv_conf::parse(&text)
        }
        None => Dns::default(),
    };
    let leases = ipam::allocate(&conf.ipam, &attachment(call))?;
    let ips = leases.into_iter().map(|lease| Ip::new(lease.address, Some(lease.gateway))).collect();
    Ok(CniResult { ips, routes: conf.routes, dns, ..CniResult::default() })
}

/// DEL: takes back what the attachment has, whatever ranges are configured now. That it has
/// nothing is success.
///
/// # Errors
/// [`Error`] where the directory cannot be told from the configuration, or not be changed.
pub fn del(call: &Call) -> Result<(), Error> {
    ipam::release(&directory(call)?, &attachment(call))?;
    if let Err(error) = HostLocalConf::parse(call) {
        tracing::warn!(%error, "the configuration of this DEL was not understood");
    }
    Ok(())
}

/// CHECK: whether the attachment has an address.
///
/// # Errors
/// [`Error`].
pub fn check(call: &Call) -> Result<(), Error> {
    let conf = HostLocalConf::parse(call)?;
    Ok(ipam::check(&conf.ipam.directory, &attachment(call))?)
}

/// GC: takes back what the network's attachments have that are not in the list of valid ones.
///
/// # Errors
/// [`Error`].
pub fn gc(call: &Call) -> Result<(), Error> {
    let valid: BTreeSet<Attachment> = call
        .config
        .valid_attachments()?
        .into_iter()
        .map(|(container, ifname)| Attachment { container, ifname })
        .collect();
    let freed = ipam::collect_garbage(&directory(call)?, &valid)?;
    if !freed.is_empty() {
        tracing::info!(?freed, "addresses of attachments that are gone");
    }
    Ok(())
}

/// STATUS: whether the configuration is right and the directory can be written to.
///
/// # Errors
/// [`Error::NotAvailable`].
pub fn status(call: &Call) -> Result<(), Error> {
    let status = HostLocalConf::parse(call)
        .and_then(|conf| ipam::status(&conf.ipam.directory).map_err(Error::from));
    status.map_err(|error| Error::NotAvailable(Box::new(error)))
}

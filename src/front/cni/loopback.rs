//! `loopback`: sets the loopback interface of a container up, as the CNI plugin of that name does
//! (<https://www.cni.dev/plugins/current/main/loopback/>). `CNI_IFNAME` is checked and ignored.

use serde_json::Value;

use super::call::Call;
use super::error::Error;
use super::plugin::Plugin;
use super::result::{CniResult, Interface, Ip};
use super::version::CniVersion;
use crate::attachment::{self, NetnsError};
use crate::net::Mac;

/// The plugin.
pub const LOOPBACK: Plugin = Plugin {
    name: "loopback",
    versions: &CniVersion::ALL,
    add,
    del,
    check,
    // Nothing outlives the namespace, and nothing is needed but the kernel.
    gc: |_| Ok(()),
    status: |_| Ok(()),
};

fn prev_result(call: &Call) -> Result<Option<CniResult>, Error> {
    let given = call.config.prev_result()?;
    given.map(|value| CniResult::parse(value, call.version)).transpose()
}

/// The first plugin of a chain tells of the interface; one that is not hands on the result of the
/// plugin before.
fn add(call: &Call) -> Result<Value, Error> {
    let prev = prev_result(call)?;
    let own = up(call)?;
    Ok(prev.unwrap_or(own).to_json(call.version))
}

/// Sets the interface up, and tells what there is then.
fn up(call: &Call) -> Result<CniResult, Error> {
    let addresses = attachment::loopback_up(&call.open_netns()?)?;
    let interface = Interface::in_sandbox("lo", &Mac::ZERO.to_string(), &call.netns_path);
    let ip = |address| Ip { interface: Some(0), ..Ip::new(address, None) };
    let ips = addresses.into_iter().map(ip).collect();
    Ok(CniResult { interfaces: vec![interface], ips, ..CniResult::default() })
}

/// That the namespace is gone is success: its loopback interface is gone with it.
fn del(call: &Call) -> Result<(), Error> {
    if call.netns_path.is_empty() {
        return Ok(());
    }
    match call.open_netns() {
        Err(Error::Netns(NetnsError::Open { cause, .. }))
            if cause.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(())
        }
        netns => Ok(attachment::loopback_down(&netns?)?),
    }
}

fn check(call: &Call) -> Result<(), Error> {
    prev_result(call)?;
    Ok(attachment::check_loopback(&call.open_netns()?)?)
}

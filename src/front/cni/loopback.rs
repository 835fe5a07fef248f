//! `loopback`: sets the loopback interface of a container up, as the CNI plugin of that name does
//! (<https://www.cni.dev/plugins/current/main/loopback/>). `CNI_IFNAME` is checked and ignored.

use serde_json::Value;

use super::call::{Call, Command};
use super::error::Error;
use super::plugin::Plugin;
use super::result::{CniResult, Interface, Ip};
use super::version::CniVersion;
use crate::attachment::{self, NetnsError};
use crate::net::Mac;

/// The plugin.
pub const LOOPBACK: Plugin = Plugin { name: "loopback", versions: &CniVersion::ALL, handle };

fn handle(call: &Call) -> Result<Option<Value>, Error> {
    let prev_result = || match call.config.prev_result()? {
        Some(value) => CniResult::parse(value, call.version).map(Some),
        None => Ok(None),
    };
    match call.command {
        Command::Add => {
            let prev = prev_result()?;
            let own = add(call)?;
            Ok(Some(prev.unwrap_or(own).to_json(call.version)))
        }
        Command::Del => del(call).map(|()| None),
        Command::Check => {
            prev_result()?;
            attachment::check_loopback(&call.open_netns()?)?;
            Ok(None)
        }
        // Nothing outlives the namespace, and nothing is needed but the kernel.
        Command::Gc | Command::Status => Ok(None),
    }
}

/// The result of a plugin that is the first of its chain. One that is not hands on the result of
/// the plugin before.
fn add(call: &Call) -> Result<CniResult, Error> {
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

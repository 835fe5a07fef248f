//! Sysctls of a connection: how the container's interface treats addresses, and forwarding.

use nix::errno::Errno;

use super::network::{Addressing, BridgeNetwork};
use super::undo::Step;
use crate::attachment::error::Error;
use crate::attachment::host::lock;
use crate::link::{Previous, Sysctl};
use crate::net::{Cidr, IfName, IpVersion};

/// How the container's interface treats addresses; the thread is in its namespace. What goes with
/// the interface need not be undone.
pub(super) fn set_sysctls(
    name: &IfName,
    network: &BridgeNetwork,
    addressing: &Addressing,
    undo: &mut Vec<Step>,
) -> Result<(), Error> {
    hint(&Sysctl::arp_notify(name), "1")?;
    if network.detect_duplicates {
        hint(&Sysctl::enhanced_dad(name), "1")?;
        hint(&Sysctl::accept_dad(name), "1")?;
    } else {
        hint(&Sysctl::accept_dad(name), "0")?;
    }
    if !addressing.has(IpVersion::V6) {
        return Ok(());
    }
    let lo = IfName::new("lo")?;
    let changed = Sysctl::disable_ipv6(&lo).set_if_there("0")?;
    undo.extend(changed.map(Step::ContainerSysctl));
    Sysctl::disable_ipv6(name).set_if_there("0")?;
    hint(&Sysctl::keep_addr_on_down(name), "1")?;
    hint(&Sysctl::ndisc_notify(name), "1")
}

/// Sets a sysctl that a container can do without: where this process may not set any, as within
/// another container, that is said and no failure.
pub(super) fn hint(sysctl: &Sysctl, value: &str) -> Result<(), Error> {
    match sysctl.set_if_there(value) {
        Ok(_) => Ok(()),
        Err(error) if [Errno::EROFS, Errno::EACCES, Errno::EPERM].iter().any(|e| error.is(*e)) => {
            tracing::warn!(%error, "going on without");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Has the host pass on packets of the versions that have a gateway: of all of them, or of none
/// more than before.
pub(super) fn forward(addressing: &Addressing) -> Result<(), Error> {
    let (_held, _lock) = lock()?;
    let mut changed: Vec<Previous> = Vec::new();
    for version in IpVersion::BOTH {
        let is_of = |gateway: &Cidr| IpVersion::of(gateway.address()) == version;
        if !addressing.gateways().iter().any(is_of) {
            continue;
        }
        match Sysctl::forwarding(version).set("1") {
            Ok(previous) => changed.extend(previous),
            Err(error) => {
                for previous in changed {
                    previous.restore()?;
                }
                return Err(error.into());
            }
        }
    }
    Ok(())
}

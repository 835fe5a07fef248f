//! The address manager of a network, as connecting sees it.

use crate::attachment::{self, AddressManager, Addressing};
use crate::front::cni::call::{Call, Command};
use crate::front::cni::delegate::Delegate;
use crate::front::cni::error::Error;
use crate::front::cni::result::{CniResult, Ip, Route};

/// An address manager, and what it has assigned.
#[derive(Debug)]
pub(super) struct Ipam<'a> {
    delegate: Delegate<'a>,
    /// Its answer: what the bridge's own is made of.
    pub assigned: CniResult,
}

impl<'a> Ipam<'a> {
    /// Finds the address manager of a name.
    ///
    /// # Errors
    /// [`Error::NoPlugin`].
    pub fn find(call: &'a Call, name: &str) -> Result<Self, Error> {
        let delegate = Delegate::find(call, name)?;
        Ok(Ipam { delegate, assigned: CniResult::default() })
    }

    /// CHECK, GC or STATUS.
    ///
    /// # Errors
    /// What it says, unchanged.
    pub fn run(&self, command: Command) -> Result<(), Error> {
        self.delegate.run(command)
    }

    /// Its answer completed by what the network adds: gateways, the default route, and which of the
    /// interfaces has the addresses.
    pub fn completed(self, addressing: &Addressing, interface: i64) -> CniResult {
        let mut result = self.assigned;
        for (ip, (_, gateway)) in result.ips.iter_mut().zip(&addressing.addresses) {
            *ip = Ip { interface: Some(interface), gateway: *gateway, ..ip.clone() };
        }
        let added = addressing.routes.iter().skip(result.routes.len());
        let added: Vec<Route> =
            added.map(|route| Route::new(route.destination.into(), route.gateway)).collect();
        result.routes.extend(added);
        result
    }
}

impl AddressManager for Ipam<'_> {
    type Error = Error;

    fn assign(&mut self) -> Result<Addressing, Error> {
        self.assigned = self.delegate.add()?;
        let addressing = addressing(&self.assigned);
        // What was assigned and cannot be used is given back here: the caller knows nothing of it.
        if let Err(error) = &addressing
            && let Err(release) = self.release()
        {
            tracing::error!(%error, %release, "cannot give back what was assigned");
        }
        addressing
    }

    fn release(&mut self) -> Result<(), Error> {
        self.delegate.run(Command::Del)
    }
}

/// The addresses and routes of a result.
fn addressing(result: &CniResult) -> Result<Addressing, Error> {
    if result.ips.is_empty() {
        return Err(Error::NoAddress);
    }
    Ok(Addressing {
        addresses: result.ips.iter().map(|ip| (ip.address, ip.gateway)).collect(),
        routes: result.routes.iter().map(route).collect::<Result<_, _>>()?,
    })
}

/// A route of a result as the kernel takes it.
pub(super) fn route(route: &Route) -> Result<attachment::Route, Error> {
    let wrong = |key: &str, number: i64| Error::DelegatedResult {
        reason: format!("routes: {key} of {} is out of range: {number}", route.dst),
    };
    let number = |key, number: i64| -> Result<Option<u32>, Error> {
        let number = u32::try_from(number).map_err(|_| wrong(key, number))?;
        Ok((number != 0).then_some(number))
    };
    let scope = match route.scope {
        Some(scope) => Some(u8::try_from(scope).map_err(|_| wrong("scope", scope))?),
        None => None,
    };
    let plain = attachment::Route::new(route.dst.subnet(), route.gw);
    Ok(attachment::Route {
        priority: number("priority", route.priority)?,
        table: number("table", route.table.unwrap_or(0))?,
        scope,
        mtu: number("mtu", route.mtu)?,
        advmss: number("advmss", route.advmss)?,
        ..plain
    })
}

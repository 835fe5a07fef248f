//! firewalld as it runs on this host: who is in which of its zones.

use std::net::IpAddr;
use std::time::Duration;

use zbus::message::Message;
use zbus::zvariant::{OwnedValue, Value};

use super::bus::{Bus, Method};
use super::error::{Error, Refusal};
use crate::net::{IpVersion, ZoneName};

/// Its name on the bus, and that of its main interface.
pub(super) const NAME: &str = "org.fedoraproject.FirewallD1";
/// Its one object.
pub(super) const PATH: &str = "/org/fedoraproject/FirewallD1";
/// It answers one after the other; a reload with many rules takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a firewalld that was running a moment ago.
pub struct Firewalld {
    bus: Bus,
}

/// What firewalld says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its rules are in force.
    Running,
    /// It starts, or has failed to.
    NotYet,
}

impl Firewalld {
    /// Looks for firewalld on the system bus (`DBUS_SYSTEM_BUS_ADDRESS`, or else
    /// `/run/dbus/system_bus_socket`); `None` if there is no bus, or it is not there.
    ///
    /// # Errors
    /// [`Error::Hangs`] after 2 s without an answer of the bus; [`Error::Connect`].
    pub fn find() -> Result<Option<Self>, Error> {
        let Some(bus) = Bus::open()? else { return Ok(None) };
        Ok(if bus.has(NAME)? { Some(Firewalld { bus }) } else { None })
    }

    /// The same on a connection that is there already, whether firewalld is or not.
    pub(super) fn on(bus: Bus) -> Self {
        Firewalld { bus }
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Whether it is there now.
    ///
    /// # Errors
    /// [`Error`].
    pub fn is_there(&self) -> Result<bool, Error> {
        self.bus.has(NAME)
    }

    /// `firewall-cmd --state`
    ///
    /// # Errors
    /// [`Error`].
    pub fn state(&self) -> Result<State, Error> {
        const ASK: Method = Method {
            destination: NAME,
            path: PATH,
            interface: "org.freedesktop.DBus.Properties",
            name: "Get",
        };
        let what = || "ask firewalld for its state".to_owned();
        let answer = self.bus.call(ASK, &(NAME, "state"), PATIENCE, what)?;
        let body = answer.body();
        let state: OwnedValue = body.deserialize().map_err(|cause| Error::failed(what(), cause))?;
        Ok(match &*state {
            Value::Str(text) if text.as_str() == "RUNNING" => State::Running,
            _ => State::NotYet,
        })
    }

    /// `firewall-cmd --zone=ZONE --add-source=ADDRESS`. One that is there stays.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such zone, or the address is in another one.
    pub fn add_source(&self, zone: &ZoneName, address: IpAddr) -> Result<(), Error> {
        let what = || format!("add {} to zone \"{zone}\"", source(address));
        match self.zone_call("addSource", zone, address, what) {
            Err(error) if error.refusal() == Some(Refusal::AlreadySet) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// `firewall-cmd --zone=ZONE --remove-source=ADDRESS`. One that is in no zone is success.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such zone, or the address is in another one.
    pub fn remove_source(&self, zone: &ZoneName, address: IpAddr) -> Result<(), Error> {
        let what = || format!("remove {} from zone \"{zone}\"", source(address));
        match self.zone_call("removeSource", zone, address, what) {
            Err(error) if error.refusal() == Some(Refusal::UnknownSource) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// `firewall-cmd --zone=ZONE --query-source=ADDRESS`
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such zone.
    pub fn has_source(&self, zone: &ZoneName, address: IpAddr) -> Result<bool, Error> {
        let what = || format!("look for {} in zone \"{zone}\"", source(address));
        let answer = self.zone_call("querySource", zone, address, what)?;
        answer.body().deserialize().map_err(|cause| Error::failed(what(), cause))
    }

    fn zone_call(
        &self,
        name: &'static str,
        zone: &ZoneName,
        address: IpAddr,
        what: impl Fn() -> String,
    ) -> Result<Message, Error> {
        let interface = "org.fedoraproject.FirewallD1.zone";
        let method = Method { destination: NAME, path: PATH, interface, name };
        let body = (zone.as_str(), source(address));
        self.bus.call(method, &body, PATIENCE, what)
    }
}

/// An address as a source of a zone: `10.88.0.2/32`.
pub(super) fn source(address: IpAddr) -> String {
    format!("{address}/{}", IpVersion::of(address).bits())
}

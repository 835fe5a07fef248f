//! The system bus: where it is, and a connection to it with a runtime of its own.

use std::future::Future;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;
use zbus::connection::Builder;
use zbus::message::Message;

use super::error::Error;

/// Where the system bus is unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise.
const USUAL: &str = "unix:path=/run/dbus/system_bus_socket";
/// The bus itself answers at once; longer than this and it hangs.
const BUS_PATIENCE: Duration = Duration::from_secs(2);

/// A connection, driven by the calling thread while it waits.
pub(super) struct Bus {
    // Dropped before the runtime that its tasks run on.
    connection: zbus::Connection,
    runtime: Runtime,
}

/// A method of an object on the bus.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub(super) destination: &'static str,
    pub(super) path: &'static str,
    pub(super) interface: &'static str,
    pub(super) name: &'static str,
}

/// The address of the system bus; `None` if nothing listens there.
pub(super) fn address(configured: Option<&str>) -> Option<String> {
    let address = configured.filter(|text| !text.is_empty()).unwrap_or(USUAL);
    match socket_path(address) {
        Some(path) if !Path::new(path).exists() => None,
        Some(_) | None => Some(address.to_owned()),
    }
}

/// The socket's path, where the address is `unix:path=PATH`.
fn socket_path(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("unix:path=")?;
    // What is escaped is left to whoever connects.
    rest.split([',', ';']).next().filter(|path| !path.contains('%'))
}

impl Bus {
    /// Connects to the system bus, with a greeting in 2 s; `None` if there is none.
    pub(super) fn open() -> Result<Option<Self>, Error> {
        let configured = std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS");
        let configured = configured.map(|value| value.to_string_lossy().into_owned());
        match address(configured.as_deref()) {
            Some(address) => Bus::connect(&address),
            None => Ok(None),
        }
    }

    fn connect(address: &str) -> Result<Option<Self>, Error> {
        let failed = |cause: zbus::Error| Error::connect(address, cause);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| failed(error.into()))?;
        let greeting = async { Builder::address(address)?.build().await };
        let made = runtime.block_on(async { tokio::time::timeout(BUS_PATIENCE, greeting).await });
        match made {
            Ok(Ok(connection)) => Ok(Some(Bus { connection, runtime })),
            // The socket of a bus that has ended.
            Ok(Err(cause)) if is_nobody(&cause) => Ok(None),
            Ok(Err(cause)) => Err(failed(cause)),
            Err(_) => Err(Error::Hangs {
                whom: format!("the system bus at {address}"),
                seconds: BUS_PATIENCE.as_secs(),
            }),
        }
    }

    /// Whether somebody on the bus has this name: `NameHasOwner`.
    pub(super) fn has(&self, name: &'static str) -> Result<bool, Error> {
        const ASK: Method = Method {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            name: "NameHasOwner",
        };
        let what = || format!("ask whether {name} is on the system bus");
        let answer = self.call(ASK, &(name,), BUS_PATIENCE, what)?;
        answer.body().deserialize().map_err(|cause| Error::failed(what(), cause))
    }

    /// Calls a method and waits for its answer.
    pub(super) fn call<B>(
        &self,
        method: Method,
        body: &B,
        patience: Duration,
        what: impl Fn() -> String,
    ) -> Result<Message, Error>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let Method { destination, path, interface, name } = method;
        let call =
            self.connection.call_method(Some(destination), path, Some(interface), name, body);
        let answer = self.within(patience, call);
        let hangs = || Error::Hangs { whom: destination.to_owned(), seconds: patience.as_secs() };
        let answer = answer.ok_or_else(hangs)?;
        answer.map_err(|cause| Error::failed(what(), cause))
    }

    /// What comes of something that takes time; `None` when time is up.
    fn within<T>(&self, patience: Duration, work: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async { tokio::time::timeout(patience, work).await }).ok()
    }

    /// Waits as long as it takes.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn connection(&self) -> &zbus::Connection {
        &self.connection
    }
}

fn is_nobody(cause: &zbus::Error) -> bool {
    match cause {
        zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
        }
        _ => false,
    }
}

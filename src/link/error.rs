//! What can go wrong with links.

use std::net::IpAddr;

/// A failed reading or change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No rtnetlink socket.
    #[error("cannot open a route netlink socket")]
    Open(#[source] std::io::Error),
    /// There is no route.
    #[error("no route to {address}")]
    NoRoute {
        /// Where to.
        address: IpAddr,
    },
    /// The route could not be asked for.
    #[error("cannot ask for the route to {address}")]
    Route {
        /// Where to.
        address: IpAddr,
        /// Why.
        #[source]
        cause: rtnetlink::Error,
    },
    /// The answer names no interface.
    #[error("the route to {address} leads through no interface")]
    NoInterface {
        /// Where to.
        address: IpAddr,
    },
    /// A sysctl could not be read or written.
    #[error("cannot set sysctl {name}")]
    Sysctl {
        /// Its name, as sysctl(8) takes it.
        name: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

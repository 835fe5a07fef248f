//! What can go wrong with links.

use std::net::IpAddr;

use nix::errno::Errno;

use super::value::OperState;
use crate::net::IfName;
use crate::netlink::Refusal;

/// A failed reading or change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No rtnetlink socket.
    #[error("cannot open a route netlink socket")]
    Open(#[source] std::io::Error),
    /// A network namespace could not be entered.
    #[error("cannot enter the network namespace{}", missing_right(.0))]
    Enter(#[source] std::io::Error),
    /// The kernel refused a request.
    #[error("kernel refused {request}: {reason}")]
    Refused {
        /// The request, as ip(8) or bridge(8) takes it, without the word `ip`.
        request: String,
        /// Why.
        reason: Refusal,
    },
    /// The kernel is built without something that was asked for.
    #[error("{request}: this kernel lacks {feature}")]
    KernelLacks {
        /// The request, as ip(8) or bridge(8) takes it.
        request: String,
        /// What it lacks, by the name of the kernel's option.
        feature: &'static str,
    },
    /// The kernel sent no answer, or none that could be read.
    #[error("the kernel gave no answer to {request}")]
    NoAnswer {
        /// The request, as ip(8) takes it.
        request: String,
    },
    /// A list kept changing while it was read.
    #[error("{list} kept changing while it was read, {attempts} times")]
    Unsteady {
        /// The request, as ip(8) takes it.
        list: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The kernel's answer makes no sense.
    #[error("the kernel's answer makes no sense: {what}")]
    Malformed {
        /// What it is.
        what: &'static str,
    },
    /// There is no link of that name.
    #[error("Interface name {name} not found")]
    NoSuchLink {
        /// The name.
        name: IfName,
    },
    /// There is a link of the bridge's name, of another kind.
    #[error("\"{name}\" already exists but is not a bridge")]
    NotABridge {
        /// The name.
        name: IfName,
    },
    /// The name for the container's end of a veth pair is taken.
    #[error("container veth name (\"{name}\") peer provided (\"{peer}\") already exists")]
    VethExists {
        /// The name.
        name: IfName,
        /// What the host's end was to be called.
        peer: IfName,
    },
    /// No random number for a name.
    #[error("cannot draw a random number for a name")]
    Random(#[source] std::io::Error),
    /// Every name that was drawn was taken.
    #[error("no free name for a veth was found in {attempts} attempts")]
    NoFreeName {
        /// How many.
        attempts: u32,
    },
    /// Another host of the network has the address (duplicate address detection).
    #[error("address {address} of {link} is used by another host")]
    DuplicateAddress {
        /// The address.
        address: IpAddr,
        /// The link that it was given to.
        link: IfName,
    },
    /// Duplicate address detection did not come to an end.
    #[error("link {link} still has tentative addresses after {seconds} seconds")]
    StillTentative {
        /// The link.
        link: IfName,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A link that was set up cannot carry packets.
    #[error("bridge port in error state: {state}")]
    NotOperational {
        /// The link.
        link: IfName,
        /// What it is instead of up.
        state: OperState,
    },
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

/// Which right is missing, if that is the reason.
fn missing_right(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::PermissionDenied => " (CAP_SYS_ADMIN is missing)",
        _ => "",
    }
}

impl Error {
    pub(super) fn refused(request: String, reason: Refusal) -> Self {
        Error::Refused { request, reason }
    }

    /// Why the kernel refused, where it did.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Refused { reason, .. } => Some(Errno::from_raw(reason.errno)),
            Error::Open(cause)
            | Error::Enter(cause)
            | Error::Random(cause)
            | Error::Sysctl { cause, .. } => cause.raw_os_error().map(Errno::from_raw),
            Error::KernelLacks { .. }
            | Error::NoAnswer { .. }
            | Error::Unsteady { .. }
            | Error::Malformed { .. }
            | Error::NoSuchLink { .. }
            | Error::NotABridge { .. }
            | Error::VethExists { .. }
            | Error::NoFreeName { .. }
            | Error::DuplicateAddress { .. }
            | Error::StillTentative { .. }
            | Error::NotOperational { .. }
            | Error::NoRoute { .. }
            | Error::Route { .. }
            | Error::NoInterface { .. } => None,
        }
    }

    /// The same, naming the kernel's option where a request for a kind of links was refused since
    /// the kernel does not know the kind.
    pub(super) fn or_lacks(self, feature: &'static str) -> Self {
        match self {
            Error::Refused { request, reason }
                if reason.errno == Errno::EOPNOTSUPP as i32
                    && reason.extended.text.as_deref() == Some("Unknown device type") =>
            {
                Error::KernelLacks { request, feature }
            }
            other => other,
        }
    }

    /// Whether the kernel refused for this reason.
    #[must_use]
    pub fn is(&self, errno: Errno) -> bool {
        self.errno() == Some(errno)
    }
}

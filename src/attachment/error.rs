//! What can go wrong with an attachment.

use std::net::IpAddr;

use super::record::NetnsError;
use crate::firewalld;
use crate::link;
use crate::net::{Cidr, IfName, InvalidName, ZoneName};
use crate::nft;
use crate::ruleset;

/// What kind of fault an error is: what a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The kernel refused a change of the firewall.
    Firewall,
    /// The kernel refused a change of a link, or there is no route.
    Link,
    /// A host port is somebody else's.
    PortTaken,
    /// A table or chain is not what it should be, by another's hand.
    NotOurs,
    /// What is there is not what should be.
    Differs,
    /// The kernel lacks something.
    KernelLacks,
    /// Others were faster, again and again: the same call may succeed later.
    TryAgain,
    /// The container's network namespace cannot be opened.
    Netns,
    /// Reading or writing outside netlink failed.
    Io,
    /// The configuration names something that is not there.
    Configuration,
}

/// A failed operation. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nf_tables failed.
    #[error(transparent)]
    Nft(#[from] nft::Error),
    /// Planning or applying failed.
    #[error(transparent)]
    Ruleset(#[from] ruleset::Error),
    /// The lock of the network namespace could not be taken.
    #[error("cannot lock the network namespace")]
    Lock(#[source] std::io::Error),
    /// A host port is published by somebody else.
    #[error("host port {port} is already published by {owner}")]
    PortTaken {
        /// The port, e.g. `192.0.2.1:8080/tcp`.
        port: String,
        /// Who has it.
        owner: String,
    },
    /// The caller's own network namespace could not be opened.
    #[error("cannot open the network namespace of this process")]
    OwnNetns(#[source] std::io::Error),
    /// The bridge could not be made.
    #[error("failed to create bridge \"{bridge}\": {cause}")]
    Bridge {
        /// Its name.
        bridge: IfName,
        /// Why not.
        cause: link::Error,
    },
    /// The bridge has an address that is in the way of the gateway's.
    #[error(
        "failed to set bridge addr: \"{bridge}\" already has an IP address different from {wanted}"
    )]
    OtherGateway {
        /// The bridge.
        bridge: IfName,
        /// The gateway's.
        wanted: Cidr,
    },
    /// The bridge was there before, passes on frames of all VLANs, and others rely on it.
    #[error(
        "failed to create bridge \"{bridge}\": it is there and does not filter VLANs, and its port {port} is no container's; if that can bear it: ip link set {bridge} type bridge vlan_filtering 1"
    )]
    UnfilteredBridge {
        /// The bridge.
        bridge: IfName,
        /// One of those that rely on it.
        port: IfName,
    },
    /// A link, address or route is not what an ADD reported.
    #[error("{text}")]
    LinkDiffers {
        /// The difference.
        text: String,
    },
    /// Packets from 127.0.0.1 cannot be let through.
    #[error("cannot let 127.0.0.1 reach the container")]
    RouteLocalnet(#[source] link::Error),
    /// A link could not be read or changed. What was changed before stands.
    #[error(transparent)]
    Link(#[from] link::Error),
    /// A network namespace could not be opened.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// A name that no link can have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The loopback interface is not up.
    #[error("loopback interface is down")]
    LoopbackDown,
    /// The loopback interface has an address that is none of its own.
    #[error("loopback interface found with non-loopback address \"{address}\"")]
    ForeignLoopbackAddress {
        /// The address.
        address: IpAddr,
    },
    /// What is there is not what should be.
    #[error("the published ports are not as they should be")]
    Differs {
        /// The changes that would set it right, in nft syntax.
        plan: String,
    },
    /// What a container has of the firewall is not what it should have.
    #[error("the rules of the container are not as they should be")]
    RulesDiffer {
        /// The changes that would set it right, in nft syntax.
        plan: String,
    },
    /// An address or an interface is somebody else's.
    #[error("{element} is already claimed by {owner}")]
    Claimed {
        /// The element of the set that both want, in nft syntax.
        element: String,
        /// Who has it.
        owner: String,
    },
    /// firewalld, or the way to it, failed.
    #[error(transparent)]
    Firewalld(#[from] firewalld::Error),
    /// firewalld is asked for and does not run.
    #[error("firewalld is asked for as backend, and is not on the system bus")]
    NoFirewalld,
    /// An address is not where it should be.
    #[error("{address} is not a source of zone \"{zone}\" of firewalld")]
    NotInZone {
        /// Where it should be.
        zone: ZoneName,
        /// The address.
        address: IpAddr,
    },
    /// The chain that sets the mark is not there.
    #[error("chain {chain:?} of externalSetMarkChain is not in table {table}")]
    NoExternalChain {
        /// The chain.
        chain: String,
        /// Where it was looked for.
        table: String,
    },
    /// The chain does something else than set a mark.
    #[error(
        "chain {chain:?} of externalSetMarkChain in table {table} must have one rule that sets bits of the mark (-j MARK --set-xmark BITS/BITS), and it has not"
    )]
    NotAMarkChain {
        /// The chain.
        chain: String,
        /// Its table.
        table: String,
    },
    /// The chains of both families set different marks.
    #[error(
        "chain {chain:?} of externalSetMarkChain sets mark {v4} in table ip nat and {v6} in table ip6 nat; both must be the same"
    )]
    DifferentMarks {
        /// The chain.
        chain: String,
        /// IPv4's.
        v4: crate::net::Mark,
        /// IPv6's.
        v6: crate::net::Mark,
    },
}

impl Error {
    /// What kind of fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Error::Nft(error) => nft_fault(error),
            Error::Ruleset(error) => match error {
                ruleset::Error::Nft(error) => nft_fault(error),
                ruleset::Error::Conflict(_) => Fault::PortTaken,
                ruleset::Error::ForeignSet { .. } | ruleset::Error::ForeignChain { .. } => {
                    Fault::NotOurs
                }
                ruleset::Error::Contended { .. } => Fault::TryAgain,
            },
            Error::Lock(_) => Fault::Io,
            Error::PortTaken { .. } | Error::Claimed { .. } => Fault::PortTaken,
            Error::Link(error)
            | Error::RouteLocalnet(error)
            | Error::Bridge { cause: error, .. } => link_fault(error),
            Error::OtherGateway { .. }
            | Error::UnfilteredBridge { .. }
            | Error::ForeignLoopbackAddress { .. } => Fault::Link,
            Error::Netns(_) => Fault::Netns,
            Error::OwnNetns(_) => Fault::Io,
            Error::Name(_) => Fault::Configuration,
            Error::Firewalld(error) => firewalld_fault(error),
            Error::NoFirewalld => Fault::TryAgain,
            Error::NotInZone { .. } => Fault::Differs,
            Error::Differs { .. }
            | Error::RulesDiffer { .. }
            | Error::LinkDiffers { .. }
            | Error::LoopbackDown => Fault::Differs,
            Error::NoExternalChain { .. }
            | Error::NotAMarkChain { .. }
            | Error::DifferentMarks { .. } => Fault::Configuration,
        }
    }
}

fn firewalld_fault(error: &firewalld::Error) -> Fault {
    match error {
        firewalld::Error::Refused { refusal, .. } => match refusal {
            firewalld::Refusal::NoSuchZone => Fault::Configuration,
            firewalld::Refusal::OtherZone => Fault::NotOurs,
            firewalld::Refusal::AlreadySet
            | firewalld::Refusal::UnknownSource
            | firewalld::Refusal::Other => Fault::Firewall,
        },
        firewalld::Error::Hangs { .. } | firewalld::Error::Lost => Fault::TryAgain,
        firewalld::Error::Connect { .. }
        | firewalld::Error::NotAllowed { .. }
        | firewalld::Error::Call { .. } => Fault::Io,
    }
}

fn link_fault(error: &link::Error) -> Fault {
    match error {
        link::Error::KernelLacks { .. } => Fault::KernelLacks,
        link::Error::Unsteady { .. } => Fault::TryAgain,
        link::Error::Enter(_) => Fault::Netns,
        link::Error::Open(_)
        | link::Error::Refused { .. }
        | link::Error::NoAnswer { .. }
        | link::Error::Malformed { .. }
        | link::Error::NoSuchLink { .. }
        | link::Error::NotABridge { .. }
        | link::Error::VethExists { .. }
        | link::Error::Random(_)
        | link::Error::NoFreeName { .. }
        | link::Error::DuplicateAddress { .. }
        | link::Error::StillTentative { .. }
        | link::Error::NotOperational { .. }
        | link::Error::NoRoute { .. }
        | link::Error::Route { .. }
        | link::Error::NoInterface { .. }
        | link::Error::Sysctl { .. } => Fault::Link,
    }
}

fn nft_fault(error: &nft::Error) -> Fault {
    let lacks = |change: &nft::RefusedChange| change.missing_feature().is_some();
    match error {
        nft::Error::Unsupported { .. } => Fault::KernelLacks,
        nft::Error::Refused(changes) if changes.iter().any(lacks) => Fault::KernelLacks,
        nft::Error::NotPermitted | nft::Error::Refused(_) | nft::Error::Netlink(_) => {
            Fault::Firewall
        }
        nft::Error::Unsteady { .. } => Fault::TryAgain,
    }
}

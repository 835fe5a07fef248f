//! What can go wrong with an attachment.

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
    /// Reading or writing outside netlink failed.
    Io,
    /// The configuration names something that is not there.
    Configuration,
    /// The container's network namespace is none.
    Netns,
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
    /// A link, address or route could not be read or changed.
    #[error(transparent)]
    Link(#[from] crate::link::Error),
    /// The container's network namespace could not be opened.
    #[error(transparent)]
    Netns(#[from] super::NetnsError),
    /// The caller's own network namespace could not be opened.
    #[error("cannot open the network namespace of this process")]
    OwnNetns(#[source] std::io::Error),
    /// A name that is made of others is none.
    #[error(transparent)]
    Name(#[from] crate::net::InvalidName),
    /// The other end of a pair is not where it was put.
    #[error("the other end of {link} was not found")]
    NoPeer {
        /// The end that is there.
        link: crate::net::IfName,
    },
    /// The bridge has an address that is in the way of the gateway's.
    #[error(
        "failed to set bridge addr: \"{bridge}\" already has an IP address different from {wanted}"
    )]
    OtherGateway {
        /// The bridge.
        bridge: crate::net::IfName,
        /// The gateway's.
        wanted: crate::net::Cidr,
    },
    /// A link, address or route is not what an ADD reported.
    #[error("{text}")]
    LinkDiffers {
        /// The difference.
        text: String,
    },
    /// Packets from 127.0.0.1 cannot be let through.
    #[error("cannot let 127.0.0.1 reach the container")]
    RouteLocalnet(#[source] crate::link::Error),
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
            Error::Link(error) | Error::RouteLocalnet(error) => link_fault(error),
            Error::NoPeer { .. } | Error::OtherGateway { .. } => Fault::Link,
            Error::Netns(_) => Fault::Netns,
            Error::OwnNetns(_) => Fault::Io,
            Error::Name(_) => Fault::Configuration,
            Error::Differs { .. } | Error::RulesDiffer { .. } | Error::LinkDiffers { .. } => {
                Fault::Differs
            }
            Error::NoExternalChain { .. }
            | Error::NotAMarkChain { .. }
            | Error::DifferentMarks { .. } => Fault::Configuration,
        }
    }
}

fn link_fault(error: &crate::link::Error) -> Fault {
    match error {
        crate::link::Error::KernelLacks { .. } => Fault::KernelLacks,
        crate::link::Error::Unsteady { .. } => Fault::TryAgain,
        _ => Fault::Link,
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

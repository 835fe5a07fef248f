//! What is wanted: published ports of one container on one network, in the caller's terms.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::class::{Class, MarkClass, Masquerader, Place, Rank, Reach, Source};
use crate::net::{IpVersion, L4Proto, Mark, Port, Subnet};
use crate::nft::Expr;
use crate::ruleset::Owner;
pub use crate::xtables::Error as InvalidCondition;

/// One published port of one IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publish {
    /// The host's address that it is published on; `None` for all.
    pub host_address: Option<IpAddr>,
    /// The host's port.
    pub host_port: Port,
    /// The protocol.
    pub proto: L4Proto,
    /// The container's address.
    pub container: IpAddr,
    /// The container's port.
    pub container_port: Port,
}

impl Publish {
    /// IPv4 or IPv6: that of the container's address.
    #[must_use]
    pub fn version(&self) -> IpVersion {
        IpVersion::of(self.container)
    }

    pub(super) fn reach(&self) -> Reach {
        if self.host_address.is_some() { Reach::OneAddress } else { Reach::AnyAddress }
    }
}

impl std::fmt::Display for Publish {
    /// The host's side: `8080/tcp`, `192.0.2.1:8080/tcp`, `[2001:db8::1]:8080/tcp`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host_address {
            Some(IpAddr::V4(address)) => write!(f, "{address}:")?,
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            None => {}
        }
        write!(f, "{}/{}", self.host_port, self.proto)
    }
}

/// Whose packets to the published ports are masqueraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masquerading {
    /// Nobody's (`snat: false`).
    Never,
    /// Those from the container's own networks, and from 127.0.0.1 of the host.
    Hairpin(Vec<Subnet>),
    /// Everybody's (`masqAll`).
    Always,
}

/// The mark by which packets are masqueraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkTarget {
    /// The mark.
    pub mark: Mark,
    /// Who masquerades packets that bear it.
    pub masquerader: Masquerader,
}

/// Under which conditions ports of one version and protocol are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The version that they are for.
    pub version: IpVersion,
    /// The protocol that they are for.
    pub proto: L4Proto,
    /// The matches.
    pub exprs: Vec<Expr>,
    /// The words that they were translated from.
    pub words: Vec<String>,
}

impl Conditions {
    /// Reads conditions in iptables words, e.g. `["!", "-s", "198.51.100.0/24"]`, as they stand
    /// behind `-p PROTO` in a rule.
    ///
    /// # Errors
    /// [`InvalidCondition`] naming the word that has no meaning or no native form.
    pub fn from_words(
        words: &[String],
        version: IpVersion,
        proto: L4Proto,
    ) -> Result<Self, InvalidCondition> {
        let exprs = crate::xtables::conditions_for(words, version, Some(proto))?;
        Ok(Conditions { version, proto, exprs, words: words.to_vec() })
    }
}

/// Published ports of one container on one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostports {
    /// Whose they are.
    pub owner: Owner,
    /// Whether they are in use, or stand by for another attachment of the same container.
    pub rank: Rank,
    /// The ports.
    pub publishes: Vec<Publish>,
    /// Who is masqueraded.
    pub masquerading: Masquerading,
    /// How.
    pub mark: MarkTarget,
    /// Under which conditions; none for a version and protocol means always.
    pub conditions: Vec<Conditions>,
}

impl Hostports {
    /// Which maps a port of these is in.
    pub(super) fn place(&self, publish: &Publish) -> Place {
        Place { reach: publish.reach(), rank: self.rank }
    }

    pub(super) fn conditions_of(&self, publish: &Publish) -> Option<&Conditions> {
        self.conditions.iter().find(|c| c.version == publish.version() && c.proto == publish.proto)
    }

    pub(super) fn has_conditions(&self) -> bool {
        self.publishes.iter().any(|publish| self.conditions_of(publish).is_some())
    }

    /// The sources to be masqueraded on their way to a port; `None` stands for all.
    pub(super) fn sources(&self, publish: &Publish) -> Vec<Option<Subnet>> {
        match &self.masquerading {
            Masquerading::Never => vec![],
            Masquerading::Always => vec![None],
            Masquerading::Hairpin(subnets) => {
                let own = subnets.iter().copied().filter(|s| s.version() == publish.version());
                let mut all: BTreeSet<Subnet> = own.collect();
                if publish.version() == IpVersion::V4 {
                    all.insert(Subnet::host(IpAddr::V4(Ipv4Addr::LOCALHOST)));
                }
                all.into_iter().map(Some).collect()
            }
        }
    }

    pub(super) fn mark_class(&self, publish: &Publish, source: Option<Subnet>) -> MarkClass {
        MarkClass {
            version: publish.version(),
            place: self.place(publish),
            source: source.map_or(Source::Any, |subnet| Source::Prefix(subnet.prefix())),
            mark: self.mark.mark,
            masquerader: self.mark.masquerader,
        }
    }

    /// The classes that these ports need.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<Class> {
        let mut classes = BTreeSet::new();
        for publish in &self.publishes {
            let place = self.place(publish);
            if self.conditions_of(publish).is_some() {
                classes.insert(Class::Conditional(publish.version(), place));
            } else if self.rank != Rank::FIRST {
                classes.insert(Class::Standby(publish.version(), place));
            }
            // Of conditional ports too, although their marks stand in a chain of their own: by the
            // sets that exist the next container knows which marks are in use.
            for source in self.sources(publish) {
                classes.insert(Class::Mark(self.mark_class(publish, source)));
            }
        }
        classes
    }

    /// The marks whose chains these ports need, with who masquerades.
    pub(super) fn marks(&self) -> BTreeSet<(Mark, Masquerader)> {
        let wanted = self.publishes.iter().any(|publish| !self.sources(publish).is_empty());
        wanted.then_some((self.mark.mark, self.mark.masquerader)).into_iter().collect()
    }
}

//! Classes: the sets that come into being when a container first needs them.
//!
//! Which classes exist can be read off the names of the sets, so that what one container adds
//! keeps the rules that another one needs.

use crate::net::{IpVersion, Mark};
use crate::nft::Name;

/// Whether a port is published on one address of the host, or on all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// On one address; looked up first, since it is the more specific.
    HostAddress,
    /// On every local address.
    AnyAddress,
}

/// Whose packets to a published port are masqueraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Those from a network with a prefix of this length.
    Prefix(u8),
    /// Everybody's (`masqAll`).
    Any,
}

/// Who masquerades packets with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Masquerader {
    /// Our chain `CNI-HOSTPORT-MASQ`.
    Ours,
    /// Somebody else: the mark is that of an `externalSetMarkChain`.
    External,
}

/// A set of (source network, port) whose packets get a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkClass {
    /// Of IPv4 or IPv6.
    pub version: IpVersion,
    /// With the host's address in the key, or not.
    pub scope: Scope,
    /// Whose packets.
    pub source: Source,
    /// Which mark.
    pub mark: Mark,
    /// For whom.
    pub masquerader: Masquerader,
}

/// A set that exists only where it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Ports published under conditions.
    Conditional(IpVersion, Scope),
    /// Sources to be marked.
    Mark(MarkClass),
}

impl MarkClass {
    /// The name of its set, e.g. `hairpin4_16`, `masquerade_all6_hostip`, `hairpin4_32_mark20`.
    #[must_use]
    pub fn set_name(&self) -> Name {
        let digit = self.version.digit();
        let mut name = match self.source {
            Source::Prefix(prefix) => format!("hairpin{digit}_{prefix}"),
            Source::Any => format!("masquerade_all{digit}"),
        };
        if self.scope == Scope::HostAddress {
            name.push_str("_hostip");
        }
        match self.masquerader {
            Masquerader::Ours if self.mark == Mark::PORTMAP_DEFAULT => {}
            Masquerader::Ours => name.push_str(&format!("_mark{:x}", self.mark.bits())),
            Masquerader::External => name.push_str(&format!("_extmark{:x}", self.mark.bits())),
        }
        Name::new(name).unwrap_or_else(|_| Name::literal("hairpin"))
    }

    fn parse(name: &str) -> Option<Self> {
        let (rest, any) = match name.strip_prefix("hairpin") {
            Some(rest) => (rest, false),
            None => (name.strip_prefix("masquerade_all")?, true),
        };
        let mut parts = rest.split('_');
        let version = version(parts.next()?)?;
        let source = if any {
            Source::Any
        } else {
            let prefix = parts.next()?.parse().ok()?;
            (prefix <= version.bits()).then_some(Source::Prefix(prefix))?
        };
        let mut class = MarkClass {
            version,
            scope: Scope::AnyAddress,
            source,
            mark: Mark::PORTMAP_DEFAULT,
            masquerader: Masquerader::Ours,
        };
        for part in parts {
            let (masquerader, hex) = match (part, part.strip_prefix("mark")) {
                ("hostip", _) => {
                    class.scope = Scope::HostAddress;
                    continue;
                }
                (_, Some(hex)) => (Masquerader::Ours, hex),
                (_, None) => (Masquerader::External, part.strip_prefix("extmark")?),
            };
            class.masquerader = masquerader;
            class.mark = Mark::from_bits(u32::from_str_radix(hex, 16).ok()?)?;
        }
        Some(class)
    }
}

impl Class {
    /// The class whose set has this name, if it is one's.
    #[must_use]
    pub fn of_set(name: &str) -> Option<Self> {
        let conditional = [IpVersion::V4, IpVersion::V6]
            .into_iter()
            .flat_map(|v| [(v, Scope::HostAddress), (v, Scope::AnyAddress)])
            .find(|(v, s)| super::names::conditional_ports(*v, *s).as_str() == name);
        match conditional {
            Some((version, scope)) => Some(Class::Conditional(version, scope)),
            None => MarkClass::parse(name).map(Class::Mark),
        }
    }
}

fn version(digit: &str) -> Option<IpVersion> {
    match digit {
        "4" => Some(IpVersion::V4),
        "6" => Some(IpVersion::V6),
        _ => None,
    }
}

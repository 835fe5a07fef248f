//! Classes: the sets that come into being when a container first needs them.
//!
//! Which classes exist can be read off the names of the sets, so that what one container adds
//! keeps the rules that another one needs.

use crate::net::{IpVersion, Mark};
use crate::nft::Name;

/// Whether a port is published on one address of the host, or on all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// On one address; looked up first, since it is the more specific.
    OneAddress,
    /// On every local address.
    AnyAddress,
}

/// How near the front an attachment's ports are looked up.
///
/// A container on several networks publishes the same ports on each. The first attachment has
/// them; those of the others stand by in maps of their own, and have them as soon as it goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(u8);

impl Rank {
    /// The one whose ports are in use.
    pub const FIRST: Rank = Rank(0);
    /// How many attachments of one container may have the same port.
    const MANY: u8 = 8;

    /// All, from the first on.
    pub fn all() -> impl Iterator<Item = Rank> {
        (0..Rank::MANY).map(Rank)
    }

    /// What the names of its sets end in.
    #[must_use]
    pub fn suffix(self) -> String {
        if self == Rank::FIRST { String::new() } else { format!("_standby{}", self.0) }
    }

    fn parse(number: &str) -> Option<Self> {
        let rank = number.parse().ok()?;
        (1..Rank::MANY).contains(&rank).then_some(Rank(rank))
    }

    /// Takes the suffix off a name.
    fn split(name: &str) -> Option<(&str, Rank)> {
        match name.split_once("_standby") {
            Some((name, number)) => Some((name, Rank::parse(number)?)),
            None => Some((name, Rank::FIRST)),
        }
    }
}

/// Which maps a published port is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// With the host's address in the key, or not.
    pub reach: Reach,
    /// In use, or standing by.
    pub rank: Rank,
}

impl Place {
    /// All of a rank, in the order of lookup: the more specific first.
    #[must_use]
    pub fn of_rank(rank: Rank) -> [Place; 2] {
        [Reach::OneAddress, Reach::AnyAddress].map(|reach| Place { reach, rank })
    }

    /// The map of published ports that has this name: its version and place, and whether its ports
    /// are published under conditions.
    #[must_use]
    pub fn of_map(name: &str) -> Option<(IpVersion, Place, bool)> {
        let (name, rank) = Rank::split(name)?;
        let (name, is_conditional) = match name.strip_prefix("conditional_") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (reach, digit) = match (name.strip_prefix("hostip_ports"), is_conditional) {
            (Some(digit), _) => (Reach::OneAddress, digit),
            (None, true) => (Reach::AnyAddress, name.strip_prefix("ports")?),
            (None, false) => (Reach::AnyAddress, name.strip_prefix("hostports")?),
        };
        Some((version(digit)?, Place { reach, rank }, is_conditional))
    }
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
    /// Beside which maps.
    pub place: Place,
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
    /// Ports that stand by.
    Standby(IpVersion, Place),
    /// Ports published under conditions.
    Conditional(IpVersion, Place),
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
        if self.place.reach == Reach::OneAddress {
            name.push_str("_hostip");
        }
        match self.masquerader {
            Masquerader::Ours if self.mark == Mark::PORTMAP_DEFAULT => {}
            Masquerader::Ours => name.push_str(&format!("_mark{:x}", self.mark.bits())),
            Masquerader::External => name.push_str(&format!("_extmark{:x}", self.mark.bits())),
        }
        name.push_str(&self.place.rank.suffix());
        Name::new(name).unwrap_or_else(|_| Name::literal("hairpin"))
    }

    fn parse(name: &str) -> Option<Self> {
        let (name, rank) = Rank::split(name)?;
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
            place: Place { reach: Reach::AnyAddress, rank },
            source,
            mark: Mark::PORTMAP_DEFAULT,
            masquerader: Masquerader::Ours,
        };
        for part in parts {
            let (masquerader, hex) = match (part, part.strip_prefix("mark")) {
                ("hostip", _) => {
                    class.place.reach = Reach::OneAddress;
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
        match Place::of_map(name) {
            Some((version, place, true)) => Some(Class::Conditional(version, place)),
            Some((_, Place { rank: Rank::FIRST, .. }, false)) => None,
            Some((version, place, false)) => Some(Class::Standby(version, place)),
            None => MarkClass::parse(name).map(Class::Mark),
        }
    }

    /// Its rank.
    #[must_use]
    pub fn rank(&self) -> Rank {
        match self {
            Class::Standby(_, place) | Class::Conditional(_, place) => place.rank,
            Class::Mark(class) => class.place.rank,
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

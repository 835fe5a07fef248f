//! The transport protocols whose ports can be published.

use std::fmt;
use std::str::FromStr;

/// A transport protocol with ports.
///
/// Numbers are IANA's "Assigned Internet Protocol Numbers"; names are nft's (`meta l4proto tcp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum L4Proto {
    /// TCP, protocol number 6.
    Tcp,
    /// UDP, protocol number 17.
    Udp,
    /// SCTP, protocol number 132.
    Sctp,
    /// DCCP, protocol number 33.
    Dccp,
    /// UDP-Lite, protocol number 136.
    UdpLite,
}

impl L4Proto {
    /// Every protocol that can be published.
    pub const ALL: [L4Proto; 5] =
        [L4Proto::Tcp, L4Proto::Udp, L4Proto::Sctp, L4Proto::Dccp, L4Proto::UdpLite];

    /// The IANA protocol number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            L4Proto::Tcp => 6,
            L4Proto::Udp => 17,
            L4Proto::Sctp => 132,
            L4Proto::Dccp => 33,
            L4Proto::UdpLite => 136,
        }
    }

    /// The protocol with an IANA number, if it is one of these.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        L4Proto::ALL.into_iter().find(|proto| proto.number() == number)
    }

    /// The name as nft, iptables and `/etc/protocols` spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            L4Proto::Tcp => "tcp",
            L4Proto::Udp => "udp",
            L4Proto::Sctp => "sctp",
            L4Proto::Dccp => "dccp",
            L4Proto::UdpLite => "udplite",
        }
    }
}

impl fmt::Display for L4Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word is not a protocol whose ports can be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown protocol {word:?}: expected tcp, udp, sctp, dccp or udplite")]
pub struct UnknownProtocol {
    /// What was given.
    pub word: String,
}

impl FromStr for L4Proto {
    type Err = UnknownProtocol;

    /// Reads a protocol name, upper or lower case: Kubernetes writes `TCP`, CNI `tcp`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        L4Proto::ALL
            .into_iter()
            .find(|proto| proto.name().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownProtocol { word: word.to_owned() })
    }
}

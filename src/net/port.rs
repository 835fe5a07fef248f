//! A transport port that can be published or reached.

use std::fmt;
use std::num::NonZeroU16;

/// A TCP, UDP, SCTP, DCCP or UDP-Lite port, 1 to 65,535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

/// Not a port; the number is kept for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{number} is not a port: expected 1 to 65535")]
pub struct InvalidPort {
    /// What was given.
    pub number: i64,
}

impl Port {
    /// The port as a number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<i64> for Port {
    type Error = InvalidPort;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u16::try_from(number).ok().and_then(NonZeroU16::new).map(Port).ok_or(InvalidPort { number })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

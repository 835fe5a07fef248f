//! VLANs of IEEE 802.1Q.

use std::fmt;

/// The number of a VLAN: 1 to 4094. 0 and 4095 are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(u16);

/// A number that no VLAN has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid VLAN ID {number} (must be between 0 and 4094)")]
pub struct InvalidVlanId {
    /// What was given.
    pub number: i64,
}

impl VlanId {
    /// The one that untagged frames belong to where nothing else is said: 1.
    pub const DEFAULT: VlanId = VlanId(1);

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl TryFrom<i64> for VlanId {
    type Error = InvalidVlanId;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match u16::try_from(number) {
            Ok(id @ 1..=4094) => Ok(VlanId(id)),
            Ok(_) | Err(_) => Err(InvalidVlanId { number }),
        }
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// VLANs from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanRange {
    first: VlanId,
    last: VlanId,
}

impl VlanRange {
    /// The VLANs from `first` to `last`; `None` if they are the wrong way round.
    #[must_use]
    pub fn new(first: VlanId, last: VlanId) -> Option<Self> {
        (first <= last).then_some(VlanRange { first, last })
    }

    /// The first.
    #[must_use]
    pub fn first(self) -> VlanId {
        self.first
    }

    /// The last.
    #[must_use]
    pub fn last(self) -> VlanId {
        self.last
    }
}

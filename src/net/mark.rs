//! Packet marks: the bits by which one chain tells another that a packet wants masquerading.

use std::fmt;

/// One or more bits of the packet mark (`meta mark`, `skb->mark`), set and tested together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u32);

impl Mark {
    /// Bit 13, `0x2000`: what the CNI portmap plugin has always used.
    pub const PORTMAP_DEFAULT: Mark = Mark(1 << 13);

    /// Bit 12, `0x1000`: a forwarded packet that was accepted. kube-proxy has bits 14 and 15, the
    /// portmap plugin bit 13, Calico and Cilium what lies above 15 and between 8 and 11.
    pub const ACCEPTED: Mark = Mark(1 << 12);

    /// The mark of one bit, 0 to 31 (`markMasqBit`).
    ///
    /// # Errors
    /// [`InvalidMarkBit`] when the bit is not in a 32-bit mark.
    pub fn bit(bit: i64) -> Result<Self, InvalidMarkBit> {
        match u32::try_from(bit) {
            Ok(bit @ 0..=31) => Ok(Mark(1 << bit)),
            Ok(_) | Err(_) => Err(InvalidMarkBit { bit }),
        }
    }

    /// The mark with these bits; `None` when there are none.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits != 0).then_some(Mark(bits))
    }

    /// The bits as a mask.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A mark has bits 0 to 31; the text is the portmap plugin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("MasqMarkBit must be between 0 and 31")]
pub struct InvalidMarkBit {
    /// The bit that was asked for.
    pub bit: i64,
}

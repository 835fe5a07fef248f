//! Registers: where expressions leave values for each other.

/// A data register: 1 to 4 of 16 bytes each (`NFT_REG_1`…), or 8 to 23 of 4 bytes each
/// (`NFT_REG32_00`…), which are the same sixteen words. 0 is the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(pub u32);

impl Register {
    /// The verdict register.
    pub const VERDICT: Register = Register(0);
    /// The first data register.
    pub const R1: Register = Register(1);

    /// The register `index` 4-byte words behind the first, 0 to 15, numbered as the kernel lists
    /// it: the first word of each 16 bytes by the long register's number.
    #[must_use]
    pub fn word(index: u32) -> Self {
        if index.is_multiple_of(4) { Register(index / 4 + 1) } else { Register(index + 8) }
    }

    /// How many 4-byte words it is behind the first.
    #[must_use]
    pub fn index(self) -> u32 {
        if self.0 >= 8 { self.0 - 8 } else { self.0.saturating_sub(1) * 4 }
    }
}

//! A checksum that grows with what it is of: four lanes of multiplications, so that a megabyte
//! takes some ten microseconds. It finds what was cut off or overwritten, not what was forged.

/// Bytes that are taken in at a time; everything that is summed is a multiple of it.
pub(super) const BLOCK: usize = 32;

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum of all blocks so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(pub(super) [u64; 4]);

impl Digest {
    /// That of nothing.
    pub(super) fn new() -> Self {
        Digest([1, 2, 3, 4])
    }

    /// That of some bytes. What is left behind the last whole block is filled up with zeros.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut digest = Digest::new();
        digest.extend(bytes);
        digest
    }

    /// Takes in what follows.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        blocks.iter().for_each(|block| self.take(block));
        if !rest.is_empty() {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.take(&last);
        }
    }

    fn take(&mut self, block: &[u8; BLOCK]) {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in self.0.iter_mut().zip(words) {
            *lane = (*lane ^ u64::from_ne_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
}

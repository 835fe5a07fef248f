//! A C structure of the kernel, read field after field with the alignment of the C ABI.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::Flaw;
use crate::net::IpVersion;

/// The structure of one module, and what tells its layout.
#[derive(Debug, Clone)]
pub(super) struct Info<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The revision of the layout.
    pub(super) revision: u32,
    /// The family of the rule, which says what a `union nf_inet_addr` holds.
    pub(super) version: IpVersion,
}

impl<'a> Info<'a> {
    /// Starts at the first field.
    pub(super) fn new(bytes: &'a [u8], revision: u32, version: IpVersion) -> Self {
        Info { bytes, at: 0, revision, version }
    }

    /// `__u8[n]`
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Flaw> {
        let end = self.at.checked_add(count).ok_or(Flaw::Short)?;
        let field = self.bytes.get(self.at..end).ok_or(Flaw::Short)?;
        self.at = end;
        Ok(field)
    }

    /// Fields of no interest, with their padding.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Flaw> {
        self.bytes(count).map(|_| ())
    }

    /// Goes to the next multiple of a field's alignment.
    pub(super) fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn aligned<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        self.align(N);
        self.bytes(N)?.try_into().map_err(|_| Flaw::Short)
    }

    /// `__u8`
    pub(super) fn u8(&mut self) -> Result<u8, Flaw> {
        self.aligned().map(u8::from_ne_bytes)
    }

    /// `__u16`
    pub(super) fn u16(&mut self) -> Result<u16, Flaw> {
        self.aligned().map(u16::from_ne_bytes)
    }

    /// `__u32`
    pub(super) fn u32(&mut self) -> Result<u32, Flaw> {
        self.aligned().map(u32::from_ne_bytes)
    }

    /// `__u64`, aligned to 8 bytes.
    pub(super) fn u64(&mut self) -> Result<u64, Flaw> {
        self.aligned().map(u64::from_ne_bytes)
    }

    /// `__be16`
    pub(super) fn be16(&mut self) -> Result<u16, Flaw> {
        self.aligned().map(u16::from_be_bytes)
    }

    /// `__be32`
    pub(super) fn be32(&mut self) -> Result<u32, Flaw> {
        self.aligned().map(u32::from_be_bytes)
    }

    /// `int` or a byte that is 0 for false.
    pub(super) fn truth(&mut self) -> Result<bool, Flaw> {
        Ok(self.u8()? != 0)
    }

    /// `__u16[2]`: the ends of a range.
    pub(super) fn u16_range(&mut self) -> Result<(u16, u16), Flaw> {
        Ok((self.u16()?, self.u16()?))
    }

    /// `__u32[2]`: the ends of a range.
    pub(super) fn u32_range(&mut self) -> Result<(u32, u32), Flaw> {
        Ok((self.u32()?, self.u32()?))
    }

    /// `char[n]`, up to its NUL.
    pub(super) fn text(&mut self, count: usize) -> Result<&'a str, Flaw> {
        let bytes = self.bytes(count)?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(text).map_err(|_| Flaw::Text)
    }

    /// `struct in_addr`
    pub(super) fn in_addr(&mut self) -> Result<IpAddr, Flaw> {
        Ok(Ipv4Addr::from(self.be32()?).into())
    }

    /// `union nf_inet_addr`: 16 bytes whatever it holds.
    pub(super) fn inet_addr(&mut self) -> Result<IpAddr, Flaw> {
        self.align(4);
        let bytes = self.bytes(16)?;
        match self.version {
            IpVersion::V4 => {
                let four: [u8; 4] = bytes[..4].try_into().map_err(|_| Flaw::Short)?;
                Ok(Ipv4Addr::from(four).into())
            }
            IpVersion::V6 => {
                let all: [u8; 16] = bytes.try_into().map_err(|_| Flaw::Short)?;
                Ok(Ipv6Addr::from(all).into())
            }
        }
    }
}

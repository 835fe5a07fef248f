//! Targets that translate addresses: `DNAT`, `SNAT`, `MASQUERADE`, `REDIRECT`, `NETMAP`.
//!
//! IPv4 has a list of ranges of which only one place was ever filled
//! (`nf_nat_ipv4_multi_range_compat`); IPv6 has `nf_nat_range`; `DNAT` of revision 2 has
//! `nf_nat_range2` for both, with the port that a shifted range counts from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, joined, known};
use super::text::{address, prefix};
use crate::net::IpVersion;

const ADDRESSES: u32 = 1;
const PORTS: u32 = 1 << 1;
const RANDOM: u32 = 1 << 2;
const PERSISTENT: u32 = 1 << 3;
const RANDOM_FULLY: u32 = 1 << 4;
const OFFSET: u32 = 1 << 5;
const NETMAP: u32 = 1 << 6;

/// In the order in which they are printed.
const FLAGS: &[(u32, &str)] =
    &[(RANDOM, "--random"), (RANDOM_FULLY, "--random-fully"), (PERSISTENT, "--persistent")];

struct Range {
    flags: u32,
    addresses: (IpAddr, IpAddr),
    ports: (u16, u16),
    base: u16,
}

impl Range {
    fn read(info: &mut Info<'_>) -> Result<Self, Flaw> {
        let multiple = info.revision == 0 && info.version == IpVersion::V4;
        if multiple && info.u32()? != 1 {
            return Err(Flaw::Value);
        }
        let flags = info.u32()?;
        let mut address = || if multiple { info.in_addr() } else { info.inet_addr() };
        let addresses = (address()?, address()?);
        let ports = (info.be16()?, info.be16()?);
        let base = if info.revision == 2 { info.be16()? } else { 0 };
        known(flags, ADDRESSES | PORTS | RANDOM | PERSISTENT | RANDOM_FULLY | OFFSET | NETMAP)?;
        if flags & OFFSET != 0 && info.revision != 2 {
            return Err(Flaw::Value);
        }
        Ok(Range { flags, addresses, ports, base })
    }

    /// `172.17.0.2-172.17.0.9:80-90`, `[2001:db8::2]:80`, `:8080`, `172.17.0.2:80-90/8080`
    fn text(&self) -> String {
        let mut text = String::new();
        if self.flags & ADDRESSES != 0 {
            let (low, high) = self.addresses;
            text = joined((address(low), address(high)), '-');
            if low.is_ipv6() && self.flags & PORTS != 0 {
                text = format!("[{text}]");
            }
        }
        if self.flags & PORTS != 0 {
            text = format!("{text}:{}", joined(self.ports, '-'));
            if self.flags & OFFSET != 0 {
                text = format!("{text}/{}", self.base);
            }
        }
        text
    }

    fn words(&self, option: &str) -> Result<Words, Flaw> {
        known(self.flags, !NETMAP)?;
        let mut words = Words::new();
        if self.flags & (ADDRESSES | PORTS) != 0 {
            words.put(false, option, self.text());
        }
        words.flags(self.flags & (RANDOM | RANDOM_FULLY | PERSISTENT), FLAGS)?;
        Ok(words)
    }
}

/// `DNAT` in its three revisions.
pub(super) fn dnat(info: &mut Info<'_>) -> Result<Words, Flaw> {
    Range::read(info)?.words("--to-destination")
}

/// `SNAT`: revision 0 for IPv4, 1 for IPv6.
pub(super) fn snat(info: &mut Info<'_>) -> Result<Words, Flaw> {
    Range::read(info)?.words("--to-source")
}

/// `MASQUERADE` and `REDIRECT`, which have ports only.
pub(super) fn to_ports(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let range = Range::read(info)?;
    known(range.flags, PORTS | RANDOM | RANDOM_FULLY)?;
    let mut words = Words::new();
    if range.flags & PORTS != 0 {
        words.put(false, "--to-ports", joined(range.ports, '-'));
    }
    words.flags(range.flags & (RANDOM | RANDOM_FULLY), FLAGS)?;
    Ok(words)
}

/// `NETMAP`: the first and the last address of a network.
pub(super) fn netmap(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let range = Range::read(info)?;
    known(range.flags, ADDRESSES | NETMAP)?;
    let mask = match range.addresses {
        (IpAddr::V4(low), IpAddr::V4(high)) => {
            IpAddr::V4(Ipv4Addr::from_bits(!(low.to_bits() ^ high.to_bits())))
        }
        (IpAddr::V6(low), IpAddr::V6(high)) => {
            IpAddr::V6(Ipv6Addr::from_bits(!(low.to_bits() ^ high.to_bits())))
        }
        _ => return Err(Flaw::Value),
    };
    let low = address(range.addresses.0);
    let mut words = Words::new();
    match prefix(mask) {
        Some(length) => words.put(false, "--to", format_args!("{low}/{length}")),
        None => words.put(false, "--to", format_args!("{low}/{}", address(mask))),
    }
    Ok(words)
}

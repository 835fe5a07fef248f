//! Addresses and networks: `192.0.2.1`, `10/8`, `10.0.0.0/255.0.255.0`, `2001:db8::/32`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Error;
use super::field::{REGISTER, equal, masked, network};
use super::interval::{Interval, in_set};
use super::words::Given;
use crate::net::{IpVersion, Subnet};
use crate::nft::expr::{Ct, CtDirection, CtKey, Payload, PayloadBase};
use crate::nft::{DataType, Expr};

/// Whose address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `-s`
    Source,
    /// `-d`
    Destination,
}

/// Where an address is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The packet: `ip saddr`.
    Packet(Side),
    /// The packet's flow: `ct original ip saddr`.
    Flow(CtDirection, Side),
}

impl Place {
    /// Loads the address, or as few bytes of it as that place can give.
    pub(super) fn load(self, version: IpVersion, len: u32) -> Expr {
        match self {
            Place::Packet(side) => {
                let (offset, _) = match (version, side) {
                    (IpVersion::V4, Side::Source) => Payload::IP_SADDR,
                    (IpVersion::V4, Side::Destination) => Payload::IP_DADDR,
                    (IpVersion::V6, Side::Source) => Payload::IP6_SADDR,
                    (IpVersion::V6, Side::Destination) => Payload::IP6_DADDR,
                };
                network((offset, len))
            }
            Place::Flow(direction, side) => {
                let key = match (version, side) {
                    (IpVersion::V4, Side::Source) => CtKey::SrcIp,
                    (IpVersion::V4, Side::Destination) => CtKey::DstIp,
                    (IpVersion::V6, Side::Source) => CtKey::SrcIp6,
                    (IpVersion::V6, Side::Destination) => CtKey::DstIp6,
                };
                Ct::Load { key, direction: Some(direction), dreg: REGISTER }.into()
            }
        }
    }
}

/// Whose whole address an expression loads from the packet.
pub(super) fn side_of(field: &Expr, version: IpVersion) -> Option<Side> {
    let Expr::Payload(Payload { base: PayloadBase::Network, offset, len, .. }) = field else {
        return None;
    };
    match (version, (*offset, *len)) {
        (IpVersion::V4, Payload::IP_SADDR) | (IpVersion::V6, Payload::IP6_SADDR) => {
            Some(Side::Source)
        }
        (IpVersion::V4, Payload::IP_DADDR) | (IpVersion::V6, Payload::IP6_DADDR) => {
            Some(Side::Destination)
        }
        _ => None,
    }
}

/// An address and the bits of it that count.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Masked {
    address: Vec<u8>,
    mask: Vec<u8>,
}

/// The type of an address in a set.
pub(super) fn data_type(version: IpVersion) -> DataType {
    match version {
        IpVersion::V4 => DataType::Ipv4Addr,
        IpVersion::V6 => DataType::Ipv6Addr,
    }
}

/// Whether an address is one of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `0/0`.
    Whole,
    /// Any other.
    Part,
}

/// Whether an option's address means all of them.
pub(super) fn whole_address(given: &Given<'_>, version: IpVersion) -> Result<Prefix, Error> {
    let Masked { mask, .. } = masked_address(given, given.value(), version)?;
    Ok(if mask.iter().all(|byte| *byte == 0) { Prefix::Whole } else { Prefix::Part })
}

/// `-s 10.0.0.0/8`: `ip saddr 10.0.0.0/8`. No expression where every address matches.
pub(super) fn address_match(
    given: &Given<'_>,
    place: Place,
    version: IpVersion,
) -> Result<Vec<Expr>, Error> {
    let Masked { address, mask } = masked_address(given, given.value(), version)?;
    let prefix = prefix_len(&mask);
    let len = version.address_len();
    Ok(match prefix {
        Some(0) if given.negated => return Err(given.never()),
        Some(0) => Vec::new(),
        // As nft does, a prefix of whole bytes is a shorter comparison.
        Some(bits) if bits.is_multiple_of(8) => {
            let bytes = bits / 8;
            let prefix = address.get(..bytes).unwrap_or(&address).to_vec();
            equal(place.load(version, bytes as u32), given.negated, prefix)
        }
        Some(_) | None => masked(place.load(version, len as u32), mask, given.negated, address),
    })
}

/// `-s 192.0.2.1,192.0.2.2`, of which iptables makes one rule each:
/// `ip saddr { 192.0.2.1, 192.0.2.2 }`.
pub(super) fn address_list_match(
    given: &Given<'_>,
    place: Place,
    version: IpVersion,
) -> Result<Vec<Expr>, Error> {
    if !given.value().contains(',') {
        return address_match(given, place, version);
    }
    if given.negated {
        let (word, value) = (given.word.to_owned(), given.value().to_owned());
        return Err(Error::NegatedList { word, value });
    }
    let mut intervals = Vec::new();
    for text in given.value().split(',') {
        let Masked { address, mask } = masked_address(given, text, version)?;
        match prefix_len(&mask) {
            Some(0) => return Ok(Vec::new()),
            Some(_) => {
                let first = as_number(&address);
                let host: Vec<u8> = mask.iter().map(|byte| !byte).collect();
                intervals.push(Interval { first, last: first | as_number(&host) });
            }
            None => return Err(given.unsupported("a list cannot hold a mask that is no prefix")),
        }
    }
    let field = place.load(version, version.address_len() as u32);
    Ok(in_set(field, false, data_type(version), intervals))
}

/// Reads one address.
pub(super) fn address(given: &Given<'_>, text: &str, version: IpVersion) -> Result<Vec<u8>, Error> {
    let parsed = match version {
        IpVersion::V4 => ipv4(text).or_else(|| mapped(text)).map(|v4| v4.octets().to_vec()),
        IpVersion::V6 => text.parse::<Ipv6Addr>().ok().map(|v6| v6.octets().to_vec()),
    };
    parsed.ok_or_else(|| match text.parse::<IpAddr>() {
        Ok(_) => {
            let (word, value) = (given.word.to_owned(), text.to_owned());
            Error::OtherFamily { word, value, version }
        }
        Err(_) => Error::BadAddress { word: given.word.to_owned(), value: text.to_owned() },
    })
}

/// An address as a number, for intervals.
pub(super) fn as_number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn masked_address(given: &Given<'_>, text: &str, version: IpVersion) -> Result<Masked, Error> {
    let (base, mask) = match text.split_once('/') {
        Some((base, mask)) => (base, Some(mask)),
        None => (text, None),
    };
    let mask = match mask {
        None => Subnet::netmask(version, version.bits()),
        Some(text) => mask_bytes(text, version).ok_or_else(|| Error::BadMask {
            word: given.word.to_owned(),
            value: text.to_owned(),
        })?,
    };
    // `any/0`, and `0/0` of IPv6: where no bit counts, iptables does not look at the name.
    let mut address = match mask.iter().all(|byte| *byte == 0) && !base.is_empty() {
        true => mask.clone(),
        false => address(given, base, version)?,
    };
    for (byte, mask) in address.iter_mut().zip(&mask) {
        *byte &= mask;
    }
    Ok(Masked { address, mask })
}

/// `/8`, `/255.0.0.0`, `/ffff::`.
fn mask_bytes(text: &str, version: IpVersion) -> Option<Vec<u8>> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (plain, version) {
        (true, _) => {
            let prefix: u8 = text.parse().ok().filter(|prefix| *prefix <= version.bits())?;
            Some(Subnet::netmask(version, prefix))
        }
        (false, IpVersion::V4) => ipv4(text).map(|mask| mask.octets().to_vec()),
        (false, IpVersion::V6) => text.parse::<Ipv6Addr>().ok().map(|mask| mask.octets().to_vec()),
    }
}

/// An IPv4 address in the clothes of IPv6, `::ffff:192.0.2.1`: iptables asks the resolver for it
/// and gets the IPv4 address.
fn mapped(text: &str) -> Option<Ipv4Addr> {
    text.parse::<Ipv6Addr>().ok()?.to_ipv4_mapped()
}

/// Dotted decimal; as iptables reads it, octets that are missing at the end are 0: `10.88`.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut places = octets.iter_mut();
    for part in text.split('.') {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *places.next()? = part.parse().ok()?;
    }
    Some(Ipv4Addr::from(octets))
}

/// The length of the prefix that a mask is; `None` for one with holes.
pub(super) fn prefix_len(mask: &[u8]) -> Option<usize> {
    let number = as_number(mask);
    let ones = number.count_ones() as usize;
    let prefix = (number.checked_shl(u32::try_from(128 - mask.len() * 8).ok()?))?.leading_ones();
    (prefix as usize == ones).then_some(ones)
}

//! Concatenations: keys and data of several parts, `ipv4_addr . inet_service`.
//!
//! nft's number of one packs six bits per part, the first part highest; each part of a value is
//! padded to four bytes.

use super::DataType;

/// nft's number of a concatenation (or of a single part).
pub(super) fn concat_number(parts: &[DataType]) -> u32 {
    parts.iter().fold(0, |number, part| number << 6 | part.number())
}

/// Bytes of a key: each part padded to four bytes, but a single part as it is.
pub(super) fn concat_len(parts: &[DataType]) -> usize {
    match parts {
        [single] => single.len(),
        parts => parts.iter().map(|part| part.len().next_multiple_of(4)).sum(),
    }
}

/// Takes a concatenation's number apart again.
pub(super) fn parse_concat(number: u32, len: u32) -> Vec<DataType> {
    let total = u8::try_from(len).unwrap_or(u8::MAX);
    if number >> 6 == 0 || number > 0x3fff_ffff {
        return vec![DataType::from_number(number, total)];
    }
    let mut parts = Vec::new();
    let mut rest = number;
    while rest != 0 {
        parts.push(DataType::from_number(rest & 0x3f, 4));
        rest >>= 6;
    }
    parts.reverse();
    parts
}

/// Lays out the parts of a key (or datum) of a concatenation: each padded to four bytes.
#[must_use]
pub fn concat(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 3).sum());
    for part in parts {
        bytes.extend_from_slice(part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// Lists a key of this type: `tcp . 8080`.
pub(super) fn list_concat(parts: &[DataType], bytes: &[u8]) -> String {
    if let [single] = parts {
        return single.list(bytes);
    }
    let mut rest = bytes;
    let mut words = Vec::new();
    for part in parts {
        let len = part.len().min(rest.len());
        words.push(part.list(&rest[..len]));
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    words.join(" . ")
}

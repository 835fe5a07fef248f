//! The match `srh`: the segment routing header of IPv6.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known};
use super::text::{address, prefix};

const NUMBERS: &[(u32, Field, &str)] = &[
    (0x0001, Field::NextHeader, "--srh-next-hdr"),
    (0x0002, Field::Length, "--srh-hdr-len-eq"),
    (0x0004, Field::Length, "--srh-hdr-len-gt"),
    (0x0008, Field::Length, "--srh-hdr-len-lt"),
    (0x0010, Field::Left, "--srh-segs-left-eq"),
    (0x0020, Field::Left, "--srh-segs-left-gt"),
    (0x0040, Field::Left, "--srh-segs-left-lt"),
    (0x0080, Field::Last, "--srh-last-entry-eq"),
    (0x0100, Field::Last, "--srh-last-entry-gt"),
    (0x0200, Field::Last, "--srh-last-entry-lt"),
    (0x0400, Field::Tag, "--srh-tag"),
];

const SEGMENTS: [(u32, &str); 3] =
    [(0x0800, "--srh-psid"), (0x1000, "--srh-nsid"), (0x2000, "--srh-lsid")];

const ALL: u32 = 0x3fff;

#[derive(Debug, Clone, Copy)]
enum Field {
    NextHeader,
    Length,
    Left,
    Last,
    Tag,
}

/// `struct ip6t_srh`, and `ip6t_srh1` with the segments before, now and last.
pub(super) fn srh(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (next, length, left, last) = (info.u8()?, info.u8()?, info.u8()?, info.u8()?);
    let tag = info.u16()?;
    let mut segments = Vec::new();
    if info.revision > 0 {
        let mut addresses = Vec::with_capacity(2 * SEGMENTS.len());
        for _ in 0..2 * SEGMENTS.len() {
            addresses.push(info.inet_addr()?);
        }
        let (bases, masks) = addresses.split_at(SEGMENTS.len());
        for (base, mask) in bases.iter().zip(masks) {
            // The length is written even where it is that of a whole address.
            let length = prefix(*mask).map_or_else(|| address(*mask), |bits| bits.to_string());
            segments.push(format!("{}/{length}", address(*base)));
        }
    }
    let (flags, inverted) = (u32::from(info.u16()?), u32::from(info.u16()?));
    known(flags | inverted, if info.revision > 0 { ALL } else { 0x07ff })?;
    let mut words = Words::new();
    for (bit, field, option) in NUMBERS {
        if flags & bit != 0 {
            let value = match field {
                Field::NextHeader => next.into(),
                Field::Length => length.into(),
                Field::Left => left.into(),
                Field::Last => last.into(),
                Field::Tag => tag,
            };
            words.put(inverted & bit != 0, option, value);
        }
    }
    for ((bit, option), segment) in SEGMENTS.into_iter().zip(segments) {
        if flags & bit != 0 {
            words.put(inverted & bit != 0, option, segment);
        }
    }
    Ok(words)
}

//! The match `sctp`: ports, and chunks with their flags.

use super::error::Flaw;
use super::info::Info;
use super::option::{Words, known, one_of, range};

const SOURCE: u32 = 1;
const DESTINATION: u32 = 2;
const CHUNKS: u32 = 4;
/// The words of the map of chunks: the kernel divides 256 by the bytes of a word, not its bits, so
/// that only the first eight are used.
const MAP: usize = 64;

/// Chunks: number, name, and the letters of their flags from the highest bit on.
const CHUNK_NAMES: &[(usize, &str, &[u8; 8])] = &[
    (0, "DATA", b"----IUBE"),
    (1, "INIT", b"--------"),
    (2, "INIT_ACK", b"--------"),
    (3, "SACK", b"--------"),
    (4, "HEARTBEAT", b"--------"),
    (5, "HEARTBEAT_ACK", b"--------"),
    (6, "ABORT", b"-------T"),
    (7, "SHUTDOWN", b"--------"),
    (8, "SHUTDOWN_ACK", b"--------"),
    (9, "ERROR", b"--------"),
    (10, "COOKIE_ECHO", b"--------"),
    (11, "COOKIE_ACK", b"--------"),
    (12, "ECN_ECNE", b"--------"),
    (13, "ECN_CWR", b"--------"),
    (14, "SHUTDOWN_COMPLETE", b"-------T"),
    (64, "I_DATA", b"----IUBE"),
    (128, "ASCONF_ACK", b"--------"),
    (130, "RE_CONFIG", b"--------"),
    (132, "PAD", b"--------"),
    (192, "FORWARD_TSN", b"--------"),
    (193, "ASCONF", b"--------"),
    (194, "I_FORWARD_TSN", b"--------"),
];

/// `struct xt_sctp_info`
pub(super) fn sctp(info: &mut Info<'_>) -> Result<Words, Flaw> {
    let (destination, source) = (info.u16_range()?, info.u16_range()?);
    let mut map = [0; MAP];
    for word in &mut map {
        *word = info.u32()?;
    }
    let how = info.u32()?;
    let mut flags_of = [(0, 0, 0); 4];
    for flags in &mut flags_of {
        *flags = (usize::from(info.u8()?), info.u8()?, info.u8()?);
    }
    let count = usize::try_from(info.u32()?).map_err(|_| Flaw::Value)?;
    let flags_of = flags_of.get(..count).ok_or(Flaw::Value)?;
    let (flags, inverted) = info.u32_range()?;
    known(flags | inverted, SOURCE | DESTINATION | CHUNKS)?;

    let mut words = Words::new();
    if flags & SOURCE != 0 {
        words.put(inverted & SOURCE != 0, "--sport", range(source));
    }
    if flags & DESTINATION != 0 {
        words.put(inverted & DESTINATION != 0, "--dport", range(destination));
    }
    if flags & CHUNKS != 0 {
        let how = one_of(how, &[(1, "any"), (2, "all"), (4, "only")])?;
        words.put(inverted & CHUNKS != 0, "--chunk-types", how);
        words.words.push(chunks(map, flags_of)?);
    }
    Ok(words)
}

fn chunks(map: [u32; MAP], flags_of: &[(usize, u8, u8)]) -> Result<String, Flaw> {
    if map == [u32::MAX; MAP] {
        return Ok("ALL".to_owned());
    }
    if map == [0; MAP] {
        return Ok("NONE".to_owned());
    }
    let mut names = Vec::new();
    for number in (0..256).filter(|number| map[number / 32] >> (number % 32) & 1 != 0) {
        let chunk = CHUNK_NAMES.iter().find(|(at, _, _)| *at == number);
        let (_, name, letters) = chunk.ok_or(Flaw::Value)?;
        let flags = flags_of.iter().find(|(at, _, mask)| *at == number && *mask != 0);
        names.push(match flags {
            Some((_, flags, mask)) => format!("{name}:{}", letters_of(letters, *flags, *mask)?),
            None => (*name).to_owned(),
        });
    }
    Ok(names.join(","))
}

/// A flag that must be set is a capital letter, one that must not a small one.
fn letters_of(letters: &[u8; 8], flags: u8, mask: u8) -> Result<String, Flaw> {
    let mut text = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let bit = 0x80 >> at;
        if mask & bit == 0 {
            continue;
        }
        if *letter == b'-' {
            return Err(Flaw::Value);
        }
        let letter = char::from(*letter);
        text.push(if flags & bit != 0 { letter } else { letter.to_ascii_lowercase() });
    }
    Ok(text)
}

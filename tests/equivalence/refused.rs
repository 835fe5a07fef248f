//! What our side refuses, each with what names it in a rule; all else that iptables takes, we take.

use portcullis::net::IpVersion;

/// A part of a rule that makes us refuse it, and a part of what we then say.
pub struct Refused {
    pub part: &'static str,
    pub says: &'static str,
}

const fn refused(part: &'static str, says: &'static str) -> Refused {
    Refused { part, says }
}

/// The list. An entry that refuses nothing any more fails the test.
pub const REFUSED: &[Refused] = &[];

/// The entry that is the reason for an error.
pub fn reason(_version: IpVersion, words: &str, error: &str) -> Option<usize> {
    let padded = format!(" {words} ");
    REFUSED.iter().position(|entry| padded.contains(entry.part) && error.contains(entry.says))
}

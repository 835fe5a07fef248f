//! The hardware address of an Ethernet interface.

use std::fmt;
use std::str::FromStr;

/// A MAC address (EUI-48): `0a:58:0a:58:00:02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// The text is no EUI-48. The words are those that callers of the CNI plugins know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("address {text}: invalid MAC address")]
pub struct InvalidMac {
    /// What was given.
    pub text: String,
}

impl Mac {
    /// All bits clear: what the loopback interface has.
    pub const ZERO: Mac = Mac([0; 6]);

    /// An address of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 6]) -> Self {
        Mac(bytes)
    }

    /// Its bytes, as they are on the wire.
    #[must_use]
    pub fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for Mac {
    type Err = InvalidMac;

    /// Reads six bytes in hex with `:` or `-` between them, or three groups of four digits with
    /// `.` between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMac { text: text.to_owned() };
        let (separator, digits) =
            match text.find([':', '-', '.']).map(|at| (at, text.as_bytes()[at])) {
                Some((2, separator @ (b':' | b'-'))) => (separator as char, 2),
                Some((4, b'.')) => ('.', 4),
                Some(_) | None => return Err(invalid()),
            };
        let groups: Vec<&str> = text.split(separator).collect();
        let is_hex = |group: &&str| {
            group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if groups.len() * digits != 12 || !groups.iter().all(is_hex) {
            return Err(invalid());
        }
        let number = u64::from_str_radix(&groups.concat(), 16).map_err(|_| invalid())?;
        let [_, _, bytes @ ..] = number.to_be_bytes();
        Ok(Mac(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

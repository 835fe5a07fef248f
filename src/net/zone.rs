//! The name of a zone: a firewall's word for how far a source of packets is trusted.

use std::fmt;

/// A name that no zone of firewalld can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no name for a zone: expected letters, digits and _ - /, 40 at most")]
pub struct InvalidZoneName {
    /// What was given.
    pub name: String,
}

/// The name of a zone: 1 to 40 letters, digits, `_`, `-` and `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(String);

impl ZoneName {
    /// firewalld allows 17, and a directory before a slash.
    const MAX: usize = 40;

    /// Checks a name. Whether there is such a zone only firewalld knows.
    ///
    /// # Errors
    /// [`InvalidZoneName`].
    pub fn new(name: &str) -> Result<Self, InvalidZoneName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
        if name.is_empty() || name.len() > Self::MAX || !name.bytes().all(allowed) {
            return Err(InvalidZoneName { name: name.to_owned() });
        }
        Ok(ZoneName(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

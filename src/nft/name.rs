//! Names of tables, chains, sets and objects.

use std::fmt;
use std::sync::Arc;

/// A name that the kernel takes: 1 to 255 bytes without NUL (`NFT_NAME_MAXLEN`, 256 with it).
/// Shared by its clones: each of thousands of changes names the same table and chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// The kernel would refuse the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no nf_tables name: expected 1 to 255 bytes without NUL")]
pub struct InvalidName {
    /// What was given.
    pub name: String,
}

impl Name {
    /// Checks a name against the kernel's limits.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, InvalidName> {
        let name = name.into();
        if name.is_empty() || name.len() > 255 || name.contains('\0') {
            return Err(InvalidName { name: name.to_string() });
        }
        Ok(Name(name))
    }

    /// A name that is written in the program itself.
    #[must_use]
    pub fn literal(name: &'static str) -> Self {
        debug_assert!(!name.is_empty() && name.len() <= 255);
        Name(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nft can read the name back from its own listing: a letter, then letters, digits
    /// and `/ \ _ . -` (nft's scanner).
    #[must_use]
    pub fn is_nft_identifier(&self) -> bool {
        let mut bytes = self.0.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'.' | b'-'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

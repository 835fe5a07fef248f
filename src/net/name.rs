//! Names with rules of their own: interfaces, containers, networks.

use std::fmt;

/// A name that its owner's rules do not allow. The texts are those of the CNI library, which
/// container runtimes show to their users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// An interface name is empty.
    #[error("interface name is empty")]
    EmptyIfName,
    /// An interface name of 16 bytes or more (IFNAMSIZ counts the final NUL).
    #[error("interface name is too long")]
    LongIfName {
        /// What was given.
        name: String,
    },
    /// `.` and `..` are directories in sysfs.
    #[error("interface name is . or ..")]
    DotIfName,
    /// The kernel's `dev_valid_name` refuses these.
    #[error("interface name contains / or : or whitespace characters")]
    IfNameCharacters {
        /// What was given.
        name: String,
    },
    /// CNI: `^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$`.
    #[error("invalid characters in containerID")]
    ContainerId {
        /// What was given.
        name: String,
    },
    /// A network must have a name.
    #[error("missing network name")]
    EmptyNetworkName,
    /// CNI: the same alphabet as for containers.
    #[error("invalid characters found in network name")]
    NetworkName {
        /// What was given.
        name: String,
    },
}

/// The name of a network interface: 1 to 15 bytes, no `/`, `:` or white space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName(String);

impl IfName {
    /// Checks a name as the kernel's `dev_valid_name` and CNI do.
    ///
    /// # Errors
    /// [`InvalidName`] saying which rule it breaks.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        IfName::check(name).map(|()| IfName(name.to_owned()))
    }

    /// Whether it is one, without keeping it.
    ///
    /// # Errors
    /// As [`IfName::new`].
    pub fn check(name: &str) -> Result<(), InvalidName> {
        if name.is_empty() {
            return Err(InvalidName::EmptyIfName);
        }
        if name.len() > 15 {
            return Err(InvalidName::LongIfName { name: name.to_owned() });
        }
        if name == "." || name == ".." {
            return Err(InvalidName::DotIfName);
        }
        if name.contains(['/', ':', '\0']) || name.contains(char::is_whitespace) {
            return Err(InvalidName::IfNameCharacters { name: name.to_owned() });
        }
        Ok(())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A container's id as its runtime gives it (`CNI_CONTAINERID`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

impl ContainerId {
    /// Checks an id against CNI's alphabet.
    ///
    /// # Errors
    /// [`InvalidName::ContainerId`].
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        if in_cni_alphabet(name) {
            Ok(ContainerId(name.to_owned()))
        } else {
            Err(InvalidName::ContainerId { name: name.to_owned() })
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a container network (`name` of a CNI configuration).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(String);

impl NetworkName {
    /// Checks a name against CNI's alphabet.
    ///
    /// # Errors
    /// [`InvalidName::EmptyNetworkName`] or [`InvalidName::NetworkName`].
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        if name.is_empty() {
            Err(InvalidName::EmptyNetworkName)
        } else if in_cni_alphabet(name) {
            Ok(NetworkName(name.to_owned()))
        } else {
            Err(InvalidName::NetworkName { name: name.to_owned() })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn in_cni_alphabet(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

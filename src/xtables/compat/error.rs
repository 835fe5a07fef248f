//! Why an expression of nft_compat cannot be put into words.

use std::fmt;

/// Which of the two expressions of nft_compat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `match`: `-m NAME`.
    Match,
    /// `target`: `-j NAME`.
    Target,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Match => "match",
            Kind::Target => "target",
        })
    }
}

/// An expression that has no words here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Any other expression of nf_tables.
    #[error("expression {name:?} is neither a match nor a target of nft_compat")]
    NotCompat {
        /// The kernel's name of the expression.
        name: String,
    },
    /// Its attributes are not those of nft_compat, so that not even the module is known.
    #[error("malformed {kind} of nft_compat: {reason}")]
    Attributes {
        /// Match or target.
        kind: Kind,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// No module of this name is known.
    #[error("unknown {kind} {name} revision {revision}")]
    UnknownModule {
        /// Match or target.
        kind: Kind,
        /// The module.
        name: String,
        /// Its revision.
        revision: u32,
    },
    /// The module is known, but not in this revision.
    #[error("{kind} {name} has no known revision {revision}")]
    UnknownRevision {
        /// Match or target.
        kind: Kind,
        /// The module.
        name: String,
        /// Its revision.
        revision: u32,
    },
    /// The structure refers to something that only the kernel can name.
    #[error("{kind} {name} revision {revision} cannot be put into words: {reason}")]
    Unnameable {
        /// Match or target.
        kind: Kind,
        /// The module.
        name: String,
        /// Its revision.
        revision: u32,
        /// What is missing.
        reason: &'static str,
    },
    /// The structure is too short, or holds what no known iptables writes.
    #[error("malformed {kind} {name} revision {revision}: {reason}")]
    Malformed {
        /// Match or target.
        kind: Kind,
        /// The module.
        name: String,
        /// Its revision.
        revision: u32,
        /// What is wrong with it.
        reason: Flaw,
    },
}

/// What is wrong with a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It ends before its last field.
    Short,
    /// A flag, mode or count is none of those known.
    Value,
    /// A name or comment is not UTF-8.
    Text,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Short => "too short",
            Flaw::Value => "it holds a value that is not known",
            Flaw::Text => "it holds a text that is not UTF-8",
        })
    }
}

//! What can go wrong between a wish and its fulfilment.

use super::owner::OwnerKey;
use crate::nft;

/// A plan that could not be made or applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nf_tables failed.
    #[error(transparent)]
    Nft(#[from] nft::Error),
    /// An element that is wanted is somebody else's.
    #[error(transparent)]
    Conflict(#[from] Box<Conflict>),
    /// A set of that name is there, and it is not what we make.
    #[error(
        "{set} of table {table} is not of the type that portcullis makes: it was changed by hand or by another program; delete it with: nft delete table {table}"
    )]
    ForeignSet {
        /// The table.
        table: String,
        /// The set.
        set: String,
    },
    /// A chain of that name is there, and it is not what we make.
    #[error(
        "chain {chain} of table {table} is not of the type, hook and priority that portcullis gives it: it was made by hand or by another program; delete it with: nft delete table {table}"
    )]
    ForeignChain {
        /// The table.
        table: String,
        /// The chain.
        chain: String,
    },
    /// Others committed between every reading and its commit.
    #[error("nf_tables was changed by others during each of {attempts} attempts")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
}

/// An element that is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("element {text} of {set} belongs to {}", owner_label.as_deref().unwrap_or("another program"))]
pub struct Conflict {
    /// The set.
    pub set: nft::Name,
    /// The element as it is there.
    pub element: nft::Element,
    /// The same in nft syntax.
    pub text: String,
    /// Whose it is; `None` for a foreigner's.
    pub owner: Option<OwnerKey>,
    /// The owner's label, as the element's comment shows it.
    pub owner_label: Option<String>,
}

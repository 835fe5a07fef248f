//! Who is attached: the owner of published ports, and the network namespace that it lives in.

use std::io;
use std::path::Path;

use crate::link::NetnsFile;
use crate::nft::Object;
use crate::ruleset::{Owner, Record};
use crate::sys;

/// A container's network namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netns {
    path: String,
    inode: u64,
}

/// A path that is not the network namespace of a container.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// It cannot be opened.
    #[error("failed to open netns {path:?}")]
    Open {
        /// The path.
        path: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is something else.
    #[error("failed to open netns {path:?}: not a namespace")]
    NotANamespace {
        /// The path.
        path: String,
    },
    /// It was another namespace a moment ago.
    #[error("netns {path:?} was replaced by another during this call")]
    Replaced {
        /// The path.
        path: String,
    },
    /// It is the one that this program runs in.
    #[error("plugin's netns and netns from CNI_NETNS should not be the same")]
    Own,
}

impl Netns {
    /// Opens a namespace by its path and remembers which one it is.
    ///
    /// # Errors
    /// [`NetnsError::Open`] or [`NetnsError::NotANamespace`].
    pub fn open(path: &str) -> Result<Self, NetnsError> {
        let opened = sys::netns_at(Path::new(path));
        let found = opened.map_err(|cause| NetnsError::Open { path: path.to_owned(), cause })?;
        let id = found.ok_or_else(|| NetnsError::NotANamespace { path: path.to_owned() })?;
        Ok(Netns { path: path.to_owned(), inode: id.0 })
    }

    /// A namespace of which path and inode are known.
    #[must_use]
    pub fn known(path: &str, inode: u64) -> Self {
        Netns { path: path.to_owned(), inode }
    }

    /// Holds it open, to work inside.
    ///
    /// # Errors
    /// [`NetnsError`], [`NetnsError::Replaced`] if the path has come to name another one.
    pub fn file(&self) -> Result<sys::NetnsFile, NetnsError> {
        let path = || self.path.clone();
        let opened = sys::NetnsFile::open(Path::new(&self.path));
        let file = opened.map_err(|cause| NetnsError::Open { path: path(), cause })?;
        let file = file.ok_or_else(|| NetnsError::NotANamespace { path: path() })?;
        if file.id().0 == self.inode {
            Ok(file)
        } else {
            Err(NetnsError::Replaced { path: path() })
        }
    }

    /// As [`Netns::open`], and it must not be the caller's own.
    ///
    /// # Errors
    /// [`NetnsError`].
    pub fn open_foreign(path: &str) -> Result<Self, NetnsError> {
        let netns = Netns::open(path)?;
        match sys::current_netns() {
            Ok(own) if own.0 == netns.inode => Err(NetnsError::Own),
            Ok(_) | Err(_) => Ok(netns),
        }
    }
}

impl Netns {
    /// Opens the namespace again, which must still be the same one.
    pub(super) fn reopen(&self) -> Result<NetnsFile, NetnsError> {
        let gone = || NetnsError::Open {
            path: self.path.clone(),
            cause: io::Error::from(io::ErrorKind::NotFound),
        };
        self.reopen_if_there()?.ok_or_else(gone)
    }

    /// The same, where it may be gone.
    pub(super) fn reopen_if_there(&self) -> Result<Option<NetnsFile>, NetnsError> {
        match NetnsFile::open(Path::new(&self.path)) {
            Ok(file) => Ok(file.filter(|file| file.id().0 == self.inode)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(NetnsError::Open { path: self.path.clone(), cause }),
        }
    }
}

/// A container on a network, as far as its ports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Whose the ports are.
    pub owner: Owner,
    /// Where the container lives; unknown when it is gone.
    pub netns: Option<Netns>,
}

impl Attachment {
    /// The record of an attachment with so many elements.
    pub(super) fn record(&self, elements: usize) -> Option<Object> {
        self.record_with(elements, None)
    }

    /// The same with a note.
    pub(super) fn record_with(&self, elements: usize, note: Option<String>) -> Option<Object> {
        let record = Record {
            elements: u32::try_from(elements).ok(),
            note,
            netns: self.netns.as_ref().map(|netns| (netns.path.clone(), netns.inode)),
        };
        let name = Record::name(&self.owner)?;
        Some(Object::counter(name, record.userdata()))
    }
}

/// Whether the namespace of a record is no more: its path is gone or leads elsewhere, and no
/// process that can be seen lives in it. Where nothing is known, its owner is taken to be alive.
///
/// The kernel gives the number of a namespace that is gone to a new one. If it is that of the
/// `newcomer`, another container that is being attached, then the old one is gone.
pub(super) fn is_gone(record: &Object, newcomer: Option<&Netns>) -> bool {
    let Some((path, inode)) = Record::parse(&record.userdata).netns else { return false };
    let is_elsewhere = match sys::netns_at(Path::new(&path)) {
        Ok(Some(id)) => id.0 != inode,
        Ok(None) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    let is_reused = newcomer.is_some_and(|netns| netns.inode == inode);
    is_elsewhere && (is_reused || !sys::is_inhabited(sys::NetnsId(inode)))
}

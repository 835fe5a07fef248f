//! What can go wrong with installing.

use std::io;
use std::path::PathBuf;

/// A failed installation. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This program cannot be found.
    #[error("cannot find this program's own file")]
    OwnFile(#[source] io::Error),
    /// A path that cannot be recorded.
    #[error("{} is not UTF-8", .path.display())]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// This program's file would be replaced by a link to itself.
    #[error("{} is this program's own file: install from another place", .path.display())]
    OwnPlace {
        /// The path.
        path: PathBuf,
    },
    /// What is kept of before would be kept elsewhere.
    #[error("{} is not a directory of its own: move it away", .path.display())]
    KeptElsewhere {
        /// The path.
        path: PathBuf,
    },
    /// A directory or a device has the name.
    #[error("{} is neither a file nor a link and stays as it is", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Somebody replaced what was installed.
    #[error(
        "{} is not what portcullis put there and stays as it is; move it away, or put it in the \
         place of {} to have it restored", .path.display(), .kept.display()
    )]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// Where what was there before is kept.
        kept: PathBuf,
    },
    /// Something is kept of which there is no record.
    #[error("{} is in the way of keeping what is there now: move it away", .kept.display())]
    KeptExists {
        /// Where it would be kept.
        kept: PathBuf,
    },
    /// What was kept is gone.
    #[error(
        "{} is gone, which was kept to be put back; remove {} to forget that anything was \
         installed", .kept.display(), .record.display()
    )]
    KeptGone {
        /// Where it was.
        kept: PathBuf,
        /// The record that speaks of it.
        record: PathBuf,
    },
    /// The record of what was installed cannot be understood.
    #[error("{} is no record of an installation: {reason}", .path.display())]
    Record {
        /// The record's path.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A change of alternatives was refused.
    #[error("{command}: {said}")]
    Alternatives {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
    /// Another copy of this program is installed.
    #[error("{} is installed already: uninstall it first", .path.display())]
    OtherAlternative {
        /// Where it is.
        path: PathBuf,
    },
    /// A file could not be read or changed.
    #[error("cannot {what} {}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A change failed, and so did undoing what was changed before it.
    #[error("{cause}; and of what was done, this could not be undone: {left}")]
    NotUndone {
        /// Why the change failed.
        cause: Box<Error>,
        /// What could not be undone.
        left: String,
    },
    /// The report could not be written. What was to be changed is changed.
    #[error("cannot write what was done")]
    Write(#[from] io::Error),
}

impl Error {
    /// As a closure for `map_err`.
    pub(super) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Error::File { what, path, cause }
    }
}

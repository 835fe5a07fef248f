//! The directory of the plugins, and what stands in it under one name.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::Error;
use super::record::{Placed, Record};

/// Where what stood there before is kept, with the record.
const BEFORE: &str = ".portcullis-before";
/// The record's name in there; no applet is called so.
const RECORD: &str = ".installed.json";

/// A directory of plugins.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    path: PathBuf,
}

/// What stands under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Nothing,
    /// A symbolic link.
    Link(PathBuf),
    /// A regular file.
    File,
    /// A directory, a device, …
    Other,
}

impl Directory {
    pub(super) fn new(path: &Path) -> Self {
        Directory { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where an applet belongs.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the directory of what is kept is.
    pub(super) fn before(&self) -> PathBuf {
        self.path.join(BEFORE)
    }

    /// Where is kept what stood there before.
    pub(super) fn kept(&self, name: &str) -> PathBuf {
        self.before().join(name)
    }

    /// Where the record is.
    pub(super) fn record_path(&self) -> PathBuf {
        self.kept(RECORD)
    }

    /// The record; an empty one where nothing is installed. What is kept beside it must be in a
    /// directory of this one's own.
    pub(super) fn record(&self) -> Result<Record, Error> {
        // Through a link what was there would be kept in a place that nobody named.
        match fs::symlink_metadata(self.before()) {
            Ok(kept) if !kept.is_dir() => return Err(Error::KeptElsewhere { path: self.before() }),
            Ok(_) | Err(_) => {}
        }
        let path = self.record_path();
        match fs::read_to_string(&path) {
            Ok(text) => Record::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Record::default()),
            Err(cause) => Err(Error::file("read", path)(cause)),
        }
    }
}

impl Standing {
    /// Looks at a path, not at what a link leads to.
    pub(super) fn at(path: &Path) -> Result<Self, Error> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Nothing),
            Err(cause) => return Err(Error::file("look at", path)(cause)),
        };
        if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(Error::file("read link", path))?;
            Ok(Standing::Link(target))
        } else if metadata.is_file() {
            Ok(Standing::File)
        } else {
            Ok(Standing::Other)
        }
    }

    /// Whether it is what was put there.
    pub(super) fn is(&self, placed: &Placed, path: &Path) -> Result<bool, Error> {
        match (self, placed) {
            (Standing::Link(target), Placed::Link(recorded)) => Ok(target == Path::new(recorded)),
            (Standing::File, Placed::Copy(hash)) => Ok(sha256(path)? == *hash),
            (Standing::Nothing | Standing::Other, Placed::Link(_) | Placed::Copy(_))
            | (Standing::Link(_), Placed::Copy(_))
            | (Standing::File, Placed::Link(_)) => Ok(false),
        }
    }
}

/// Whether both paths are names of one file, or of one link.
pub(super) fn are_one(a: &Path, b: &Path) -> bool {
    let identity = |path| fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((identity(a), identity(b)), (Ok(a), Ok(b)) if a == b)
}

/// The SHA-256 of a file, in hex.
pub(super) fn sha256(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    let digest = Sha256::digest(&bytes);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

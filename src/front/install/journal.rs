//! Changes of files that are undone unless all of them succeed.
//!
//! Each file is replaced by a rename, so that at every moment the name leads to the old file or to
//! the new one. A process that is killed leaves files whose names begin with `.portcullis-`; none
//! of them is ever executed.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::error::Error;

/// Changes made so far.
#[derive(Debug, Default)]
pub(super) struct Journal {
    undo: Vec<Undo>,
    spare: Vec<PathBuf>,
}

/// How one change is undone.
#[derive(Debug)]
enum Undo {
    /// By removing what was not there before.
    Remove(PathBuf),
    /// By putting back what was.
    Restore { saved: PathBuf, path: PathBuf },
}

impl Journal {
    /// Gives a file, or a link itself, a second name, which must be free.
    pub(super) fn keep(&mut self, path: &Path, kept: &Path) -> Result<(), Error> {
        duplicate(path, kept).map_err(Error::file("keep", path))?;
        self.undo.push(Undo::Remove(kept.to_owned()));
        Ok(())
    }

    /// Makes a directory, unless it is there.
    pub(super) fn directory(&mut self, path: &Path) -> Result<(), Error> {
        match fs::create_dir(path) {
            Ok(()) => {
                self.undo.push(Undo::Remove(path.to_owned()));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(cause) => Err(Error::file("make directory", path)(cause)),
        }
    }

    /// Puts what `make` makes at a path, in the place of what is there.
    pub(super) fn put(
        &mut self,
        path: &Path,
        make: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), Error> {
        let new = beside(path, "new")?;
        self.spare.push(new.clone());
        remove(&new).map_err(Error::file("remove", &new))?;
        make(&new).map_err(Error::file("write", &new))?;
        let saved = self.save(path)?;
        fs::rename(&new, path).map_err(Error::file("replace", path))?;
        self.changed(path, saved);
        Ok(())
    }

    /// Removes what is at a path.
    pub(super) fn clear(&mut self, path: &Path) -> Result<(), Error> {
        let saved = self.save(path)?;
        if saved.is_some() {
            fs::remove_file(path).map_err(Error::file("remove", path))?;
            self.changed(path, saved);
        }
        Ok(())
    }

    /// All is well: nothing is to be undone any more. What was saved for that goes.
    pub(super) fn commit(mut self) {
        self.undo.clear();
        self.discard();
    }

    /// Undoes everything, the last change first, and returns the error to report.
    pub(super) fn roll_back(mut self, cause: Error) -> Error {
        let mut left = Vec::new();
        while let Some(undo) = self.undo.pop() {
            let (path, undone) = match &undo {
                Undo::Remove(path) => (path, remove(path)),
                Undo::Restore { saved, path } => (path, fs::rename(saved, path)),
            };
            if let Err(error) = undone {
                left.push(format!("{}: {error}", path.display()));
                // What could not be put back must not be thrown away.
                if let Undo::Restore { saved, .. } = &undo {
                    self.spare.retain(|spare| spare != saved);
                }
            }
        }
        self.discard();
        if left.is_empty() {
            cause
        } else {
            Error::NotUndone { cause: Box::new(cause), left: left.join("; ") }
        }
    }

    fn save(&mut self, path: &Path) -> Result<Option<PathBuf>, Error> {
        let saved = beside(path, "old")?;
        remove(&saved).map_err(Error::file("remove", &saved))?;
        match duplicate(path, &saved) {
            Ok(()) => {
                self.spare.push(saved.clone());
                Ok(Some(saved))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::file("save", path)(cause)),
        }
    }

    fn changed(&mut self, path: &Path, saved: Option<PathBuf>) {
        let path = path.to_owned();
        self.undo.push(match saved {
            Some(saved) => Undo::Restore { saved, path },
            None => Undo::Remove(path),
        });
    }

    fn discard(&mut self) {
        for path in self.spare.drain(..) {
            if let Err(error) = remove(&path) {
                tracing::warn!(path = %path.display(), %error, "a file is left over");
            }
        }
    }
}

/// A name of this process's own in the same directory.
fn beside(path: &Path, what: &str) -> Result<PathBuf, Error> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::NotUtf8 { path: path.to_owned() })?;
    let name = name.trim_start_matches('.');
    Ok(path.with_file_name(format!(".portcullis-{what}-{}-{name}", std::process::id())))
}

/// A second name for a file, or for a link itself; a copy where the filesystem has no second
/// names.
pub(super) fn duplicate(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error)
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) =>
        {
            if fs::symlink_metadata(from)?.is_symlink() {
                symlink(fs::read_link(from)?, to)
            } else {
                fs::copy(from, to).map(|_| ())
            }
        }
        other => other,
    }
}

/// Removes a file, a link or an empty directory; that it is gone is success.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

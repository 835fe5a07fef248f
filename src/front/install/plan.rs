//! What is to be done for each applet: decided for all before anything is changed.

use std::fs;
use std::path::Path;

use super::directory::{Directory, Standing, are_one};
use super::error::Error;
use super::record::{Before, Entry, Placed};

/// What installing does for one applet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: it is as it should be.
    Leave,
    /// Put it where nothing is.
    Place,
    /// Put it in the place of what was put there before, or of what is kept already.
    Replace,
    /// Keep what is there, and put it in its place.
    KeepAndPlace,
}

/// What uninstalling does for one applet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BackStep {
    /// Nothing: what was there before is there.
    Leave,
    /// Take away what was put there.
    Remove,
    /// Put back what is kept.
    Restore,
}

impl Step {
    /// Decides for one applet.
    pub(super) fn decide(
        directory: &Directory,
        name: &str,
        entry: Option<&Entry>,
        wanted: &Placed,
        binary: &Path,
    ) -> Result<Self, Error> {
        let path = directory.place(name);
        let standing = Standing::at(&path)?;
        if path == binary || (standing == Standing::File && are_one(&path, binary)) {
            return Err(Error::OwnPlace { path });
        }
        if let Some(entry) = entry {
            return Step::again(directory, name, entry, wanted, &standing);
        }
        match &standing {
            Standing::Nothing => Ok(Step::Place),
            // Somebody made the link by hand.
            Standing::Link(_) if standing.is(wanted, &path)? => Ok(Step::Leave),
            Standing::Link(_) | Standing::File => {
                let kept = directory.kept(name);
                match Standing::at(&kept)? {
                    Standing::Nothing => Ok(Step::KeepAndPlace),
                    Standing::Link(_) | Standing::File | Standing::Other => {
                        Err(Error::KeptExists { kept })
                    }
                }
            }
            Standing::Other => Err(Error::NotAFile { path }),
        }
    }

    /// Decides for one that was installed before.
    fn again(
        directory: &Directory,
        name: &str,
        entry: &Entry,
        wanted: &Placed,
        standing: &Standing,
    ) -> Result<Self, Error> {
        let (path, kept) = (directory.place(name), directory.kept(name));
        if standing.is(&entry.placed, &path)? {
            return Ok(if entry.placed == *wanted { Step::Leave } else { Step::Replace });
        }
        match standing {
            Standing::Nothing => Ok(Step::Replace),
            Standing::Other => Err(Error::NotAFile { path }),
            Standing::Link(_) | Standing::File => match entry.before {
                // What an installation leaves that was killed before it came to this applet.
                Before::Kept if Standing::at(&kept)? == Standing::Nothing => Ok(Step::KeepAndPlace),
                Before::Kept if are_one(&path, &kept) => Ok(Step::Replace),
                Before::Kept | Before::Nothing => Err(Error::NotOurs { path, kept }),
            },
        }
    }

    /// What the record says of the applet from then on.
    pub(super) fn entry(self, entry: Option<&Entry>, wanted: &Placed) -> Option<Entry> {
        let before = match self {
            Step::Leave => return entry.cloned(),
            Step::Place => Before::Nothing,
            Step::KeepAndPlace => Before::Kept,
            Step::Replace => entry.map_or(Before::Nothing, |entry| entry.before),
        };
        Some(Entry { before, placed: wanted.clone() })
    }
}

impl BackStep {
    /// Decides for one applet.
    pub(super) fn decide(directory: &Directory, name: &str, entry: &Entry) -> Result<Self, Error> {
        let (path, kept) = (directory.place(name), directory.kept(name));
        let standing = Standing::at(&path)?;
        let is_ours = standing.is(&entry.placed, &path)?;
        let is_kept = fs::symlink_metadata(&kept).is_ok();
        match entry.before {
            Before::Nothing if is_ours => Ok(BackStep::Remove),
            Before::Nothing if standing == Standing::Nothing => Ok(BackStep::Leave),
            Before::Kept if is_kept && (is_ours || standing == Standing::Nothing) => {
                Ok(BackStep::Restore)
            }
            // What an installation leaves that was killed before it came to this applet.
            Before::Kept if is_kept && are_one(&path, &kept) => Ok(BackStep::Leave),
            Before::Kept if !is_kept && (is_ours || standing == Standing::Nothing) => {
                Err(Error::KeptGone { kept, record: directory.record_path() })
            }
            Before::Kept if !is_kept => Ok(BackStep::Leave),
            Before::Nothing | Before::Kept => Err(Error::NotOurs { path, kept }),
        }
    }
}

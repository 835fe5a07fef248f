//! The directory that remembers who has which address, in the format of the CNI plugin host-local.
//!
//! ```text
//! DATADIR/NETWORK/               0755
//!     10.88.0.2                  0600  CONTAINER \r\n IFNAME
//!     last_reserved_ip.0         0600  10.88.0.2: what range set 0 gave last
//!     lock                       0750  flock(2) for as long as anything is read or changed
//!     .portcullis.index          0600  what all address files say: see `index`
//! ```
//!
//! **A process that is killed** leaves an address file whole or not at all: the content is written
//! to a file of another name, which nobody takes for an address, and `link(2)` gives it its own,
//! which fails if there is one. What was left of that other file goes with the next
//! change. `last_reserved_ip` is written in place; torn, it names no address or another one, and the
//! search begins there.
//!
//! **Nothing is synced.** A sync costs milliseconds, and no container outlives a machine that loses
//! power. What is left then of files that were not on disk yet is empty or full of zeros: such a
//! file belongs to nobody ([`Holder::Nobody`]), and its address is free. The CNI plugin would keep
//! it from being given away for ever.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::error::Error;
use super::holder::{Attachment, Holder};
use super::index::{self, Stamp};
use crate::sys::{self, FileLock};

/// Longer than thousands of allocations take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where an address file is written before it gets its name.
const DRAFT: &str = ".portcullis";
const LOCK: &str = "lock";
const INDEX: &str = ".portcullis.index";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// No id and name of an interface is as long together.
const CONTENT_MAX: u64 = 4096;

/// The directory of a network, locked.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// The same, opened: files are found faster from here.
    directory: File,
    _lock: FileLock,
}

/// A file that is called like an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub address: IpAddr,
    name: String,
}

impl Entry {
    /// A file of this name, if that is an address.
    pub(super) fn new(name: &str) -> Option<Self> {
        name.parse().ok().map(|address| Entry { address, name: name.to_owned() })
    }

    /// The file that an address gets.
    pub(super) fn of(address: IpAddr) -> Self {
        Entry { address, name: address.to_string() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Whether an address could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reserved {
    Now,
    Before,
}

impl Store {
    /// Opens a network's directory, making it if need be.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
        made.map_err(failed("create directory", path))?;
        Store::lock(path)
    }

    /// Opens a network's directory, if there is one.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Error> {
        match fs::metadata(path) {
            Ok(_) => Store::lock(path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", path)(error)),
        }
    }

    fn lock(path: &Path) -> Result<Self, Error> {
        let name = path.join(LOCK);
        let mut options = OpenOptions::new();
        // As the CNI plugin opens it: read only, yet created.
        options.read(true).custom_flags(libc::O_CREAT | libc::O_CLOEXEC).mode(0o750);
        let file = options.open(&name).map_err(failed("open", &name))?;
        let lock = sys::lock_file(file, PATIENCE).map_err(failed("lock", &name))?;
        let lock = lock.ok_or(Error::Locked { path: name })?;
        let directory = File::open(path).map_err(failed("open", path))?;
        Ok(Store { path: path.to_owned(), directory, _lock: lock })
    }

    /// All address files and who has them: from the index if that is valid, else from themselves.
    pub(super) fn holders(&self) -> Result<Vec<(Entry, Holder)>, Error> {
        let indexed = || {
            let modified = self.directory.metadata().and_then(|found| found.modified()).ok()?;
            let text = fs::read_to_string(self.path.join(INDEX)).ok()?;
            index::parse(&text, &Stamp { boot: boot()?, modified })
        };
        // Whatever keeps the index from being read, the files are there.
        indexed().map_or_else(|| self.scan(), Ok)
    }

    /// Writes the index, and makes it valid. It is no more than a help, so that a failure is only
    /// told; without its stamp an index is not believed.
    pub(super) fn remember(&self, holders: &mut [(Entry, Holder)]) {
        holders.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let Some(stamp) = boot().and_then(|boot| Stamp::before(&boot, SystemTime::now())) else {
            return;
        };
        let Some(text) = index::print(&stamp, holders) else { return };
        let written = self.overwrite(INDEX, &text).and_then(|()| {
            let stamped = self.directory.set_modified(stamp.modified);
            stamped.map_err(failed("set the time of", &self.path))
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the next call will have to read all address files");
        }
    }

    /// As [`Store::holders`], from the files themselves.
    pub(super) fn scan(&self) -> Result<Vec<(Entry, Holder)>, Error> {
        let read = |entry: Entry| self.holder(&entry).map(|holder| (entry, holder));
        self.entries()?.into_iter().map(read).collect()
    }

    /// All address files, in the order of their names.
    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let failed = |error| failed("read", &self.path)(error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            entries.extend(name.to_str().and_then(Entry::new));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Who has an address. What is no plain file is somebody's, and nothing to be read.
    fn holder(&self, entry: &Entry) -> Result<Holder, Error> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let failed = |error: io::Error| failed("read", &self.path.join(&entry.name))(error);
        let file = match openat(&self.directory, entry.name.as_str(), flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::ELOOP | Errno::ENXIO) => return Ok(Holder::Other),
            Err(errno) => return Err(failed(errno.into())),
        };
        let mut content = [0; 512];
        match (&file).read(&mut content) {
            // A pipe has nothing to say either.
            Ok(0) if !file.metadata().map_err(failed)?.is_file() => Ok(Holder::Other),
            // One read is enough for all that host-local writes, and at its end nothing follows.
            Ok(length) if length < content.len() => Ok(Holder::parse(&content[..length])),
            Ok(length) => {
                let mut content = content[..length].to_vec();
                let rest = file.take(CONTENT_MAX).read_to_end(&mut content);
                rest.map_err(failed)?;
                Ok(Holder::parse(&content))
            }
            Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Holder::Other),
            Err(error) => Err(failed(error)),
        }
    }

    /// Gives an address to an attachment, unless somebody has it.
    pub(super) fn reserve(&self, to: &Attachment, address: IpAddr) -> Result<Reserved, Error> {
        self.clear_draft()?;
        let (draft, name) = (self.path.join(DRAFT), self.path.join(address.to_string()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(failed("create", &draft))?;
        let written = file.write_all(to.content().as_bytes()).map_err(failed("write", &draft));
        let linked = written.map(|()| fs::hard_link(&draft, &name));
        self.clear_draft()?;
        match linked? {
            Ok(()) => Ok(Reserved::Now),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Reserved::Before),
            Err(error) => Err(failed("create", &name)(error)),
        }
    }

    /// Removes what a process that was killed left of a file that it was writing.
    pub(super) fn clear_draft(&self) -> Result<(), Error> {
        self.remove(DRAFT)
    }

    /// Takes an address back.
    pub(super) fn release(&self, entry: &Entry) -> Result<(), Error> {
        self.remove(&entry.name)
    }

    /// What a range set gave last; nothing where that cannot be read, for it only says where to
    /// begin.
    pub(super) fn last(&self, set: usize) -> Option<IpAddr> {
        let text = fs::read_to_string(self.path.join(last_name(set))).ok()?;
        text.parse().ok()
    }

    /// Notes what a range set gave last.
    pub(super) fn note_last(&self, set: usize, address: IpAddr) -> Result<(), Error> {
        self.overwrite(&last_name(set), &address.to_string())
    }

    /// Gives a file another content.
    fn overwrite(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        let failed = |error| failed("write", &path)(error);
        let mut options = OpenOptions::new();
        // Not truncated first: file systems hurry a file to disk that was empty for a moment.
        options.write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        file.set_len(length).map_err(failed)
    }

    /// The directory's path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a file; that it is not there is success.
    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("remove", &path)(error)),
        }
    }
}

fn last_name(set: usize) -> String {
    format!("last_reserved_ip.{set}")
}

/// Which start of the machine this is; nothing where `/proc` does not say.
fn boot() -> Option<String> {
    fs::read_to_string(BOOT_ID).ok().map(|text| text.trim().to_owned())
}

/// An error of the file system with what was tried.
pub(super) fn failed(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Store { op, path, source }
}

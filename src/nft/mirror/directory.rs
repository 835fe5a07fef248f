//! The directory of a network namespace's mirrors: its files, and who may have written them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statfs::{FsType, fstatfs, statfs};
use nix::unistd::geteuid;

use super::ledger::{Instance, Ledger};
use super::record;
use crate::sys::{FileLock, lock_file};

/// The files of boot time: below it nothing outlives the cookies of network namespaces.
const RUN: &str = "/run";
const HOUSE: &str = "/run/portcullis";
/// The directories of all network namespaces, by their cookies.
const ALL: &str = "/run/portcullis/mirrors";
const LEDGER: &str = "ledger";
/// Every module that is loaded has a directory here; one that is part of the kernel may have none.
const MODULES: &str = "/sys/module";
const MODULE: &str = "/sys/module/nf_tables";

/// The file systems that begin empty with each boot (`TMPFS_MAGIC`, `RAMFS_MAGIC`).
const OF_MEMORY: [FsType; 2] = [FsType(0x0102_1994), FsType(0x8584_58f6)];

/// So much of a mirror is read at a time.
const CHUNK: usize = 64 << 10;
/// Longer than anybody holds the lock who is running.
const PATIENCE: Duration = Duration::from_millis(2);
/// What was not written to for so long is thought to be of a namespace that has gone.
const AGE: Duration = Duration::from_secs(60 * 60);

/// An open directory that is ours and in memory.
#[derive(Debug)]
pub(super) struct Directory {
    handle: File,
    path: PathBuf,
    pub(super) instance: Instance,
}

impl Directory {
    /// Opens the directory of a namespace, if there is one that can be trusted.
    pub(super) fn open(netns: u64) -> Option<Self> {
        let path = Path::new(ALL).join(format!("{netns:x}"));
        let handle = open_own(&path, 0o077)?;
        if !OF_MEMORY.contains(&fstatfs(&handle).ok()?.filesystem_type()) {
            return None;
        }
        let instance = Instance { netns, module: module()? };
        Some(Directory { handle, path, instance })
    }

    /// Opens it, and makes it if it is not there.
    pub(super) fn make(netns: u64) -> Option<Self> {
        if !OF_MEMORY.contains(&statfs(RUN).ok()?.filesystem_type()) {
            return None;
        }
        let own = Path::new(ALL).join(format!("{netns:x}"));
        for directory in [Path::new(HOUSE), Path::new(ALL), &own] {
            match DirBuilder::new().mode(0o700).create(directory) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    tracing::debug!(%error, ?directory, "no mirrors");
                    return None;
                }
                Ok(()) | Err(_) => open_own(directory, 0o022).map(drop)?,
            }
        }
        Directory::open(netns)
    }

    /// Takes the lock of all who write here; `None` if others hold it for long.
    pub(super) fn lock(&self) -> Option<FileLock> {
        lock_file(self.handle.try_clone().ok()?, PATIENCE).ok().flatten()
    }

    /// The ledger, if there is a whole one about this very nf_tables.
    pub(super) fn ledger(&self) -> Option<Ledger> {
        let mut bytes = Vec::with_capacity(4096);
        open(&self.path.join(LEDGER)).ok()?.read_to_end(&mut bytes).ok()?;
        Ledger::decode(&bytes).filter(|ledger| ledger.instance == self.instance)
    }

    /// Writes the ledger in its place: who reads meanwhile finds that it is half written.
    pub(super) fn write_ledger(&self, ledger: &Ledger) -> io::Result<()> {
        write(&self.path.join(LEDGER), &ledger.encode(), 0)
    }

    /// Hands over the records in the first bytes of a mirror, each as a whole; `None` if it has not
    /// that many bytes, or `each` says so. One buffer serves them all: fresh memory would take
    /// longer than the reading.
    pub(super) fn records(
        &self,
        file: u64,
        length: u64,
        mut each: impl FnMut(&[u8]) -> Option<()>,
    ) -> Option<()> {
        let mut file = open(&self.mirror(file)).ok()?;
        let mut left = usize::try_from(length).ok()?;
        let (mut buffer, mut filled) = (vec![0; CHUNK], 0);
        loop {
            let mut at = 0;
            while let Some(size) = buffer[at..filled].first_chunk().and_then(record::length) {
                let Some(record) = buffer[..filled].get(at..at.checked_add(size)?) else { break };
                each(record)?;
                at += size;
            }
            if left == 0 {
                return (at == filled).then_some(());
            }
            buffer.copy_within(at..filled, 0);
            filled -= at;
            if filled == buffer.len() {
                buffer.resize(filled * 2, 0);
            }
            let room = left.min(buffer.len() - filled);
            let got = file.read(&mut buffer[filled..filled + room]).ok().filter(|got| *got > 0)?;
            filled += got;
            left -= got;
        }
    }

    /// Whether half of the file system is still free when so many bytes are written: others need it
    /// more, and it may be small.
    pub(super) fn has_room(&self, length: u64) -> bool {
        let Ok(found) = fstatfs(&self.handle) else { return false };
        // One without a limit says that it has no blocks at all.
        let size = u64::try_from(found.block_size()).unwrap_or(0);
        let after = (found.blocks_available() * size).checked_sub(length);
        found.blocks() == 0 || after.is_some_and(|after| after >= found.blocks() * size / 2)
    }

    /// How many bytes other namespaces have here. Directories that nobody wrote to for an hour are
    /// removed; if one is in use all the same, its next reader asks the kernel, and writes it anew.
    pub(super) fn others(&self) -> u64 {
        let Ok(all) = fs::read_dir(ALL) else { return 0 };
        let others = all.flatten().map(|directory| directory.path());
        let now = SystemTime::now();
        others.filter(|path| *path != self.path).map(|path| length_unless_old(&path, now)).sum()
    }

    /// Writes bytes of a mirror from a place on.
    pub(super) fn write(&self, file: u64, at: u64, bytes: &[u8]) -> io::Result<()> {
        write(&self.mirror(file), bytes, at)
    }

    /// Removes a mirror.
    pub(super) fn remove(&self, file: u64) {
        remove(&self.mirror(file));
    }

    /// Removes all files.
    pub(super) fn clear(&self) {
        let Ok(files) = fs::read_dir(&self.path) else { return };
        files.flatten().for_each(|file| remove(&file.path()));
    }

    fn mirror(&self, file: u64) -> PathBuf {
        self.path.join(file.to_string())
    }
}

/// Opens a directory of this user's, if it forbids others so much.
fn open_own(path: &Path, forbidden: u32) -> Option<File> {
    let flags = nix::libc::O_DIRECTORY | nix::libc::O_NOFOLLOW;
    let handle = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let found = handle.metadata().ok()?;
    (found.uid() == geteuid().as_raw() && found.mode() & forbidden == 0).then_some(handle)
}

fn open(path: &Path) -> io::Result<File> {
    // Something else than a file is not waited for.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Writes bytes of a file from a place on, and makes it if it is not there.
fn write(path: &Path, bytes: &[u8], at: u64) -> io::Result<()> {
    // A process that goes past its limit is sent SIGXFSZ, and iptables has no files to end for.
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if at + bytes.len() as u64 > limit {
        return Err(Errno::EFBIG.into());
    }
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(flags).open(path)?.write_all_at(bytes, at)
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, ?path, "a mirror stays");
    }
}

/// The number of nf_tables as it is loaded: its generations begin anew each time. `None` where
/// that cannot be told.
fn module() -> Option<u64> {
    match fs::metadata(MODULE) {
        Ok(found) => Some(found.ino()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::metadata(MODULES).is_ok().then_some(0)
        }
        Err(_) => None,
    }
}

/// Removes a directory if it is old, else returns how many bytes it has.
fn length_unless_old(path: &Path, now: SystemTime) -> u64 {
    let written = fs::metadata(path.join(LEDGER)).or_else(|_| fs::metadata(path));
    let age = written.and_then(|found| found.modified()).ok();
    if age.and_then(|at| now.duration_since(at).ok()).is_some_and(|age| age > AGE) {
        match fs::remove_dir_all(path) {
            Ok(()) => return 0,
            Err(error) => tracing::debug!(%error, ?path, "mirrors stay"),
        }
    }
    let files = fs::read_dir(path).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum()
}

//! Which network namespace this process is in, which one a path names, and work inside another.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::sched::{CloneFlags, setns};
use nix::sys::stat::fstat;
use nix::sys::statfs::{FsType, fstatfs};

/// `NSFS_MAGIC` of linux/magic.h: the filesystem of namespaces.
const NSFS_MAGIC: FsType = FsType(0x6e73_6673);

/// `NS_GET_NSTYPE` of linux/nsfs.h: which kind of namespace it is, as its `CLONE_NEW*`.
const NS_GET_NSTYPE: nix::libc::c_ulong = 0xb703;

/// The identity of a network namespace: its inode. Unique while the namespace lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetnsId(pub u64);

/// The namespace of the calling thread.
///
/// # Errors
/// Where `/proc` is not mounted.
pub fn current_netns() -> io::Result<NetnsId> {
    let file = File::open("/proc/thread-self/ns/net")?;
    Ok(NetnsId(fstat(&file)?.st_ino))
}

/// The network namespace that a path names; `None` if the path is there but is something else.
///
/// Looks before it opens: opening a FIFO would wait for its other end.
///
/// # Errors
/// Whatever opening the path says; `NotFound` when it is gone.
pub fn netns_at(path: &Path) -> io::Result<Option<NetnsId>> {
    Ok(NetnsFile::open(path)?.map(|netns| netns.id))
}

/// A network namespace held open: it lives at least as long as this.
#[derive(Debug)]
pub struct NetnsFile {
    file: File,
    id: NetnsId,
}

impl NetnsFile {
    /// Opens the network namespace that a path names; `None` if the path is there but is something
    /// else.
    ///
    /// # Errors
    /// Whatever opening the path says; `NotFound` when it is gone.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = open_netns(path)? else { return Ok(None) };
        let id = NetnsId(fstat(&file)?.st_ino);
        Ok(Some(NetnsFile { file, id }))
    }

    /// Opens the namespace of the calling thread.
    ///
    /// # Errors
    /// Where `/proc` is not mounted.
    pub fn own() -> io::Result<Self> {
        let file = File::open("/proc/thread-self/ns/net")?;
        let id = NetnsId(fstat(&file)?.st_ino);
        Ok(NetnsFile { file, id })
    }

    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> NetnsId {
        self.id
    }
}

impl AsFd for NetnsFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Does some work with the calling thread inside another network namespace: what it opens there
/// (sockets, files below `/proc/sys/net`) belongs to that namespace for good. The thread comes
/// back whatever the work does. If it cannot, the process ends: going on would change the wrong
/// namespace.
///
/// # Errors
/// Where the namespace cannot be entered (CAP_SYS_ADMIN); nothing was done then.
pub fn in_netns<T>(netns: &NetnsFile, work: impl FnOnce() -> T) -> io::Result<T> {
    let own = NetnsFile::own()?;
    if own.id == netns.id {
        return Ok(work());
    }
    setns(netns, CloneFlags::CLONE_NEWNET)?;
    // Only now: who could not go in cannot come back either, and need not.
    let _way_back = WayBack(own);
    Ok(work())
}

/// Leads back into a namespace when dropped.
struct WayBack(NetnsFile);

impl Drop for WayBack {
    fn drop(&mut self) {
        if let Err(errno) = setns(&self.0, CloneFlags::CLONE_NEWNET) {
            tracing::error!(%errno, "cannot return to the host's network namespace");
            std::process::abort();
        }
    }
}

fn open_netns(path: &Path) -> io::Result<Option<File>> {
    let place = OpenOptions::new().read(true).custom_flags(nix::libc::O_PATH).open(path)?;
    let kind = fstatfs(&place)?.filesystem_type();
    if kind != NSFS_MAGIC {
        return Ok(None);
    }
    let file = File::open(path)?;
    // SAFETY: the descriptor is open; this ioctl takes no argument and returns a number, or -1 on
    // what is no namespace.
    let kind = unsafe { nix::libc::ioctl(file.as_raw_fd(), NS_GET_NSTYPE) };
    let is_netns = kind == nix::libc::CLONE_NEWNET;
    Ok(is_netns.then_some(file))
}

/// Whether a process that can be seen in `/proc` lives in a network namespace. Reads a link for
/// each process: for the rare case that somebody's life depends on it.
#[must_use]
pub fn is_inhabited(netns: NetnsId) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    let link = format!("net:[{}]", netns.0);
    processes
        .flatten()
        .filter_map(|process| std::fs::read_link(process.path().join("ns/net")).ok())
        .any(|there| there.as_os_str() == link.as_str())
}

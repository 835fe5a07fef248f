//! Which network namespace this process is in, and which one a path names.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::sys::stat::fstat;
use nix::sys::statfs::{FsType, fstatfs};

/// `NSFS_MAGIC` of linux/magic.h: the filesystem of namespaces.
const NSFS_MAGIC: FsType = FsType(0x6e73_6673);
/// `PROC_SUPER_MAGIC`: what `/proc/PID/ns/net` is on before Linux 3.19.
const PROC_SUPER_MAGIC: FsType = FsType(0x9fa0);

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

/// The namespace that a path names; `None` if the path is there but is no namespace.
///
/// # Errors
/// Whatever opening the path says; `NotFound` when it is gone.
pub fn netns_at(path: &Path) -> io::Result<Option<NetnsId>> {
    let file = File::open(path)?;
    let kind = fstatfs(&file)?.filesystem_type();
    debug_assert!(file.as_raw_fd() >= 0);
    if kind == NSFS_MAGIC || kind == PROC_SUPER_MAGIC {
        Ok(Some(NetnsId(fstat(&file)?.st_ino)))
    } else {
        Ok(None)
    }
}

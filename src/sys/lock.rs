//! A lock per network namespace, held by our own processes while they read and change rules.
//!
//! It is `flock(2)` on the namespace itself (`/proc/thread-self/ns/net`): every process of a
//! namespace finds the same inode, so there is no path to agree on, nothing to create and nothing
//! to clean up, and the kernel releases it when the holder dies.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Holds the lock until dropped.
#[derive(Debug)]
pub struct NetnsLock {
    _held: Flock<File>,
}

/// Waits for the lock of the calling thread's network namespace.
///
/// # Errors
/// Where `/proc` is not mounted, or locks are refused.
pub fn lock_netns() -> io::Result<NetnsLock> {
    let mut file = File::open("/proc/thread-self/ns/net")?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(held) => return Ok(NetnsLock { _held: held }),
            Err((again, Errno::EINTR)) => file = again,
            Err((_, errno)) => return Err(errno.into()),
        }
    }
}

//! Locks among processes: `flock(2)`, which the kernel releases when the holder dies.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Holds the lock of a file until dropped.
#[derive(Debug)]
pub struct FileLock {
    _held: Flock<File>,
}

/// Takes the lock of the calling thread's network namespace, waiting for it at most so long.
///
/// It is the lock of the namespace itself (`/proc/thread-self/ns/net`): every process of a
/// namespace finds the same inode, so there is no path to agree on, nothing to create and nothing
/// to clean up.
///
/// `None` if somebody held it all that time. Anybody in the namespace can open its file and lock
/// it, so the lock is a courtesy among our own processes: it saves them retries, and nothing may
/// rest on it alone.
///
/// # Errors
/// Where `/proc` is not mounted, or locks are refused.
pub fn lock_netns(patience: Duration) -> io::Result<Option<FileLock>> {
    lock_file(File::open("/proc/thread-self/ns/net")?, patience)
}

/// Takes the lock of a file for this process alone, waiting for it at most so long; `None` if
/// somebody held it all that time.
///
/// # Errors
/// Where locks are refused.
pub fn lock_file(mut file: File, patience: Duration) -> io::Result<Option<FileLock>> {
    let begin = Instant::now();
    let mut pause = Duration::from_micros(50);
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Some(FileLock { _held: held })),
            Err((again, Errno::EWOULDBLOCK | Errno::EINTR)) => file = again,
            Err((_, errno)) => return Err(errno.into()),
        }
        if begin.elapsed() > patience {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

//! What concerns the process as a whole: a child that outlives it.

use std::os::fd::RawFd;
use std::time::Duration;

use nix::unistd::{ForkResult, fork};

/// Keeps descriptors open for a while after this process has ended, in a child of its own.
///
/// On kernels from 6.1 on, closing a netfilter socket waits for all deletions of the namespace,
/// anybody's, to be freed: an RCU grace period of about 10 ms. The child waits it out, so that the
/// caller's caller need not. The child holds nothing else: standard input, output and error are closed, and
/// so is every descriptor that is not in `keep`.
///
/// A failed fork is no failure: the wait then happens at exit, as it always did.
pub fn outlive(keep: &[RawFd], time: Duration) {
    // SAFETY: the child calls only async-signal-safe functions (close_range/close, nanosleep,
    // _exit) and never returns, so state that another thread may have held locked is not touched.
    let Ok(ForkResult::Child) = (unsafe { fork() }) else { return };
    let mut keep = keep.to_vec();
    keep.sort_unstable();
    let mut first = 0;
    for fd in keep {
        close_range(first, fd - 1);
        first = fd + 1;
    }
    close_range(first, RawFd::MAX);
    let wait = nix::libc::timespec {
        tv_sec: time.as_secs().cast_signed(),
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    // SAFETY: `wait` is a valid timespec; the remainder is not asked for. _exit does not return.
    unsafe {
        nix::libc::nanosleep(&raw const wait, std::ptr::null_mut());
        nix::libc::_exit(0)
    }
}

/// Closes all descriptors from the first to the last: close_range(2), Linux 5.9; one by one on
/// older kernels, up to a number that a short-lived program does not exceed.
fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: the call takes two numbers and a flag, touches no memory, and closes descriptors
    // that nothing in this child uses any more.
    let rc = unsafe { nix::libc::syscall(nix::libc::SYS_close_range, first, last, 0) };
    if rc != 0 {
        for fd in first..=last.min(255) {
            // SAFETY: close takes any number; an unused one is EBADF and means nothing here.
            unsafe { nix::libc::close(fd) };
        }
    }
}

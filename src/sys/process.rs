//! What concerns the process as a whole: a child that outlives it.

use std::os::fd::RawFd;

use nix::unistd::{ForkResult, fork};

/// Keeps descriptors open after this process has ended, in a child of its own that does `wait` and
/// then ends too.
///
/// On kernels from 6.1 on, closing a netfilter socket waits for all deletions of the namespace,
/// anybody's, to be freed: an RCU grace period of about 10 ms. The child waits it out, so that the
/// caller's caller need not. It holds nothing else: every descriptor that is not in `keep`,
/// standard input, output and error included, is closed.
///
/// Returns whether there is such a child. A process of several threads is not forked, and a failed
/// fork is no failure: the wait then happens at exit, as it always did.
pub fn outlive(keep: &[RawFd], wait: impl FnOnce()) -> bool {
    if !has_one_thread() {
        return false;
    }
    // SAFETY: the process has one thread, this one, so no lock can be held by a
    // thread that the child lacks, and the child may run any code. It never leaves this function.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {}
        Ok(ForkResult::Parent { .. }) => return true,
        Err(_) => return false,
    }
    let _leave = LeaveOnDrop;
    let mut keep = keep.to_vec();
    keep.sort_unstable();
    let mut first = 0;
    for fd in keep {
        close_range(first, fd - 1);
        first = fd + 1;
    }
    close_range(first, RawFd::MAX);
    // Nor does it hold the directory that it was started in, which may be on a mount.
    let _at_root = std::env::set_current_dir("/");
    wait();
    true
}

/// Ends the process where it is dropped, be it by a panic: a child must not go on as its parent.
struct LeaveOnDrop;

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        // SAFETY: _exit does not return and runs no handlers, which are the parent's to run.
        unsafe { nix::libc::_exit(0) }
    }
}

/// Whether the process has but one thread, as far as `/proc` can tell.
fn has_one_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
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

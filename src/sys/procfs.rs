//! A `/proc` of this process's own.
//!
//! The kernel keeps what was looked up below `/proc/sys/net` in one list of names for all network
//! namespaces: among 1500 of them it takes 1.3 ms to find `net/ipv6` of a new one (Linux 6.18). In
//! a procfs that nobody else uses the list is empty: 0.04 ms, and as much to mount it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};
use nix::sys::statvfs::FsFlags;

/// `FSCONFIG_CMD_CREATE` of linux/mount.h.
const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
/// `FSOPEN_CLOEXEC` and `FSMOUNT_CLOEXEC` of linux/mount.h.
const CLOEXEC: libc::c_uint = 1;

/// Opens a file below `/proc`, which it is given without: `sys/net/ipv4/ip_forward`. Of network
/// namespaces it is that of the calling thread.
///
/// Where no procfs may be mounted (fsopen(2) came with Linux 5.2 and wants CAP_SYS_ADMIN) it is
/// the one at `/proc`. So it is where somebody meant to confine this process: where `/proc/sys/net`
/// is read-only or hidden by another mount, and under a filter of system calls (seccomp(2)), which
/// may kill who mounts. A mount deeper below, over `ipv4` alone, is not looked for.
///
/// # Errors
/// Whatever open(2) says.
pub fn open_proc(path: &Path, flags: OFlag) -> io::Result<File> {
    static OWN: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let flags = flags | OFlag::O_CLOEXEC;
    let file = match OWN.get_or_init(|| if is_confined() { None } else { mount().ok() }) {
        Some(own) => openat(own, path, flags, Mode::empty())?,
        None => nix::fcntl::open(&Path::new("/proc").join(path), flags, Mode::empty())?,
    };
    Ok(File::from(file))
}

/// Whether sysctls are to be had at `/proc` alone, or not at all.
fn is_confined() -> bool {
    let sysctls = statfs("/proc/sys/net");
    let are_plain = sysctls.is_ok_and(|sysctls| {
        sysctls.filesystem_type() == PROC_SUPER_MAGIC
            && !sysctls.flags().contains(FsFlags::ST_RDONLY)
    });
    // SAFETY: this option takes no further argument.
    !are_plain || unsafe { libc::prctl(libc::PR_GET_SECCOMP) } != 0
}

/// Mounts a procfs at no place: it goes when its descriptor is closed.
fn mount() -> Result<OwnedFd, Errno> {
    // SAFETY: the string is constant and ends with NUL.
    let context = unsafe { libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), CLOEXEC) };
    let context = descriptor(context)?;
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: this command takes neither key nor value.
    let made = unsafe {
        let (fd, create) = (context.as_raw_fd(), FSCONFIG_CMD_CREATE);
        libc::syscall(libc::SYS_fsconfig, fd, create, none, none, 0)
    };
    Errno::result(made)?;
    // SAFETY: all arguments are numbers.
    descriptor(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), CLOEXEC, 0) })
}

/// What a system call gives: a descriptor that is nobody's yet, or an error.
fn descriptor(given: libc::c_long) -> Result<OwnedFd, Errno> {
    let given = Errno::result(given)?;
    let number = i32::try_from(given).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just opened it for this process.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

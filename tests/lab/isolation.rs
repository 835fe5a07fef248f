//! How a test's thread leaves the machine's namespaces.
//!
//! Mount and network namespaces belong to a thread (`unshare(2)`), so that tests in one process do
//! not meet. Threads and processes started from here inherit both. All of it goes away with the
//! last of them. `/proc/sys/net` follows the network namespace of whoever opens a file in it.

use std::fs;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Gives the calling thread a mount and a network namespace of its own, with an empty `/run`:
/// named network namespaces and `xtables.lock` in there are this test's alone.
pub fn isolate() {
    let flags = CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET;
    unshare(flags).unwrap_or_else(|errno| {
        panic!(
            "lab: no namespaces of its own ({errno}): these tests send real packets between \
             network namespaces and need root with CAP_SYS_ADMIN and CAP_NET_ADMIN"
        )
    });
    // Else what is mounted below would show up in the machine's own mount namespace.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .unwrap_or_else(|errno| panic!("lab: make mounts private: {errno}"));
    mount(Some("lab"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))
        .unwrap_or_else(|errno| panic!("lab: mount tmpfs over /run: {errno}"));
    for directory in ["/run/netns", "/run/lock"] {
        fs::create_dir(directory).unwrap_or_else(|e| panic!("lab: mkdir {directory}: {e}"));
    }
}

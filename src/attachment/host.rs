//! The host: the kernel's tables that an operation works on, and how it leaves them.

use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use crate::conntrack::Conntrack;
use crate::nft::{Error, Kernel};
use crate::sys;

/// How long the kernel may take to free what was deleted: an RCU grace period, several times over.
const GRACE: Duration = Duration::from_millis(100);

/// Open connections of one operation.
#[derive(Debug)]
pub struct Host {
    pub(super) kernel: Kernel,
    pub(super) conntrack: Option<Conntrack>,
}

impl Host {
    /// Opens the host's nf_tables.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open() -> Result<Self, Error> {
        Ok(Host { kernel: Kernel::open()?, conntrack: None })
    }
}

impl Drop for Host {
    /// Closing a netfilter socket waits for the kernel to free what was deleted in the namespace
    /// a moment ago, by anybody: about 10 ms on Linux 6.1 and newer. A child process holds the sockets open over that time, so
    /// that neither this process nor its caller waits.
    fn drop(&mut self) {
        let conntrack = self.conntrack.as_ref().map(AsRawFd::as_raw_fd);
        let held: Vec<RawFd> = [self.kernel.as_raw_fd()].into_iter().chain(conntrack).collect();
        sys::outlive(&held, GRACE);
    }
}

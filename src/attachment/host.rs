//! The host: the kernel's tables that an operation works on, and how it leaves them.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::Error;
use super::stale::{self, Stale};
use crate::conntrack::Conntrack;
use crate::nft::Kernel;
use crate::ruleset::{Lock, Plan, apply};
use crate::sys;

/// Open connections of one operation.
#[derive(Debug)]
pub struct Host {
    pub(super) kernel: Kernel,
    pub(super) conntrack: Option<Conntrack>,
    /// Flows that are still to be forgotten when the answer is given.
    pub(super) stale: Vec<Stale>,
    has_committed: bool,
}

impl Host {
    /// Opens the host's nf_tables.
    ///
    /// # Errors
    /// [`Error::Nft`].
    pub fn open() -> Result<Self, Error> {
        let kernel = Kernel::open()?;
        Ok(Host { kernel, conntrack: None, stale: Vec::new(), has_committed: false })
    }
}

impl Host {
    /// Makes a plan under the lock and commits it, until the kernel has taken one.
    pub(super) fn change(
        &mut self,
        plan: impl FnMut(&mut Kernel) -> Result<Plan, Error>,
    ) -> Result<Plan, Error> {
        let plan = {
            let (_held, lock) = lock()?;
            apply(&mut self.kernel, lock, plan)?
        };
        self.committed(&plan);
        Ok(plan)
    }

    /// Notes what was committed: closing can be slow from now on.
    pub(super) fn committed(&mut self, plan: &Plan) {
        self.has_committed |= !plan.is_empty();
    }
}

/// How long to wait for other processes of ours: some hundred of them in a row.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Keeps our own processes out as long as the first value lives, if that can be had.
pub(super) fn lock() -> Result<(Option<impl Sized>, Lock), Error> {
    // Who holds it for so long does so for longer: one wait is enough.
    static IN_VAIN: AtomicBool = AtomicBool::new(false);
    let patience = if IN_VAIN.load(Ordering::Relaxed) { Duration::ZERO } else { LOCK_PATIENCE };
    let held = sys::lock_netns(patience).map_err(Error::Lock)?;
    IN_VAIN.store(held.is_none(), Ordering::Relaxed);
    let lock = if held.is_some() {
        Lock::Held
    } else {
        tracing::warn!("another process keeps the network namespace locked; going on without");
        Lock::Missing
    };
    Ok((held, lock))
}

impl Drop for Host {
    /// Closing a netfilter socket waits for the kernel to free what was deleted in the namespace a
    /// moment ago, by anybody, about 10 ms on Linux 6.1 and newer, and holds up every commit
    /// meanwhile. A child process keeps the sockets until nobody has committed for a while, so
    /// that neither this process and its caller wait, nor the next one. It also forgets what flows
    /// are left to it; where there can be no child, they are forgotten here.
    fn drop(&mut self) {
        let conntrack = self.conntrack.as_ref().map(AsRawFd::as_raw_fd);
        let mut held: Vec<RawFd> = [self.kernel.as_raw_fd()].into_iter().chain(conntrack).collect();
        if self.stale.is_empty() && (sys::hand_over(&held) || !self.has_committed) {
            return;
        }
        let keeper = sys::Keeper::open();
        held.extend(keeper.as_ref().map(sys::Keeper::as_raw_fd));
        let outlived = sys::outlive(&held, || {
            stale::forget_now(&mut self.conntrack, &self.stale);
            self.kernel.keep(keeper);
        });
        if !outlived {
            stale::forget_now(&mut self.conntrack, &self.stale);
        }
    }
}

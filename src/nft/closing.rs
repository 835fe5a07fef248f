//! Closing the connection without waiting for the kernel.
//!
//! After a delete in the network namespace, of anybody's, close(2) of a netfilter socket waits for
//! an RCU grace period, 5 to 20 ms, and holds up every commit meanwhile. So a process that has
//! committed leaves its socket to a child, the keeper, which waits until nobody has committed for a
//! while. The processes that come after it, also those that only read, hand their sockets to that
//! keeper, which is cheaper than a child of their own.

use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use super::Kernel;
use crate::sys;

/// Longer than a grace period takes, in milliseconds.
const GRACE: u16 = 50;
/// How long a keeper stays at most where others go on committing.
const PATIENCE: Duration = Duration::from_secs(2);

impl Kernel {
    /// Closes the connection after a commit: in the keeper, or in a child that becomes it. Where
    /// there can be no child, this process waits.
    pub fn close_later(mut self) {
        if sys::hand_over(&[self.as_raw_fd()]) {
            return;
        }
        let keeper = sys::Keeper::open();
        let listener = keeper.as_ref().map(sys::Keeper::as_raw_fd);
        let kept: Vec<RawFd> = [self.as_raw_fd()].into_iter().chain(listener).collect();
        sys::outlive(&kept, || self.keep(keeper));
    }

    /// Closes the connection after mere reading: in the keeper, if there is one, as somebody has
    /// committed a moment ago then; or at once.
    pub fn close(self) {
        let _kept = sys::hand_over(&[self.as_raw_fd()]);
    }

    /// Waits until nobody has committed for 50 ms, or 2 s, and takes sockets in meanwhile.
    pub fn keep(&mut self, mut keeper: Option<sys::Keeper>) {
        let begin = Instant::now();
        let mut before = None;
        while begin.elapsed() < PATIENCE {
            let taken = match &mut keeper {
                Some(keeper) => keeper.take_in(GRACE),
                None => {
                    std::thread::sleep(Duration::from_millis(GRACE.into()));
                    Ok(false)
                }
            };
            let Ok(taken) = taken else { return };
            if taken {
                continue;
            }
            let now = self.generation().ok();
            if now.is_none() || now == before {
                return;
            }
            before = now;
        }
    }
}

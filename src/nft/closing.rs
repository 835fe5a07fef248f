//! Closing the connection without waiting for the kernel.

use std::os::fd::AsRawFd;
use std::time::Duration;

use super::Kernel;
use crate::sys;

/// Longer than a grace period takes.
const GRACE: Duration = Duration::from_millis(50);
/// How many of them a child waits for others to be done.
const PATIENCE: u32 = 40;

impl Kernel {
    /// Closes the connection without making the caller wait. After a delete, close(2) of a
    /// netfilter socket waits for an RCU grace period, 5 to 20 ms, and holds up every commit
    /// meanwhile. A child process keeps the socket until nobody has committed for a while; where
    /// there can be none, this process waits.
    pub fn close_in_child(mut self) {
        sys::outlive(&[self.as_raw_fd()], || self.wait_for_quiet());
    }

    /// Waits until nobody has committed for 50 ms; at most 2 s.
    pub fn wait_for_quiet(&mut self) {
        let mut before = None;
        for _ in 0..PATIENCE {
            let now = self.generation().ok();
            if now.is_none() || now == before {
                return;
            }
            before = now;
            std::thread::sleep(GRACE);
        }
    }
}

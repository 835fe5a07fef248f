//! Waiting, with an end, for what the kernel does in its own time.
//!
//! A link's state and the end of duplicate address detection are mostly there within a
//! millisecond, so the first looks follow closely upon one another.

use std::thread;
use std::time::Duration;

use super::address::Detection;
use super::error::Error;
use super::links::Links;
use super::value::{Link, OperState};
use crate::net::IpVersion;

/// How long a link may take until it can carry packets.
const OPERATIONAL: Duration = Duration::from_millis(2550);
/// How long duplicate address detection may take.
const DETECTION: Duration = Duration::from_secs(5);
/// The pause before the second look; each is twice the one before, up to the longest.
const SHORTEST: Duration = Duration::from_micros(250);
const LONGEST: Duration = Duration::from_millis(50);

impl Links {
    /// Waits up to 2.55 seconds until a link can carry packets, and returns it as it then is.
    ///
    /// # Errors
    /// [`Error::NotOperational`] if it still cannot, [`Error::NoSuchLink`] if it is gone.
    pub fn wait_operational(&self, link: &Link) -> Result<Link, Error> {
        let mut pauses = Pauses::new(OPERATIONAL);
        loop {
            let now = self.link_at(link.index)?;
            let now = now.ok_or_else(|| Error::NoSuchLink { name: link.name.clone() })?;
            if now.state == OperState::Up {
                return Ok(now);
            }
            let Some(pause) = pauses.next() else {
                return Err(Error::NotOperational { link: now.name, state: now.state });
            };
            thread::sleep(pause);
        }
    }

    /// Waits up to 5 seconds until no IPv6 address of a link is tentative any more.
    ///
    /// # Errors
    /// [`Error::DuplicateAddress`] if another host has one of them, [`Error::StillTentative`].
    pub fn wait_detection(&self, link: &Link) -> Result<(), Error> {
        let mut pauses = Pauses::new(DETECTION);
        loop {
            let addresses = self.addresses_of(link, IpVersion::V6)?;
            let has = |detection| addresses.iter().find(|one| one.detection == detection);
            if let Some(address) = has(Detection::Failed) {
                let (address, link) = (address.host, link.name.clone());
                return Err(Error::DuplicateAddress { address, link });
            }
            if has(Detection::Tentative).is_none() {
                return Ok(());
            }
            let Some(pause) = pauses.next() else {
                let (link, seconds) = (link.name.clone(), DETECTION.as_secs());
                return Err(Error::StillTentative { link, seconds });
            };
            thread::sleep(pause);
        }
    }
}

/// Pauses that grow, up to a sum.
pub(super) struct Pauses {
    left: Duration,
    next: Duration,
}

impl Pauses {
    pub(super) fn new(sum: Duration) -> Self {
        Pauses { left: sum, next: SHORTEST }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next.min(self.left);
        self.left -= pause;
        self.next = (self.next * 2).min(LONGEST);
        (!pause.is_zero()).then_some(pause)
    }
}

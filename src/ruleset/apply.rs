//! Applying: read, plan, commit; again if others were faster.

use std::time::Duration;

use super::diff::Plan;
use super::error::Error;
use crate::nft::{Applied, Kernel};

/// How often to try with the generation checked. Anybody's commit in the network namespace makes
/// a try fail, so a firewall that others change all the time may need many.
const CHECKED: u32 = 12;
/// How often to try after that without, which the caller's lock makes safe against our own kind.
const UNCHECKED: u32 = 8;
/// How often to try with the generation checked where there is no lock to fall back on.
const UNLOCKED: u32 = 300;

/// Whether the caller keeps our own processes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It does.
    Held,
    /// It could not: every commit that depends on what was read must check the generation.
    Missing,
}

/// Makes a plan with `plan` and commits it, until the kernel has taken one.
///
/// `plan` reads the kernel and compares; it is called again after every commit that came too late.
/// A plan that depends on what was read is committed against that generation. With the lock only
/// foreigners, who have no business in our table, can come between; after a dozen tries the
/// generation is therefore checked no more. Without the lock it always is.
///
/// Returns the plan that is in force, which is empty if nothing was to be done.
///
/// # Errors
/// What `plan` says; [`Error::Nft`] if the kernel refuses a plan for other reasons than its age;
/// [`Error::Contended`] after the last try.
pub fn apply<E: From<Error>>(
    kernel: &mut Kernel,
    lock: Lock,
    mut plan: impl FnMut(&mut Kernel) -> Result<Plan, E>,
) -> Result<Plan, E> {
    let wrap = |error: crate::nft::Error| E::from(Error::Nft(error));
    let (checks, attempts) = match lock {
        Lock::Held => (CHECKED, CHECKED + UNCHECKED),
        Lock::Missing => (UNLOCKED, UNLOCKED),
    };
    for attempt in 0..attempts {
        let generation = kernel.generation().map_err(wrap)?;
        let wanted = plan(kernel)?;
        let _span = tracing::debug_span!("apply", attempt).entered();
        if wanted.is_empty() {
            tracing::debug!("nothing to change");
        } else {
            tracing::debug!("plan:\n{wanted}");
        }
        let checked = wanted.depends_on_snapshot() && attempt < checks;
        match kernel.commit(wanted.transaction(), checked.then_some(generation)) {
            Ok(Applied::Committed) => return Ok(wanted),
            Ok(Applied::Stale) => pause(attempt),
            // Unchecked, a refusal may only mean that the view was old.
            Err(crate::nft::Error::Refused(_))
                if !checked && kernel.generation().map_err(wrap)? != generation =>
            {
                pause(attempt);
            }
            Err(error) => return Err(wrap(error)),
        }
    }
    Err(Error::Contended { attempts }.into())
}

/// Waits a little, differently each time and in each process.
fn pause(attempt: u32) {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let jitter = clock.map(|now| now.subsec_nanos()).unwrap_or(0) ^ std::process::id();
    let most = 20u32 << attempt.min(6);
    std::thread::sleep(Duration::from_micros(u64::from(jitter % most)));
}

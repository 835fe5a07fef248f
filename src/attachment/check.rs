//! Checking: is what should be there; can anything be done here at all.

use super::error::Error;
use super::host::Host;
use super::publish::{Ranking, plan_publish};
use super::record::Attachment;
use crate::firewall::Hostports;
use crate::nft;

/// How often to read again what changed while it was read.
const ATTEMPTS: u32 = 100;

/// Compares the ports that an attachment should have with those that it has.
///
/// # Errors
/// [`Error::Differs`] with the changes that would set it right.
pub fn check(host: &mut Host, attachment: &Attachment, ports: &Hostports) -> Result<(), Error> {
    if ports.publishes.is_empty() {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        let before = host.kernel.generation()?;
        let plan = plan_publish(&mut host.kernel, attachment, ports, Ranking::Own);
        // What others changed while it was read must not look like a difference.
        if host.kernel.generation()? != before {
            continue;
        }
        let (plan, _) = plan?;
        return if plan.is_empty() {
            Ok(())
        } else {
            Err(Error::Differs { plan: plan.to_string() })
        };
    }
    Err(nft::Error::Unsteady { attempts: ATTEMPTS }.into())
}

/// Whether ports can be published here: nf_tables answers, and may be changed.
///
/// # Errors
/// [`Error::Nft`] saying what is missing.
pub fn status() -> Result<(), Error> {
    let mut host = Host::open()?;
    host.kernel.generation()?;
    Ok(())
}

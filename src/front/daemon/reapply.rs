//! `portcullis reapply`: what firewalld forgets when it reloads is put back.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use crate::attachment::{self, Host, Reapplied};
use crate::firewalld::{self, Firewalld, State, Watch};

/// How to go on after that.
#[derive(Debug, Clone, clap::Args)]
pub struct Reapply {
    /// Put back what is missing now, and end; without it, again after each reload of firewalld
    #[arg(long)]
    once: bool,
}

/// What makes it end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to watch.
    #[error("there is no system bus to watch")]
    NoBus,
    /// firewalld, or the bus, failed.
    #[error(transparent)]
    Firewalld(#[from] firewalld::Error),
    /// Reading the records or changing rules failed.
    #[error(transparent)]
    Attachment(#[from] attachment::Error),
    /// firewalld refused some addresses.
    #[error("firewalld refused {count} of the addresses")]
    Refused {
        /// How many.
        count: usize,
    },
    /// It never came to be ready.
    #[error("firewalld is on the system bus, and its rules are not in force after {seconds} s")]
    NotReady {
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// The output could not be written.
    #[error("cannot write what was done")]
    Write(#[from] io::Error),
}

/// How often in a row to look again for a bus that is not there, or fails.
const ATTEMPTS: u32 = 8;
/// The longest pause between two of these.
const PAUSE: Duration = Duration::from_secs(30);
/// How often to ask firewalld whether its rules are in force, once in this time.
const STARTS: (u64, Duration) = (30, Duration::from_secs(1));

/// Puts back what is missing, and then, unless `--once`, waits for firewalld to reload or to come
/// up and does it again. Ends by a signal, or when the bus was not to be had 8 times in a row.
///
/// # Errors
/// [`Error`].
pub fn reapply(options: &Reapply, out: &mut impl Write) -> Result<(), Error> {
    if options.once {
        let firewalld = Firewalld::find()?;
        let done = put_back(firewalld.as_ref(), out)?;
        return match done.refused.len() {
            0 => Ok(()),
            count => Err(Error::Refused { count }),
        };
    }
    let mut failures = 0;
    loop {
        let error = match watch(out, &mut failures) {
            Ok(never) => match never {},
            Err(error @ Error::Write(_)) => return Err(error),
            Err(error) => error,
        };
        failures += 1;
        if failures >= ATTEMPTS {
            return Err(error);
        }
        tracing::warn!(%error, "trying again");
        sleep(PAUSE.min(Duration::from_secs(1 << failures.min(5))));
    }
}

/// Nothing comes of watching but an error.
enum Never {}

fn watch(out: &mut impl Write, failures: &mut u32) -> Result<Never, Error> {
    // It listens before it looks: no reload is missed between.
    let mut watch = Watch::open()?.ok_or(Error::NoBus)?;
    let mut is_there = watch.firewalld().is_there()?;
    loop {
        if is_there {
            wait_until_ready(watch.firewalld())?;
            put_back(Some(watch.firewalld()), out)?;
        } else {
            put_back(None, out)?;
        }
        *failures = 0;
        watch.wait()?;
        is_there = watch.firewalld().is_there()?;
    }
}

/// firewalld has its name on the bus before its rules are in force.
fn wait_until_ready(firewalld: &Firewalld) -> Result<(), Error> {
    let (attempts, pause) = STARTS;
    for _ in 0..attempts {
        match firewalld.state()? {
            State::Running => return Ok(()),
            State::NotYet => sleep(pause),
        }
    }
    Err(Error::NotReady { seconds: attempts * pause.as_secs() })
}

fn put_back(firewalld: Option<&Firewalld>, out: &mut impl Write) -> Result<Reapplied, Error> {
    let done = attachment::reapply(&mut Host::open()?, firewalld)?;
    for error in &done.refused {
        tracing::warn!(%error);
    }
    let (sources, rules) = (done.sources, done.rules);
    writeln!(out, "put back: {sources} addresses in zones, {rules} rules in other chains")?;
    out.flush()?;
    Ok(done)
}

//! The time of one process, its memory, and medians.
//!
//! CPU is user and system time of the process and of all that it waited for, as getrusage(2)
//! gives it for children: the difference before and after. A process that a plugin leaves behind
//! is not in it.

use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// One run of one process.
#[derive(Clone, Copy, Default)]
pub struct Sample {
    pub wall: Duration,
    pub cpu: Duration,
    /// Of the CPU time, that of the programs themselves; the rest is the kernel's. It counts in
    /// ticks of some milliseconds: the mean of many runs says something, one run does not.
    pub user: Duration,
}

impl Sample {
    /// One after the other.
    pub fn plus(self, next: Self) -> Self {
        Self { wall: self.wall + next.wall, cpu: self.cpu + next.cpu, user: self.user + next.user }
    }

    /// What this took more than the other; nothing where it took less.
    pub fn minus(self, other: Self) -> Self {
        Self {
            wall: self.wall.saturating_sub(other.wall),
            cpu: self.cpu.saturating_sub(other.cpu),
            user: self.user.saturating_sub(other.user),
        }
    }
}

/// Run it to its end, its outputs read through pipes as a runtime does.
///
/// # Errors
/// When it ends with anything but 0, with what it said.
pub fn timed(command: &mut Command) -> Result<Sample> {
    let (sample, output) = outcome(command)?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&said).trim());
    }
    Ok(sample)
}

/// As [`timed`], with what it said, whatever it ended with. No other child may end meanwhile.
pub fn outcome(command: &mut Command) -> Result<(Sample, Output)> {
    let (before, begin) = (children_times()?, Instant::now());
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let wall = begin.elapsed();
    let [user, system] = children_times()?;
    let user = user.saturating_sub(before[0]);
    let cpu = user + system.saturating_sub(before[1]);
    Ok((Sample { wall, cpu, user }, output))
}

/// User and system time of all children that were waited for.
fn children_times() -> Result<[Duration; 2]> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
    Ok([duration(usage.user_time()), duration(usage.system_time())])
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// `__rss PROGRAM ARGS`: run it and print the peak resident memory, in KiB, of the largest
/// process in its tree.
///
/// A process of its own for each measurement, since the kernel gives children's memory as one
/// maximum. What this process itself has resident at the start of the program counts as well:
/// the floor, to be measured with a program that needs nothing.
pub fn peak_memory(words: &[String]) -> Result<ExitCode> {
    let Some((program, rest)) = words.split_first() else { bail!("__rss wants a program") };
    let status = Command::new(program).args(rest).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("starting {program}"))?;
    if !status.success() {
        bail!("{program}: {status}");
    }
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?.max_rss());
    Ok(ExitCode::SUCCESS)
}

/// The middle value; for an even count the lower of the two.
pub fn median<T: Ord + Copy + Default>(values: impl IntoIterator<Item = T>) -> T {
    let mut sorted: Vec<T> = values.into_iter().collect();
    sorted.sort_unstable();
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or_default()
}

/// The median time and the median CPU time, each by itself, and the mean of the programs' own.
pub fn medians(samples: &[Sample]) -> Sample {
    let runs = u32::try_from(samples.len()).unwrap_or(u32::MAX).max(1);
    Sample {
        wall: median(samples.iter().map(|sample| sample.wall)),
        cpu: median(samples.iter().map(|sample| sample.cpu)),
        user: samples.iter().map(|sample| sample.user).sum::<Duration>() / runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_when_values_are_unsorted_is_the_middle_one() {
        assert_eq!(median([9, 1, 5]), 5);
        assert_eq!(median([4, 2]), 2);
        assert_eq!(median(Vec::<u8>::new()), 0);
    }
}

//! One kernel after the other, and the report.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use super::kernel::Store;
use super::{image, machine, packages};
use crate::run::{cargo, target_dir};
use crate::setup;

/// The kernel series that are tried: those of the Debian releases since Linux 5.10.
const SERIES: [&str; 3] = ["5.10", "6.1", "6.12"];

/// What the words of the command ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// Empty: all that can be had.
    series: Vec<String>,
    fetch: bool,
}

/// Set up, build, and boot one kernel after the other.
pub fn start(words: &[String]) -> Result<ExitCode> {
    let options = parse(words)?;
    setup::ensure(setup::Purpose::Tests)?;
    packages::ensure()?;
    cargo().args(["build", "--release"]).run()?;
    let store = Store::open(target_dir()?.join("vm"), options.fetch)?;
    let guest = image::build(store.dir())?;
    let begin = Instant::now();
    let mut report = Vec::new();
    for series in chosen(&options) {
        let kernel = match store.kernel(series) {
            Ok(kernel) => kernel,
            Err(error) if options.series.is_empty() => {
                println!("{series}: cannot be had: {error:#}");
                continue;
            }
            Err(error) => return Err(error),
        };
        println!("== {}", kernel.release);
        report.push((kernel.release.clone(), machine::boot(&kernel, &guest)?));
    }
    if report.is_empty() {
        bail!("no kernel could be had");
    }
    println!("== {} kernels in {:.0} s", report.len(), begin.elapsed().as_secs_f64());
    for (release, outcome) in &report {
        println!("{release:<28} {outcome}");
    }
    let all_well = report.iter().all(|(_, outcome)| outcome.is_well());
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(options: &Options) -> Vec<&str> {
    if options.series.is_empty() {
        SERIES.to_vec()
    } else {
        options.series.iter().map(String::as_str).collect()
    }
}

fn parse(words: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--fetch" => options.fetch = true,
            "--kernel" => match words.next() {
                Some(series) => options.series.push(series.clone()),
                None => bail!("`--kernel` wants a series, such as {}", SERIES.join(", ")),
            },
            _ => bail!("vm takes only `--kernel SERIES` and `--fetch`, not `{word}`"),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn parse_when_kernels_are_named_keeps_their_order() -> Result<()> {
        let options = parsed("--kernel 6.12 --fetch --kernel 5.10")?;
        assert_eq!(chosen(&options), ["6.12", "5.10"]);
        assert!(options.fetch);
        assert_eq!(chosen(&parsed("")?), SERIES);
        assert!(parsed("--kernel").is_err() && parsed("6.1").is_err());
        Ok(())
    }
}

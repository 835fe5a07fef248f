//! One boot: qemu, and what the guest says on its console.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use super::kernel::Kernel;
use crate::run::Step;

/// A guest that takes longer is ended, in seconds.
const PATIENCE: &str = "600";
/// How much of the console is shown where the guest did not come to its end.
const LAST_LINES: usize = 30;

/// What the guest said.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Seconds until the guest ran its first program.
    booted: Option<f64>,
    /// Seconds until it was switched off.
    took: f64,
    passed: usize,
    failed: usize,
    ended: bool,
    /// The console's last lines.
    console: Vec<String>,
}

impl Outcome {
    /// Whether every check was made and passed.
    pub fn is_well(&self) -> bool {
        self.ended && self.failed == 0 && self.passed > 0
    }

    /// Take in one line of the console; gives what is to be shown of it. The guest marks its own
    /// lines: `@boot`, `@ok NAME`, `@FAILED NAME`, `@| OUTPUT`, `@end`.
    fn hear(&mut self, line: &str) -> Option<String> {
        let Some(said) = line.trim_end().strip_prefix('@') else {
            self.console.push(line.trim_end().to_owned());
            let surplus = self.console.len().saturating_sub(LAST_LINES);
            self.console.drain(..surplus);
            return None;
        };
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "boot" => {
                self.booted = Some(self.took);
                Some(format!("booted in {:.1} s: {rest}", self.took))
            }
            "ok" => {
                self.passed += 1;
                Some(format!("  ok      {rest}"))
            }
            "FAILED" => {
                self.failed += 1;
                Some(format!("  FAILED  {rest}"))
            }
            "end" => {
                self.ended = true;
                None
            }
            _ => Some(format!("          {said}")),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.booted {
            Some(booted) => write!(out, "booted in {booted:.1} s")?,
            None => write!(out, "did NOT boot")?,
        }
        write!(out, ", {} ok, {} FAILED, {:.0} s", self.passed, self.failed, self.took)?;
        if self.ended { Ok(()) } else { write!(out, ", did not come to its end") }
    }
}

/// Boot a kernel with the guest's files, and show what it says while it says it.
pub fn boot(kernel: &Kernel, guest: &Path) -> Result<Outcome> {
    let initrd = kernel.modules.with_file_name("initrd.img");
    let mut files = fs::read(&kernel.modules).with_context(|| format!("{:?}", kernel.modules))?;
    files.extend(fs::read(guest).with_context(|| format!("reading {guest:?}"))?);
    fs::write(&initrd, files).with_context(|| format!("writing {initrd:?}"))?;
    let step = Step::new("timeout")
        .args([PATIENCE, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "768"])
        .args(["-nographic", "-nic", "none", "-no-reboot"])
        .args(["-kernel", &kernel.vmlinuz.to_string_lossy()])
        .args(["-initrd", &initrd.to_string_lossy()])
        .args(["-append", "console=ttyS0 panic=-1 quiet"]);
    println!("$ {step}");
    let begin = Instant::now();
    let mut qemu = step.command()?.stdout(Stdio::piped()).spawn().context("starting qemu")?;
    let mut console = BufReader::new(qemu.stdout.take().context("qemu's console")?);
    let mut outcome = Outcome::default();
    let mut line = Vec::new();
    while console.read_until(b'\n', &mut line).context("reading qemu's console")? > 0 {
        outcome.took = begin.elapsed().as_secs_f64();
        if let Some(said) = outcome.hear(&String::from_utf8_lossy(&line)) {
            println!("{said}");
        }
        line.clear();
    }
    let status = qemu.wait().context("waiting for qemu")?;
    outcome.took = begin.elapsed().as_secs_f64();
    if !outcome.ended {
        println!("the guest did not come to its end ({status}); its console's last lines:");
        outcome.console.iter().for_each(|line| println!("  {line}"));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_when_all_passed_but_no_end_is_not_well() {
        let mut outcome = Outcome::default();
        for line in ["[ 0.1] noise\r\n", "@boot Linux\r\n", "@ok a thing\r\n"] {
            outcome.hear(line);
        }
        assert!(!outcome.is_well());
        assert_eq!(outcome.hear("@end\r\n"), None);
        assert!(outcome.is_well());
        outcome.hear("@FAILED other");
        assert!(!outcome.is_well());
        assert_eq!(outcome.console, ["[ 0.1] noise"]);
    }
}

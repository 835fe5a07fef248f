//! The commands that are cargo runs: test, ci, bless.

use std::process::{ExitCode, ExitStatus};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::run::{Step, cargo};
use crate::{setup, tidy};

/// `cargo xtask test [-- ARGS]`: the exit code is that of the tests.
pub fn test(words: &[String]) -> Result<ExitCode> {
    let extra = match words.split_first() {
        None => words,
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) => {
            bail!("unexpected argument `{first}`; what cargo test gets follows `--`")
        }
    };
    setup::ensure(setup::Purpose::Tests)?;
    let status = cargo().args(["test", "--workspace"]).args(extra).status()?;
    Ok(code_of(status))
}

/// `cargo xtask ci`: the steps of the build server, up to the first that fails.
pub fn ci() -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Tests)?;
    let whole = Instant::now();
    let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let before: [(&str, Step); 3] = [
        ("fmt", cargo().args(["fmt", "--all", "--check"])),
        ("clippy", cargo().args(lints)),
        (
            "doc",
            cargo().args(["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings"),
        ),
    ];
    for (name, step) in &before {
        let status = timed(name, || step.status())?;
        if !status.success() {
            return Ok(failed(name, code_of(status)));
        }
    }
    let code = timed("tidy", tidy::run)?;
    if code != ExitCode::SUCCESS {
        return Ok(failed("tidy", code));
    }
    let code = timed("test", || test(&[]))?;
    if code != ExitCode::SUCCESS {
        return Ok(failed("test", code));
    }
    println!("ci: all passed, {:.0} s", whole.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask bless`: the golden tests write what they find instead of comparing with it.
pub fn bless() -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Tests)?;
    let status =
        cargo().args(["test", "--test", "golden"]).env("PORTCULLIS_BLESS", "1").status()?;
    Ok(code_of(status))
}

fn timed<T>(name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let start = Instant::now();
    let value = step()?;
    println!("== {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(value)
}

fn failed(name: &str, code: ExitCode) -> ExitCode {
    eprintln!("ci: {name} failed");
    code
}

/// The same exit code; 1 for a process that a signal ended.
fn code_of(status: ExitStatus) -> ExitCode {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        Some(Err(_)) | None => ExitCode::FAILURE,
    }
}

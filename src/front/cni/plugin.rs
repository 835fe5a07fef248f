//! A plugin from call to answer: standard input in, standard output and an exit code out.

use std::io::{Read, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::call::{Call, Command};
use super::env::Environment;
use super::error::Error;
use super::version::CniVersion;
use crate::attachment;

/// A plugin.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// What it is called.
    pub name: &'static str,
    /// The versions of the specification that it knows.
    pub versions: &'static [CniVersion],
    /// ADD: the result to print.
    pub(super) add: fn(&Call) -> Result<Value, Error>,
    /// DEL.
    pub(super) del: Silent,
    /// CHECK.
    pub(super) check: Silent,
    /// GC.
    pub(super) gc: Silent,
    /// STATUS.
    pub(super) status: Silent,
}

/// What a plugin does with a checked call to which no result is printed.
type Silent = fn(&Call) -> Result<(), Error>;

/// No configuration is longer; what is would exhaust memory before it failed.
const STDIN_MAX: u64 = 64 * 1024 * 1024;

/// Runs a plugin as its caller expects: `CNI_*` through `get`, the configuration from `stdin`.
pub fn run(
    plugin: &Plugin,
    get: impl Fn(&str) -> String,
    stdin: impl Read,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> ExitCode {
    let env = Environment::read(get);
    let _span = tracing::info_span!("cni", plugin = plugin.name, command = env.command).entered();
    match env.command.as_str() {
        "" => {
            let versions: Vec<&str> = plugin.versions.iter().map(|v| v.as_str()).collect();
            let about = writeln!(
                stderr,
                "CNI {} plugin portcullis v{}\nCNI protocol versions supported: {}",
                plugin.name,
                env!("CARGO_PKG_VERSION"),
                versions.join(", ")
            );
            return if about.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        "VERSION" => {
            let supported: Vec<&str> = plugin.versions.iter().map(|v| v.as_str()).collect();
            let newest = supported.last().copied().unwrap_or_default();
            let answer = json!({ "cniVersion": newest, "supportedVersions": supported });
            return finish(writeln!(stdout, "{answer}").and_then(|()| stdout.flush()));
        }
        _ => {}
    }
    let mut version = None;
    match answer(plugin, &env, stdin, &mut version) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(result)) => finish(print(stdout, &result)),
        Err(error) => {
            tracing::debug!(code = error.code(), "{error}");
            let printed = print(stdout, &error.to_json(version));
            if let Err(error) = printed {
                tracing::error!(%error, "cannot write the error");
            }
            ExitCode::FAILURE
        }
    }
}

fn answer(
    plugin: &Plugin,
    env: &Environment,
    stdin: impl Read,
    version: &mut Option<CniVersion>,
) -> Result<Option<Value>, Error> {
    let mut config = Vec::new();
    stdin.take(STDIN_MAX).read_to_end(&mut config).map_err(Error::Stdin)?;
    let call = Call::parse(env, &config, plugin.versions)?;
    *version = Some(call.version);
    match call.command {
        Command::Add => (plugin.add)(&call).map(Some),
        Command::Del => (plugin.del)(&call).map(|()| None),
        Command::Check => (plugin.check)(&call).map(|()| None),
        Command::Gc => (plugin.gc)(&call).map(|()| None),
        Command::Status => (plugin.status)(&call).map(|()| None),
    }
}

/// STATUS of a plugin to which the kernel's firewall is all that it needs.
pub(super) fn firewall_status(_: &Call) -> Result<(), Error> {
    let status = attachment::status().map_err(Error::from);
    status.map_err(|error| Error::NotAvailable(Box::new(error)))
}

fn finish(written: std::io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot write the result");
            ExitCode::FAILURE
        }
    }
}

/// Four spaces and no newline at the end, as the reference library prints.
fn print(stdout: &mut impl Write, value: &Value) -> std::io::Result<()> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(value, &mut serializer)?;
    stdout.write_all(&text)?;
    stdout.flush()
}

//! Delegation: the address manager that `ipam.type` names, run as a plugin's plugin.
//!
//! It is looked for in `CNI_PATH` and gets the caller's own environment and configuration. What is
//! found there and is this program itself is called in process, without an exec: the answer is the
//! same.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output, Stdio};

use serde_json::Value;

use super::call::{Call, Command};
use super::error::Error;
use super::host_local;
use super::result::CniResult;

/// An address manager.
#[derive(Debug)]
pub(super) struct Delegate<'a> {
    call: &'a Call,
    program: Program,
}

#[derive(Debug)]
enum Program {
    /// This one.
    HostLocal,
    /// Another's.
    At(PathBuf),
}

impl<'a> Delegate<'a> {
    /// Finds the plugin of a name in `CNI_PATH`.
    ///
    /// # Errors
    /// [`Error::NoPlugin`].
    pub fn find(call: &'a Call, name: &str) -> Result<Self, Error> {
        let dirs: Vec<&str> = call.path.split(':').filter(|dir| !dir.is_empty()).collect();
        // A name with a slash would lead out of the directories.
        let found = dirs.iter().map(|dir| Path::new(dir).join(name)).find(|path| path.is_file());
        let path = found
            .filter(|_| !name.contains('/'))
            .ok_or_else(|| Error::NoPlugin { name: name.to_owned(), path: dirs.join(" ") })?;
        let program = if name == host_local::HOST_LOCAL.name && is_this_program(&path) {
            Program::HostLocal
        } else {
            Program::At(path)
        };
        Ok(Delegate { call, program })
    }

    /// ADD: what the address manager assigns.
    ///
    /// # Errors
    /// [`Error::Delegate`] with its error, unchanged.
    pub fn add(&self) -> Result<CniResult, Error> {
        match &self.program {
            Program::HostLocal => host_local::add(self.call),
            Program::At(path) => {
                CniResult::parse_delegated(&self.execute(path, Command::Add)?, self.call.version)
            }
        }
    }

    /// Another command, which has no result.
    ///
    /// # Errors
    /// [`Error::Delegate`] with its error, unchanged.
    pub fn run(&self, command: Command) -> Result<(), Error> {
        match (&self.program, command) {
            (Program::HostLocal, Command::Add) => host_local::add(self.call).map(|_| ()),
            (Program::HostLocal, Command::Del) => host_local::del(self.call),
            (Program::HostLocal, Command::Check) => host_local::check(self.call),
            (Program::HostLocal, Command::Gc) => host_local::gc(self.call),
            (Program::HostLocal, Command::Status) => host_local::status(self.call),
            (Program::At(path), command) => self.execute(path, command).map(|_| ()),
        }
    }

    fn execute(&self, path: &Path, command: Command) -> Result<Vec<u8>, Error> {
        let failed = |cause| Error::Execute { path: path.to_owned(), cause };
        let mut child = Process::new(path)
            .env("CNI_COMMAND", command.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read its configuration will say what is wrong, or succeed.
            match stdin.write_all(self.call.config.value.to_string().as_bytes()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return Err(failed(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() { Ok(output.stdout) } else { Err(delegate_error(&output)) }
    }
}

/// Whether a path leads to the file that this process runs.
fn is_this_program(path: &Path) -> bool {
    let file = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let there = file(path);
    there.is_some() && there == file(Path::new("/proc/self/exe"))
}

/// The error of a plugin that failed: the object on its standard output, or what can be said where
/// there is none.
fn delegate_error(output: &Output) -> Error {
    let object = serde_json::from_slice::<Value>(&output.stdout).ok();
    let text = |key: &str| object.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let code = object.as_ref().and_then(|object| object.get("code")).and_then(Value::as_u64);
    match (code.and_then(|code| u32::try_from(code).ok()), text("msg")) {
        (Some(code), Some(msg)) => Error::Delegate { code, msg, details: text("details") },
        _ if output.stdout.is_empty() => {
            let msg = format!("netplugin failed with no error message: {}", output.status);
            Error::Delegate { code: 999, msg, details: None }
        }
        _ => {
            let said = String::from_utf8_lossy(&output.stdout);
            let msg = format!("netplugin failed: {said:?}");
            Error::Delegate { code: 999, msg, details: None }
        }
    }
}

#[cfg(test)]
mod tests;

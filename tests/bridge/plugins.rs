//! The two sets of plugins: ours and Debian's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::lab::{self, CniCall, Netns, feed};

/// Where Debian's package containernetworking-plugins puts its plugins.
const DEBIAN: &str = "/usr/lib/cni";

/// Whose plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    Own,
    Peer,
}

/// The makers under test: `PORTCULLIS_TEST_PLUGINS` is `own`, unset or `peer`.
pub fn subject() -> Maker {
    match std::env::var("PORTCULLIS_TEST_PLUGINS").as_deref() {
        Ok("peer") => Maker::Peer,
        Ok("own") | Err(_) => Maker::Own,
        Ok(other) => panic!("PORTCULLIS_TEST_PLUGINS={other}: own or peer"),
    }
}

/// A directory of plugins, as `CNI_PATH` names it. It lies on the /run of the test's own mount
/// namespace and goes away with it.
#[derive(Clone, Debug)]
pub struct Plugins {
    pub maker: Maker,
    directory: PathBuf,
}

/// One call of a plugin: what a runtime puts into its environment and on its stdin.
#[derive(Clone, Debug)]
pub struct Call {
    pub verb: &'static str,
    pub container: String,
    pub netns: String,
    pub ifname: String,
    pub args: String,
    pub conf: Value,
}

/// What a plugin said.
#[derive(Clone, Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or(Value::Null)
    }
}

impl Plugins {
    /// Links `bridge` and `host-local` of this maker into /run/plugins.
    pub fn install(maker: Maker) -> Plugins {
        let directory = PathBuf::from("/run/plugins");
        fs::create_dir_all(&directory).expect("mkdir /run/plugins");
        for name in ["bridge", "host-local"] {
            let real = match maker {
                Maker::Own => PathBuf::from(env!("CARGO_BIN_EXE_portcullis")),
                Maker::Peer => Path::new(DEBIAN).join(name),
            };
            assert!(
                real.exists(),
                "{}: apt-get install containernetworking-plugins",
                real.display()
            );
            symlink(&real, directory.join(name)).expect("a link to the plugin");
        }
        Plugins { maker, directory }
    }

    /// Puts a shell script in the place of the plugin `name`.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.directory.join(name);
        if path.is_symlink() {
            fs::rename(&path, self.directory.join(format!("{name}.real"))).expect("set aside");
        }
        lab::script(&path, text);
    }

    /// Takes the script away; the real plugin is back.
    pub fn unscript(&self, name: &str) {
        let path = self.directory.join(name);
        fs::remove_file(&path).expect("remove the script");
        let real = self.directory.join(format!("{name}.real"));
        if real.is_symlink() {
            fs::rename(real, path).expect("put back");
        }
    }

    /// Runs the plugin `bridge` in `host`.
    pub fn call(&self, host: &Netns, call: &Call) -> Said {
        self.call_under(&[], host, call)
    }

    /// Runs it behind other words, such as `strace -f`.
    pub fn call_under(&self, wrapper: &[&str], host: &Netns, call: &Call) -> Said {
        let binary = self.directory.join("bridge");
        let words: Vec<&std::ffi::OsStr> =
            wrapper.iter().map(AsRef::as_ref).chain([binary.as_os_str()]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        let environment = CniCall {
            command: call.verb,
            container: &call.container,
            netns: Path::new(&call.netns),
            ifname: &call.ifname,
            args: &call.args,
            path: &self.directory,
        };
        environment.set_on(&mut command);
        let output = host.enter(|| feed(&mut command, &call.conf.to_string()));
        Said {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

//! One call of a CNI plugin, every part of which a test can spoil.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitStatus};

use serde_json::{Value, json};

use crate::lab::{Netns, feed};

/// Environment and standard input of a call that is right until a test changes it.
#[derive(Clone, Debug)]
pub struct Call {
    environment: BTreeMap<&'static str, OsString>,
    /// The configuration.
    pub conf: Value,
    /// What is sent instead of the configuration.
    raw: Option<String>,
    /// What is put before the plugin's path, such as `strace -f`.
    wrapper: Vec<String>,
}

/// What a call left behind.
#[derive(Debug)]
pub struct Answer {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Call {
    /// `command` for the container that lives in `netns`; its address is that of `number`.
    pub fn new(command: &str, netns: &Netns, number: u8) -> Call {
        let environment = BTreeMap::from([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".into()),
            ("CNI_COMMAND", command.into()),
            ("CNI_CONTAINERID", format!("id-{}", netns.name()).into()),
            ("CNI_NETNS", netns.path().into()),
            ("CNI_IFNAME", "eth0".into()),
            ("CNI_PATH", "/usr/lib/cni".into()),
        ]);
        Call { environment, conf: conf(netns, number), raw: None, wrapper: Vec::new() }
    }

    /// The same container and configuration for another command.
    pub fn command(&self, command: &str) -> Call {
        let call = self.clone().set("CNI_COMMAND", command);
        if command == "GC" {
            return call.with(|conf| conf["cni.dev/valid-attachments"] = serde_json::json!([]));
        }
        call
    }

    pub fn set(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Call {
        self.environment.insert(name, value.as_ref().to_owned());
        self
    }

    pub fn unset(mut self, name: &'static str) -> Call {
        self.environment.remove(name);
        self
    }

    /// Changes the configuration.
    pub fn with(mut self, change: impl FnOnce(&mut Value)) -> Call {
        change(&mut self.conf);
        self
    }

    /// Replaces `runtimeConfig.portMappings`.
    pub fn mappings(self, mappings: Value) -> Call {
        self.with(|conf| conf["runtimeConfig"]["portMappings"] = mappings)
    }

    /// One TCP mapping.
    pub fn tcp(self, host_port: u16, container_port: u16) -> Call {
        self.mappings(json!([mapping("tcp", host_port, container_port)]))
    }

    /// For another network.
    pub fn network(self, name: &str) -> Call {
        self.with(|conf| conf["name"] = name.into())
    }

    /// For another interface of the container.
    pub fn ifname(self, name: &str) -> Call {
        self.set("CNI_IFNAME", name).with(|conf| {
            conf["prevResult"]["interfaces"][1]["name"] = name.into();
        })
    }

    /// Sends this instead of the configuration.
    pub fn raw(mut self, stdin: &str) -> Call {
        self.raw = Some(stdin.to_owned());
        self
    }

    pub fn under(mut self, wrapper: &[&str]) -> Call {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub fn stdin(&self) -> String {
        self.raw.clone().unwrap_or_else(|| self.conf.to_string())
    }

    /// Runs the plugin in the namespace of the calling thread.
    pub fn run(&self, binary: &Path) -> Answer {
        let mut words = self.wrapper.iter().map(OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().expect("the binary at least"));
        command.args(words).env_clear().envs(&self.environment);
        Answer::of(&mut command, &self.stdin())
    }
}

impl Answer {
    /// Runs a command to its end.
    pub fn of(command: &mut Command, stdin: &str) -> Answer {
        let output = feed(command, stdin);
        Answer {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Exit code 0 and what was printed.
    pub fn success(self) -> String {
        assert!(self.status.success(), "{self:#?}");
        self.stdout
    }

    /// Exit code 1 and one CNI error object, nothing else, on standard output: its code, and all
    /// that it says. An error object has no keys but those of the specification.
    pub fn error(&self) -> (u64, String) {
        assert_eq!(self.status.code(), Some(1), "{self:#?}");
        let error: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("stdout is not one JSON value: {e}: {self:#?}"));
        let object = error.as_object().unwrap_or_else(|| panic!("no object: {self:#?}"));
        for key in object.keys() {
            let known = ["cniVersion", "code", "msg", "details"].contains(&key.as_str());
            assert!(known, "an error has no key {key}: {self:#?}");
        }
        let code = error["code"].as_u64().unwrap_or_else(|| panic!("no code: {self:#?}"));
        let msg = error["msg"].as_str().unwrap_or_else(|| panic!("no msg: {self:#?}"));
        let details = error["details"].as_str().unwrap_or_default();
        (code, format!("{msg}\n{details}").trim_end_matches('\n').to_owned())
    }
}

/// An entry of `portMappings`.
pub fn mapping(protocol: &str, host_port: u16, container_port: u16) -> Value {
    json!({"hostPort": host_port, "containerPort": container_port, "protocol": protocol})
}

/// A chained portmap configuration with one TCP and one UDP port, 8000 + and 5300 + `number`.
fn conf(netns: &Netns, number: u8) -> Value {
    let (tcp, udp) = (8000 + u16::from(number), 5300 + u16::from(number));
    json!({
        "cniVersion": "1.1.0",
        "name": "labnet",
        "type": "portmap",
        "capabilities": {"portMappings": true},
        "runtimeConfig": {"portMappings": [mapping("tcp", tcp, 80), mapping("udp", udp, 53)]},
        "prevResult": {
            "cniVersion": "1.1.0",
            "interfaces": [
                {"name": "cni0", "mac": "02:00:00:00:00:01"},
                {"name": "eth0", "mac": "02:00:00:00:00:03", "sandbox": netns.path()},
            ],
            "ips": [
                {"interface": 1, "address": format!("10.88.0.{number}/16"), "gateway": "10.88.0.1"},
                {"interface": 1, "address": format!("fd00:88::{number:x}/64")},
            ],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
        },
    })
}

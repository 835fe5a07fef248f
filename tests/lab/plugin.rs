//! Running a CNI plugin inside the laboratory's host, as a runtime does.
//!
//! See <https://www.cni.dev/docs/spec/>, "CNI execution protocol".

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use serde_json::Value;

use super::cni::CniCall;
use super::config::PortmapConf;
use super::netns::{Netns, feed};
use super::subject::Subject;

/// `CNI_COMMAND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Add,
    Del,
    Check,
}

/// One container on one network with its ports.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub container_id: String,
    pub netns: PathBuf,
    pub network: String,
    pub ifname: String,
    pub addresses: Vec<String>,
    pub conf: PortmapConf,
}

impl Attachment {
    /// The attachment of `netns` with the addresses that end in `number`: 10.88.0.N, fd00:88::N.
    pub fn new(netns: &Netns, number: u8, conf: PortmapConf) -> Attachment {
        Attachment {
            container_id: format!("id-{}", netns.name()),
            netns: netns.path().to_owned(),
            network: "labnet".to_owned(),
            ifname: "eth0".to_owned(),
            addresses: vec![format!("10.88.0.{number}/16"), format!("fd00:88::{number:x}/64")],
            conf,
        }
    }

    fn stdin(&self) -> String {
        let addresses: Vec<&str> = self.addresses.iter().map(String::as_str).collect();
        let mut conf = self.conf.json(&addresses);
        conf["name"] = self.network.as_str().into();
        let interface = &mut conf["prevResult"]["interfaces"][2];
        interface["name"] = self.ifname.as_str().into();
        interface["sandbox"] = self.netns.to_string_lossy().into();
        conf.to_string()
    }
}

/// A plugin's binary and the namespace that it works in.
pub struct Plugin<'a> {
    subject: &'a Subject,
    host: &'a Netns,
    /// What is put before the plugin's path, such as `strace -f`.
    wrapper: Vec<String>,
}

/// What a plugin left behind when it ended.
#[derive(Debug)]
pub struct Reply {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// stdout as JSON, if it is that.
    pub json: Option<Value>,
}

impl<'a> Plugin<'a> {
    pub fn new(subject: &'a Subject, host: &'a Netns) -> Plugin<'a> {
        Plugin { subject, host, wrapper: Vec::new() }
    }

    pub fn under(self, wrapper: &[&str]) -> Plugin<'a> {
        Plugin { wrapper: wrapper.iter().map(|&word| word.to_owned()).collect(), ..self }
    }

    /// Runs one command and says how it ended.
    pub fn call(&self, verb: Verb, attachment: &Attachment) -> Reply {
        let mut words =
            self.wrapper.iter().map(AsRef::as_ref).chain([self.subject.binary().as_os_str()]);
        let mut command = Command::new(words.next().expect("the binary at least"));
        command.args(words);
        let Attachment { container_id, netns, ifname, .. } = attachment;
        let verb = verb.to_string();
        CniCall { ifname, ..CniCall::new(&verb, container_id, netns) }.set_on(&mut command);
        let output = self.host.enter(|| feed(&mut command, &attachment.stdin()));
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let json = serde_json::from_str(&stdout).ok();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Reply { status: output.status, stdout, stderr, json }
    }

    /// ADD must succeed and hand on the prevResult.
    pub fn add(&self, attachment: &Attachment) {
        let reply = self.succeed(Verb::Add, attachment);
        let ips = reply.json.as_ref().and_then(|json| json["ips"].as_array());
        assert_eq!(ips.map(Vec::len), Some(attachment.addresses.len()), "ADD: {reply}");
    }

    /// DEL must succeed.
    pub fn del(&self, attachment: &Attachment) {
        self.succeed(Verb::Del, attachment);
    }

    fn succeed(&self, verb: Verb, attachment: &Attachment) -> Reply {
        let reply = self.call(verb, attachment);
        assert!(reply.status.success(), "{verb} of {}: {reply}", attachment.container_id);
        reply
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Add => "ADD",
            Verb::Del => "DEL",
            Verb::Check => "CHECK",
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr)
    }
}

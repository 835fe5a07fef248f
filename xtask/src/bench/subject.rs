//! One plugin in a host of its own, and the calls made to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::measure::{Sample, timed};
use crate::lab::Namespace;
use crate::run::{Step, find_program};

const DIR: &str = "/run/bench";
/// The container's namespace; all containers share it, as nothing is sent.
const CONTAINER: &str = "container";

/// Some containers' ports, as one call publishes them.
pub struct Call {
    pub container: String,
    pub address: String,
    pub protocol: &'static str,
    pub ports: std::ops::Range<u16>,
}

impl Call {
    /// The container that is measured.
    pub fn measured(protocol: &'static str, count: u16) -> Self {
        let ports = 8000..8000 + count;
        Self {
            container: "measured".to_owned(),
            address: "10.88.255.2".to_owned(),
            protocol,
            ports,
        }
    }

    /// What the plugin reads; `backend` stays unset, IPv4 only.
    fn config(&self) -> String {
        let mapping = |port| {
            let protocol = self.protocol;
            format!(r#"{{"hostPort":{port},"containerPort":80,"protocol":"{protocol}"}}"#)
        };
        let mappings: Vec<String> = self.ports.clone().map(mapping).collect();
        format!(
            r#"{{"cniVersion":"1.0.0","name":"bench","type":"portmap","capabilities":{{"portMappings":true}},
"runtimeConfig":{{"portMappings":[{}]}},
"prevResult":{{"cniVersion":"1.0.0","interfaces":[{{"name":"eth0","sandbox":"/run/netns/{CONTAINER}"}}],
"ips":[{{"address":"{}/16","gateway":"10.88.0.1","interface":0}}]}}}}"#,
            mappings.join(","),
            self.address
        )
    }
}

/// A plugin and its host.
pub struct Subject {
    pub name: String,
    plugin: PathBuf,
    host: Namespace,
    path: String,
    /// How many other containers' ports are on the host; nothing once that took too long.
    pub others: Option<usize>,
}

/// What all hosts share: the container's namespace, and names for the iptables programs that
/// lead to nf_tables, or to the legacy tables, whatever the machine's alternatives say.
pub fn prepare() -> Result<()> {
    quietly(&format!("ip netns add {CONTAINER}"))?;
    for variant in ["nft", "legacy"] {
        let programs = Path::new(DIR).join("bin").join(variant);
        std::fs::create_dir_all(&programs).context("making the programs' directory")?;
        for (name, real) in [
            ("iptables", format!("iptables-{variant}")),
            ("ip6tables", format!("ip6tables-{variant}")),
            ("iptables-restore", format!("iptables-{variant}-restore")),
        ] {
            let real = find_program(&real).with_context(|| format!("no {real} on this machine"))?;
            std::os::unix::fs::symlink(&real, programs.join(name)).context("linking iptables")?;
        }
    }
    Ok(())
}

/// Run a command without showing it.
pub fn quietly(line: &str) -> Result<()> {
    let output = Step::line(line).quiet()?;
    if !output.status.success() {
        bail!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

impl Subject {
    /// Make the host, with the containers' bridge, and link the plugin as `portmap`.
    pub fn make(name: &str, host: &str, binary: &Path) -> Result<Self> {
        for line in [
            "ip netns add HOST",
            "ip -n HOST link set lo up",
            "ip -n HOST link add cni0 type bridge",
            "ip -n HOST addr add 10.88.0.1/16 dev cni0",
            "ip -n HOST link set cni0 up",
        ] {
            quietly(&line.replace("HOST", host))?;
        }
        let dir = Path::new(DIR).join(host);
        std::fs::create_dir_all(&dir).with_context(|| format!("making {dir:?}"))?;
        let plugin = dir.join("portmap");
        std::os::unix::fs::symlink(binary, &plugin).context("linking the plugin")?;
        let rest = std::env::var("PATH").unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            plugin,
            host: Namespace::open(host)?,
            path: format!("{DIR}/bin/nft:{rest}:/usr/sbin:/sbin"),
            others: Some(0),
        })
    }

    /// The same with the legacy variant of iptables.
    pub fn with_legacy(self) -> Self {
        Self { path: self.path.replacen("/bin/nft:", "/bin/legacy:", 1), ..self }
    }

    /// Be on that host: this thread and what it starts.
    pub fn enter(&self) -> Result<()> {
        self.host.enter()
    }

    /// The iptables program of this name, of the subject's variant.
    pub fn iptables(&self, name: &str) -> Command {
        let directory = self.path.split(':').next().unwrap_or_default();
        self.program(&format!("{directory}/{name}"))
    }

    /// A program in the subject's environment.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", &self.path);
        command
    }

    /// Time one call of the plugin.
    pub fn call(&self, verb: &str, call: &Call) -> Result<Sample> {
        let input = self.write(call)?;
        self.enter()?;
        let mut command = self.program(&self.plugin.to_string_lossy());
        feed(&mut command, verb, call, &input)?;
        timed(&mut command).with_context(|| format!("{}: {verb}", self.name))
    }

    /// The peak memory of one call, in KiB.
    pub fn memory(&self, verb: &str, call: &Call) -> Result<u64> {
        let input = self.write(call)?;
        self.enter()?;
        let mut command = self.program(&this_program()?);
        command.arg("__rss").arg(&self.plugin);
        feed(&mut command, verb, call, &input)?;
        read_number(&mut command)
    }

    fn write(&self, call: &Call) -> Result<PathBuf> {
        let input = self.plugin.with_extension("json");
        std::fs::write(&input, call.config()).with_context(|| format!("writing {input:?}"))?;
        Ok(input)
    }
}

/// The memory that the measurement itself cannot go below, in KiB.
pub fn memory_floor() -> Result<u64> {
    let mut command = Command::new(this_program()?);
    read_number(command.args(["__rss", "true"]))
}

pub fn read_number(command: &mut Command) -> Result<u64> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| {
        format!("{command:?} gave no number: {}", String::from_utf8_lossy(&output.stderr))
    })
}

fn this_program() -> Result<String> {
    let exe = std::env::current_exe().context("finding xtask's own path")?;
    Ok(exe.to_string_lossy().into_owned())
}

fn feed(command: &mut Command, verb: &str, call: &Call, input: &Path) -> Result<()> {
    let file = File::open(input).with_context(|| format!("opening {input:?}"))?;
    command
        .env("CNI_COMMAND", verb)
        .env("CNI_CONTAINERID", &call.container)
        .env("CNI_NETNS", format!("/run/netns/{CONTAINER}"))
        .env("CNI_IFNAME", "eth0")
        .env("CNI_PATH", DIR)
        .stdin(file);
    Ok(())
}

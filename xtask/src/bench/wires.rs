//! One set of plugins in a host of its own, and the chains of calls made to them.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::measure::{Sample, outcome};
use super::subject::{quietly, read_number};
use crate::lab::Namespace;
use crate::run::find_program;

/// No host is filled for longer than this at one step.
const PATIENCE: Duration = Duration::from_secs(400);
/// Nor waited for to get quiet.
const UNREST: Duration = Duration::from_secs(30);
/// Frames a second on a host that is quiet.
const QUIET: u64 = 2;
pub const DIR: &str = "/run/wires";

/// Which plugins one attachment calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// bridge, with host-local behind it.
    Bridge,
    /// What Podman calls: bridge with ipMasq, portmap with a port, firewall, tuning.
    Podman,
}

impl Chain {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge + host-local",
            Self::Podman => "Podman's chain",
        }
    }

    fn plugins(self) -> &'static [&'static str] {
        match self {
            Self::Bridge => &["bridge"],
            Self::Podman => &["bridge", "portmap", "firewall", "tuning"],
        }
    }
}

/// One attachment of one container.
pub struct Wire {
    pub chain: Chain,
    container: String,
    netns: String,
    ifname: String,
    port: u16,
}

impl Wire {
    /// The container that is measured on this host.
    pub fn measured(host: &Host, chain: Chain) -> Self {
        let netns = format!("/run/netns/{}", host.measured());
        Self {
            chain,
            container: "measured".to_owned(),
            netns,
            ifname: "eth0".to_owned(),
            port: 8000,
        }
    }

    /// One of those that are there already. Each has a namespace of its own as in life: in one
    /// that all share, whatever is sent to all costs several times as much.
    fn other(host: &Host, number: usize) -> Result<Self> {
        Ok(Self {
            chain: Chain::Podman,
            container: format!("other-{number:05}"),
            netns: format!("/run/netns/{}-{number}", host.name),
            ifname: "eth0".to_owned(),
            port: u16::try_from(10_000 + number).context("more containers than ports")?,
        })
    }

    fn config(&self, plugin: &str, host: &Host, previous: Option<&str>) -> String {
        let keys = match plugin {
            "bridge" => {
                let masquerade = self.chain == Chain::Podman;
                format!(
                    r#","bridge":"br0","isGateway":true,"ipMasq":{masquerade},"hairpinMode":true,"ipam":{{"type":"host-local","dataDir":"{DIR}/{}/leases","ranges":[[{{"subnet":"10.88.0.0/16"}}]],"routes":[{{"dst":"0.0.0.0/0"}}]}}"#,
                    host.name
                )
            }
            "portmap" => format!(
                r#","capabilities":{{"portMappings":true}},"runtimeConfig":{{"portMappings":[{{"hostPort":{},"containerPort":80,"protocol":"tcp"}}]}}"#,
                self.port
            ),
            _ => String::new(),
        };
        let previous = previous.map(|text| format!(r#","prevResult":{text}"#)).unwrap_or_default();
        format!(r#"{{"cniVersion":"1.0.0","name":"bench","type":"{plugin}"{keys}{previous}}}"#)
    }
}

/// A host and its plugins.
pub struct Host {
    pub name: &'static str,
    directory: PathBuf,
    namespace: Namespace,
    path: String,
    /// How many other containers are there.
    pub others: usize,
    /// Whether making them took too long: there will be no more.
    is_full: bool,
}

impl Host {
    /// Make the host; `link` names for each plugin the program that is to be it, `iptables` the
    /// variant that the name `iptables` leads to.
    pub fn make(
        name: &'static str,
        link: impl Fn(&str) -> PathBuf,
        iptables: &str,
    ) -> Result<Self> {
        for netns in [name.to_owned(), format!("measured-{name}")] {
            quietly(&format!("ip netns add {netns}"))?;
        }
        quietly(&format!("ip -n {name} link set lo up"))?;
        let base = Path::new(DIR).join(name);
        let (directory, programs) = (base.join("plugins"), base.join("bin"));
        for dir in [&directory, &programs] {
            std::fs::create_dir_all(dir).with_context(|| format!("making {dir:?}"))?;
        }
        for plugin in ["bridge", "host-local", "portmap", "firewall", "tuning"] {
            symlink(link(plugin), directory.join(plugin)).context("linking a plugin")?;
        }
        for family in ["iptables", "ip6tables"] {
            let real = format!("{family}-{iptables}");
            let real = find_program(&real).with_context(|| format!("no {real} on this machine"))?;
            symlink(real, programs.join(family)).context("linking iptables")?;
        }
        let rest = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{rest}:/usr/sbin:/sbin", programs.display());
        let namespace = Namespace::open(name)?;
        Ok(Self { name, directory, namespace, path, others: 0, is_full: false })
    }

    /// The namespace of the container that is measured on this host.
    pub fn measured(&self) -> String {
        format!("measured-{}", self.name)
    }

    /// Bring the host to `wanted` containers, through its own plugins. All hosts can do so at
    /// once, for what it takes is not looked at.
    pub fn fill(&mut self, wanted: usize) -> Result<()> {
        let begin = Instant::now();
        while self.others < wanted && !self.is_full {
            quietly(&format!("ip netns add {}-{}", self.name, self.others))?;
            self.add(&Wire::other(self, self.others)?)?;
            self.others += 1;
            self.is_full = begin.elapsed() > PATIENCE;
        }
        Ok(())
    }

    /// Wait until hardly anything is sent on the bridge any more, and give the frames a second
    /// that still are. New containers look for routers, less and less often, and each time the
    /// kernel delivers that to all.
    pub fn settle(&self) -> Result<u64> {
        const LOOK: Duration = Duration::from_secs(2);
        let begin = Instant::now();
        let mut before = self.heard()?;
        loop {
            std::thread::sleep(LOOK);
            let now = self.heard()?;
            let frames = now.saturating_sub(before) / LOOK.as_secs();
            if frames <= QUIET || begin.elapsed() > UNREST {
                return Ok(frames);
            }
            before = now;
        }
    }

    /// How many frames came to the bridge itself so far, 0 where it is yet to be made.
    fn heard(&self) -> Result<u64> {
        self.namespace.enter()?;
        let table = std::fs::read_to_string("/proc/thread-self/net/dev").context("net/dev")?;
        let line = table.lines().find_map(|line| line.trim_start().strip_prefix("br0:"));
        let frames = line.and_then(|line| line.split_whitespace().nth(1));
        frames.map_or(Ok(0), |frames| frames.parse().context("br0 in net/dev"))
    }

    /// ADD by each plugin of the chain, each with the one's result before it.
    pub fn add(&self, wire: &Wire) -> Result<(Sample, String)> {
        let (mut sum, mut result) = (Sample::default(), None);
        for plugin in wire.chain.plugins() {
            let (sample, said) = self.call("ADD", plugin, wire, result.as_deref())?;
            sum = sum.plus(sample);
            result = Some(said);
        }
        Ok((sum, result.unwrap_or_default()))
    }

    /// DEL by each plugin of the chain, the last one first, with the result of ADD.
    pub fn del(&self, wire: &Wire, result: &str) -> Result<Sample> {
        let mut sum = Sample::default();
        for plugin in wire.chain.plugins().iter().rev() {
            sum = sum.plus(self.call("DEL", plugin, wire, Some(result))?.0);
        }
        Ok(sum)
    }

    fn call(
        &self,
        verb: &str,
        plugin: &str,
        wire: &Wire,
        result: Option<&str>,
    ) -> Result<(Sample, String)> {
        let mut command = Command::new(self.directory.join(plugin));
        self.prepare(&mut command, verb, plugin, wire, result)?;
        let (sample, output) = outcome(&mut command)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!("{}: {verb} of {plugin}: {}: {said}{complaint}", self.name, output.status);
        }
        Ok((sample, said))
    }

    /// The peak memory of bridge alone for ADD and DEL, in KiB.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let wire = Wire::measured(self, Chain::Bridge);
        let mut values = [0; 2];
        for (verb, value) in ["ADD", "DEL"].into_iter().zip(&mut values) {
            let exe = std::env::current_exe().context("finding xtask's own path")?;
            let mut command = Command::new(exe);
            command.arg("__rss").arg(self.directory.join("bridge"));
            self.prepare(&mut command, verb, "bridge", &wire, None)?;
            *value = read_number(&mut command)?;
        }
        Ok(values.into())
    }

    /// The environment and the input of a call, in the host's namespace.
    fn prepare(
        &self,
        command: &mut Command,
        verb: &str,
        plugin: &str,
        wire: &Wire,
        result: Option<&str>,
    ) -> Result<()> {
        let input = self.directory.with_extension("json");
        std::fs::write(&input, wire.config(plugin, self, result))
            .with_context(|| format!("writing {input:?}"))?;
        let file = std::fs::File::open(&input).with_context(|| format!("opening {input:?}"))?;
        self.namespace.enter()?;
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("CNI_COMMAND", verb)
            .env("CNI_CONTAINERID", &wire.container)
            .env("CNI_NETNS", &wire.netns)
            .env("CNI_IFNAME", &wire.ifname)
            .env("CNI_PATH", &self.directory)
            .stdin(Stdio::from(file));
        Ok(())
    }
}

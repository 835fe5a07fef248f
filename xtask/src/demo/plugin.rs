//! The calls that a container runtime makes to the plugins, each one process, in the host.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::Step;

/// The container's name in all calls.
pub const CONTAINER_ID: &str = "web";

const DIR: &str = "/run/demo";

/// A plugin with what a runtime writes to its standard input, up to where the result of the one
/// before would follow.
struct Entry {
    name: &'static str,
    config: &'static str,
}

/// The network: what an entry of a conflist becomes for each of its plugins.
const NETWORK: [Entry; 3] = [
    Entry {
        name: "bridge",
        config: r#"{
  "cniVersion": "1.0.0", "name": "demo",
  "type": "bridge",
  "bridge": "cni0",
  "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {
    "type": "host-local", "dataDir": "/run/demo/leases",
    "ranges": [[{ "subnet": "10.88.0.0/16" }], [{ "subnet": "fd00:88::/64" }]]
  }"#,
    },
    Entry {
        name: "portmap",
        config: r#"{
  "cniVersion": "1.0.0", "name": "demo",
  "type": "portmap",
  "capabilities": { "portMappings": true },
  "runtimeConfig": {
    "portMappings": [
      { "hostPort": 8080, "containerPort": 80, "protocol": "tcp" },
      { "hostPort": 5353, "containerPort": 53, "protocol": "udp" }
    ]
  }"#,
    },
    Entry {
        name: "firewall",
        config: r#"{
  "cniVersion": "1.0.0", "name": "demo",
  "type": "firewall""#,
    },
];

/// The plugins of the network, in a directory of their own.
pub struct Plugins {
    directory: PathBuf,
    /// What the last ADD answered.
    result: String,
}

impl Plugins {
    /// Link the binary under the plugins' names; `portmap` may be another's.
    pub fn install(binary: &Path, portmap: &Path) -> Result<Self> {
        let directory = PathBuf::from(DIR);
        Step::line("mkdir -p").arg(DIR).run()?;
        for name in ["bridge", "host-local", "portmap", "firewall"] {
            let from = if name == "portmap" { portmap } else { binary };
            let to = directory.join(name);
            Step::line("ln -s").args([from.to_string_lossy(), to.to_string_lossy()]).run()?;
        }
        Ok(Self { directory, result: String::new() })
    }

    /// What versions a plugin knows.
    pub fn version(&self) -> Result<()> {
        let said = self.execute("portmap", "VERSION", None)?;
        println!("{}", said.trim_end());
        Ok(())
    }

    /// Attach the container: each plugin gets the result of the one before.
    pub fn add(&mut self) -> Result<()> {
        for entry in &NETWORK {
            self.result = self.execute(entry.name, "ADD", Some(self.input(entry)?))?;
        }
        println!("{}", self.result.trim_end());
        Ok(())
    }

    /// Detach it, last plugin first.
    pub fn del(&self) -> Result<()> {
        for entry in NETWORK.iter().rev() {
            self.execute(entry.name, "DEL", Some(self.input(entry)?))?;
        }
        Ok(())
    }

    /// Write down what a plugin is fed, and show it the first time.
    fn input(&self, entry: &Entry) -> Result<PathBuf> {
        let path = self.directory.join(format!("{}.json", entry.name));
        let is_new = !path.exists();
        let previous = match self.result.trim_end() {
            "" => String::new(),
            result => format!(",\n  \"prevResult\": {result}"),
        };
        let text = format!("{}{previous}\n}}\n", entry.config);
        std::fs::write(&path, text).context("writing a configuration")?;
        if is_new {
            Step::line("cat").arg(path.to_string_lossy()).run()?;
        }
        Ok(path)
    }

    /// One call. An exit code other than 0 is an error, with what the plugin said.
    fn execute(&self, name: &str, command: &str, input: Option<PathBuf>) -> Result<String> {
        let program = self.directory.join(name);
        let mut step = Step::line("ip netns exec host").arg(program.to_string_lossy());
        step = step.env("CNI_COMMAND", command);
        if let Some(input) = input {
            step = step
                .env("CNI_CONTAINERID", CONTAINER_ID)
                .env("CNI_NETNS", "/run/netns/container")
                .env("CNI_IFNAME", "eth0")
                .env("CNI_PATH", DIR)
                .stdin(&input);
        }
        let output = step.capture()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("{name}: {command} failed: {}\n{said}", output.status);
        }
        Ok(said)
    }
}

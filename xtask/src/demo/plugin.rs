//! The calls that a container runtime makes to the plugin, each one process, in the host.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::Step;

/// The container's name in all calls.
pub const CONTAINER_ID: &str = "web";

const DIR: &str = "/run/demo";

/// What a runtime writes to the plugin's standard input on ADD and DEL.
const CONFIG: &str = r#"{
  "cniVersion": "1.0.0",
  "name": "demo",
  "type": "portmap",
  "capabilities": { "portMappings": true },
  "runtimeConfig": {
    "portMappings": [
      { "hostPort": 8080, "containerPort": 80, "protocol": "tcp" },
      { "hostPort": 5353, "containerPort": 53, "protocol": "udp" }
    ]
  },
  "prevResult": {
    "cniVersion": "1.0.0",
    "interfaces": [{ "name": "eth0", "sandbox": "/run/netns/container" }],
    "ips": [
      { "address": "10.88.0.2/16", "gateway": "10.88.0.1", "interface": 0 },
      { "address": "fd00:88::2/64", "gateway": "fd00:88::1", "interface": 0 }
    ]
  }
}
"#;

/// A plugin under the name `portmap`, and the configuration that it is fed.
pub struct Plugin {
    path: PathBuf,
    config: PathBuf,
}

impl Plugin {
    /// Link the binary as `portmap` and write the configuration down.
    pub fn install(binary: &Path) -> Result<Self> {
        Step::line("mkdir -p").arg(DIR).run()?;
        let path = Path::new(DIR).join("portmap");
        let (from, to) = (binary.to_string_lossy(), path.to_string_lossy());
        Step::line("ln -s").args([&from, &to]).run()?;
        let config = Path::new(DIR).join("web.json");
        std::fs::write(&config, CONFIG).context("writing the configuration")?;
        Step::line("cat").arg(config.to_string_lossy()).run()?;
        Ok(Self { path, config })
    }

    /// One call. An exit code other than 0 is an error, with what the plugin said.
    pub fn call(&self, command: &str) -> Result<()> {
        let mut step = Step::line("ip netns exec host").arg(self.path.to_string_lossy());
        step = step.env("CNI_COMMAND", command);
        if command != "VERSION" {
            step = step
                .env("CNI_CONTAINERID", CONTAINER_ID)
                .env("CNI_NETNS", "/run/netns/container")
                .env("CNI_IFNAME", "eth0")
                .env("CNI_PATH", DIR)
                .stdin(&self.config);
        }
        let output = step.capture()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.trim().is_empty() {
            println!("{}", said.trim_end());
        }
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("{command} failed: {}", output.status);
        }
        Ok(())
    }
}

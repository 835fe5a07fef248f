//! A call, checked: which command, for which container on which network. Pure, but for opening
//! the container's namespace when asked to.

use std::collections::BTreeSet;

use super::config::Config;
use super::env::Environment;
use super::error::Error;
use super::version::CniVersion;
use crate::attachment::{Netns, Owner};
use crate::net::NetworkName;

/// A command of the specification that works on a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Add a container to a network.
    Add,
    /// Take it off.
    Del,
    /// Is it as it was added.
    Check,
    /// Take all off that are not listed.
    Gc,
    /// Can the plugin work.
    Status,
}

impl Command {
    /// As in `CNI_COMMAND`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Command::Add => "ADD",
            Command::Del => "DEL",
            Command::Check => "CHECK",
            Command::Gc => "GC",
            Command::Status => "STATUS",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Command::Add, Command::Del, Command::Check, Command::Gc, Command::Status]
            .into_iter()
            .find(|command| command.as_str() == text)
    }

    /// The variables that the command needs.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Command::Add | Command::Check => {
                &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]
            }
            Command::Del => &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
            Command::Gc | Command::Status => &["CNI_PATH"],
        }
    }

    /// The first version that has it.
    fn since(self) -> CniVersion {
        match self {
            Command::Add | Command::Del => CniVersion::V0_1_0,
            Command::Check => CniVersion::V0_4_0,
            Command::Gc | Command::Status => CniVersion::V1_1_0,
        }
    }

    fn is_for_a_container(self) -> bool {
        match self {
            Command::Add | Command::Del | Command::Check => true,
            Command::Gc | Command::Status => false,
        }
    }
}

/// A checked call.
#[derive(Debug)]
pub struct Call {
    /// What to do.
    pub command: Command,
    /// The version of its configuration.
    pub version: CniVersion,
    /// The network.
    pub network: NetworkName,
    /// The container on it; absent for GC and STATUS.
    pub container: Option<(String, String)>,
    /// `CNI_NETNS`: the path of the container's network namespace; empty or gone at a late DEL.
    pub netns_path: String,
    /// `CNI_ARGS`, as the plugins that know keys of it read it.
    pub args: String,
    /// `CNI_PATH`: where plugins are, directories with `:` between them.
    pub path: String,
    /// Whether that may be the plugin's own (`CNI_NETNS_OVERRIDE`).
    pub netns_override: bool,
    /// The configuration.
    pub config: Config,
}

impl Call {
    /// Checks environment and configuration, in the order in which the CNI library does, so that
    /// the first of several faults is the same one.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(env: &Environment, stdin: &[u8], supported: &[CniVersion]) -> Result<Self, Error> {
        env.readable()?;
        let command = Command::parse(&env.command);
        if let Some(command) = command {
            env.need(command.needs())?;
        }
        let config = Config::parse(stdin)?;
        let network = config.network()?;
        let Some(command) = command else {
            return Err(Error::UnknownCommand { command: env.command.clone() });
        };
        let container = if command.is_for_a_container() {
            let container = env.container()?;
            let interface = env.interface()?;
            Some((container.as_str().to_owned(), interface.as_str().to_owned()))
        } else {
            None
        };
        let version = config.version(supported)?;
        if version < command.since() {
            return Err(Error::CommandTooNew { command: command.as_str() });
        }
        let (netns_path, netns_override) = (env.netns.clone(), env.netns_override);
        let args = env.args.clone();
        let path = env.path.clone();
        Ok(Call {
            command,
            version,
            network,
            container,
            netns_path,
            args,
            path,
            netns_override,
            config,
        })
    }

    /// Opens the container's network namespace, which must be there and not be the plugin's own.
    ///
    /// # Errors
    /// [`Error::Netns`].
    pub fn open_netns(&self) -> Result<Netns, Error> {
        if self.netns_override {
            Ok(Netns::open(&self.netns_path)?)
        } else {
            Ok(Netns::open_foreign(&self.netns_path)?)
        }
    }

    /// The owner of what portmap makes at this call.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.owner_as("cni")
    }

    /// The same for what a plugin keeps apart from others that the container is handed through.
    #[must_use]
    pub fn owner_as(&self, kind: &str) -> Owner {
        let (container, interface) = match &self.container {
            Some((container, interface)) => (container.as_str(), interface.as_str()),
            None => ("", ""),
        };
        Owner::from_parts(&[kind, self.network.as_str(), container, interface])
    }

    /// Of a GC: what the labels of the network's owners begin with, and the owners that are valid.
    ///
    /// # Errors
    /// As [`Config::valid_attachments`].
    pub(super) fn valid_owners(&self, kind: &str) -> Result<(String, BTreeSet<Owner>), Error> {
        let network = self.network.as_str();
        let attachments = self.config.valid_attachments()?;
        let owner = |(container, ifname): &(String, String)| {
            Owner::from_parts(&[kind, network, container, ifname])
        };
        let valid = attachments.iter().map(owner).collect();
        Ok((Owner::prefix(&[kind, network]), valid))
    }
}

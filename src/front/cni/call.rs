//! A call, checked: which command, for which container on which network.

use super::config::Config;
use super::env::Environment;
use super::error::Error;
use super::version::CniVersion;
use crate::attachment::Netns;
use crate::net::NetworkName;
use crate::ruleset::Owner;

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
    /// The container's namespace: there for ADD and CHECK, and for DEL if it still exists.
    pub netns: Option<Netns>,
    /// The configuration.
    pub config: Config,
}

impl Call {
    /// Checks environment and configuration, in the order in which the CNI library does, so that
    /// the first of several faults is the same one.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(
        env: &Environment,
        stdin: &[u8],
        supported: &[CniVersion],
    ) -> Result<Self, Error> {
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
        let netns = netns(command, env)?;
        Ok(Call { command, version, network, container, netns, config })
    }

    /// The owner of what this call makes.
    #[must_use]
    pub fn owner(&self) -> Owner {
        let (container, interface) = match &self.container {
            Some((container, interface)) => (container.as_str(), interface.as_str()),
            None => ("", ""),
        };
        Owner::from_parts(&["cni", self.network.as_str(), container, interface])
    }
}

fn netns(command: Command, env: &Environment) -> Result<Option<Netns>, Error> {
    match command {
        Command::Add | Command::Check if env.netns_override => Ok(Some(Netns::open(&env.netns)?)),
        Command::Add | Command::Check => Ok(Some(Netns::open_foreign(&env.netns)?)),
        // A namespace that is gone is why there is a DEL.
        Command::Del => Ok(Netns::open(&env.netns).ok()),
        Command::Gc | Command::Status => Ok(None),
    }
}

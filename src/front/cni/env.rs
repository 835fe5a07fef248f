//! The environment of a call: `CNI_COMMAND` and its fellows.

use super::error::Error;
use crate::net::{ContainerId, IfName};

/// What the environment says, unchecked but for what the command needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `CNI_COMMAND`.
    pub command: String,
    /// `CNI_CONTAINERID`.
    pub container_id: String,
    /// `CNI_NETNS`.
    pub netns: String,
    /// `CNI_IFNAME`.
    pub ifname: String,
    /// `CNI_PATH`.
    pub path: String,
    /// `CNI_ARGS`.
    pub args: String,
    /// `CNI_NETNS_OVERRIDE`: the caller's own namespace is allowed.
    pub netns_override: bool,
}

impl Environment {
    /// Reads the variables through `get`, which returns the empty string for those not set.
    #[must_use]
    pub fn read(get: impl Fn(&str) -> String) -> Self {
        Environment {
            command: get("CNI_COMMAND"),
            container_id: get("CNI_CONTAINERID"),
            netns: get("CNI_NETNS"),
            ifname: get("CNI_IFNAME"),
            path: get("CNI_PATH"),
            args: get("CNI_ARGS"),
            netns_override: matches!(get("CNI_NETNS_OVERRIDE").as_str(), "1" | "TRUE" | "true"),
        }
    }

    /// Refuses what was not UTF-8, of which [`char::REPLACEMENT_CHARACTER`] is left.
    ///
    /// # Errors
    /// [`Error::NotUtf8`].
    pub fn readable(&self) -> Result<(), Error> {
        let names = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];
        let wrong = |name: &&str| self.value(name).contains(char::REPLACEMENT_CHARACTER);
        match names.iter().copied().find(wrong) {
            Some(name) => Err(Error::NotUtf8 { name }),
            None => Ok(()),
        }
    }

    /// Names what a command needs and is missing.
    ///
    /// # Errors
    /// [`Error::MissingVariables`].
    pub fn need(&self, names: &[&'static str]) -> Result<(), Error> {
        let missing: Vec<&'static str> =
            names.iter().copied().filter(|name| self.value(name).is_empty()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::MissingVariables { names: missing }) }
    }

    fn value(&self, name: &str) -> &str {
        match name {
            "CNI_COMMAND" => &self.command,
            "CNI_CONTAINERID" => &self.container_id,
            "CNI_NETNS" => &self.netns,
            "CNI_IFNAME" => &self.ifname,
            "CNI_PATH" => &self.path,
            _ => "",
        }
    }

    /// The container's id.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn container(&self) -> Result<ContainerId, Error> {
        Ok(ContainerId::new(&self.container_id)?)
    }

    /// The name of the interface in the container.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn interface(&self) -> Result<IfName, Error> {
        Ok(IfName::new(&self.ifname)?)
    }
}

//! What every network configuration has: name, version, the result of the plugin before.

use serde_json::Value;

use super::error::Error;
use super::json::Object;
use super::version::CniVersion;
use crate::net::NetworkName;

/// The configuration of a call.
#[derive(Debug)]
pub struct Config {
    pub(super) value: Value,
}

impl Config {
    /// Reads JSON.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::Json { reason: error.to_string() })?;
        Object::root(&value)?;
        Ok(Config { value })
    }

    pub(super) fn root(&self) -> Result<Object<'_>, Error> {
        Object::root(&self.value)
    }

    /// `name`.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn network(&self) -> Result<NetworkName, Error> {
        let name = self.root()?.text("name").map_err(as_json)?;
        Ok(NetworkName::new(name.unwrap_or_default())?)
    }

    /// `cniVersion`.
    ///
    /// # Errors
    /// [`Error::IncompatibleVersion`].
    pub fn version(&self, supported: &[CniVersion]) -> Result<CniVersion, Error> {
        let text = self.root()?.text("cniVersion").map_err(as_json)?;
        CniVersion::parse(text, supported)
    }

    /// `prevResult`.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn prev_result(&self) -> Result<Option<&Value>, Error> {
        Ok(self.root()?.get("prevResult"))
    }

    /// `cni.dev/valid-attachments` of a GC: container ids with their interfaces. `null` is an empty
    /// list; `cni.dev/attachments` is its name in drafts of the specification.
    ///
    /// # Errors
    /// [`Error::Type`]; [`Error::Value`] for an entry without a container or an interface.
    pub fn valid_attachments(&self) -> Result<Vec<(String, String)>, Error> {
        let root = self.root()?;
        let names = ["cni.dev/valid-attachments", "cni.dev/attachments"];
        // Without a list nothing would be valid and everything be deleted; that must be said.
        let Some(name) = names.into_iter().find(|name| root.has(name)) else {
            return Err(root.invalid(names[0], "missing"));
        };
        let mut valid = Vec::new();
        for entry in root.objects(name)? {
            // Half an entry would match nothing, and what it stands for would be deleted.
            let need =
                |key: &str| entry.filled_text(key)?.ok_or_else(|| entry.invalid(key, "missing"));
            valid.push((need("containerID")?.to_owned(), need("ifname")?.to_owned()));
        }
        Ok(valid)
    }
}

/// The keys that every plugin has are read before the plugin's own; a wrong type there is a
/// configuration that cannot be decoded.
fn as_json(error: Error) -> Error {
    match error {
        Error::Type { .. } => Error::Json { reason: error.to_string() },
        other => other,
    }
}

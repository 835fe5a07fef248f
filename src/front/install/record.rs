//! The record of an installation: what was put where, and what was there before.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::error::Error;

/// What is installed in a directory, by the applets' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// One applet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) before: Before,
    pub(super) placed: Placed,
}

/// What was in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// Something that is kept.
    Kept,
}

/// What was put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed {
    /// A symbolic link to this path.
    Link(String),
    /// A copy with this SHA-256, in hex.
    Copy(String),
}

impl Record {
    /// Reads what [`Record::to_json`] wrote.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Record { path: path.to_owned(), reason };
        let root: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let applets = root.get("applets").and_then(Value::as_object);
        let applets = applets.ok_or_else(|| wrong("it has no applets".to_owned()))?;
        let mut record = Record::default();
        for (name, value) in applets {
            let entry = Entry::parse(value)
                .filter(|_| !name.is_empty() && !name.contains('/') && !name.starts_with('.'))
                .ok_or_else(|| wrong(format!("applet {name:?} makes no sense")))?;
            record.entries.insert(name.clone(), entry);
        }
        Ok(record)
    }

    /// As JSON, for people to read as well.
    pub(super) fn to_json(&self) -> Value {
        let entries = self.entries.iter();
        let applets: Map<String, Value> =
            entries.map(|(name, entry)| (name.clone(), entry.to_json())).collect();
        json!({ "applets": applets })
    }
}

impl Entry {
    fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let before = match text("before")?.as_str() {
            "nothing" => Before::Nothing,
            "kept" => Before::Kept,
            _ => return None,
        };
        let placed = match (text("link"), text("copySha256")) {
            (Some(target), None) => Placed::Link(target),
            (None, Some(hash)) => Placed::Copy(hash),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Entry { before, placed })
    }

    fn to_json(&self) -> Value {
        let before = match self.before {
            Before::Nothing => "nothing",
            Before::Kept => "kept",
        };
        match &self.placed {
            Placed::Link(target) => json!({ "before": before, "link": target }),
            Placed::Copy(hash) => json!({ "before": before, "copySha256": hash }),
        }
    }
}

//! `CNI_ARGS`: `KEY=VALUE;KEY=VALUE`, keys in exactly this case.

use super::error::Error;

/// The pairs that a plugin knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Args {
    pairs: Vec<(String, String)>,
}

/// The key that lets unknown ones pass.
const IGNORE_UNKNOWN: &str = "IgnoreUnknown";

impl Args {
    /// Reads the pairs of a plugin that knows these keys, with the CNI library's texts for what is
    /// wrong.
    ///
    /// # Errors
    /// [`Error::ArgsPair`], [`Error::ArgsValue`], [`Error::ArgsUnknown`].
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, Error> {
        let mut args = Args::default();
        if text.is_empty() {
            return Ok(args);
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Error::NotUtf8 { name: "CNI_ARGS" });
        }
        let (mut unknown, mut ignores) = (Vec::new(), false);
        for pair in text.split(';') {
            let invalid = || Error::ArgsPair { pair: pair.to_owned() };
            let (key, value) = pair.split_once('=').ok_or_else(invalid)?;
            if value.contains('=') {
                return Err(invalid());
            }
            if key == IGNORE_UNKNOWN {
                ignores = match value.to_ascii_lowercase().as_str() {
                    "1" | "true" => true,
                    "0" | "false" => false,
                    _ => {
                        let reason = format!("boolean unmarshal error: invalid input {value}");
                        return Err(Error::ArgsValue { pair: pair.to_owned(), reason });
                    }
                };
            } else if known.contains(&key) {
                args.pairs.push((key.to_owned(), value.to_owned()));
            } else {
                unknown.push(pair.to_owned());
            }
        }
        if unknown.is_empty() || ignores {
            Ok(args)
        } else {
            Err(Error::ArgsUnknown { pairs: unknown })
        }
    }

    /// The value of a key, the last of several; empty is none.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().rfind(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A value that makes no sense.
    pub(super) fn invalid(&self, key: &str, reason: String) -> Error {
        Error::ArgsValue { pair: format!("{key}={}", self.get(key).unwrap_or_default()), reason }
    }
}

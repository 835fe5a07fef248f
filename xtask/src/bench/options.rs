//! The options of a benchmark, and the program that it measures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, target_dir};
use crate::setup;

/// `--quick`, and options with a path behind them.
#[derive(Debug)]
pub struct Options<const PATHS: usize> {
    /// `quick` or `full`.
    pub scale: &'static str,
    /// The paths, in the order in which their options were named.
    pub paths: [Option<String>; PATHS],
}

impl<const PATHS: usize> Options<PATHS> {
    /// Reads the words; `names` are the options that have a path.
    pub fn read(words: &[String], names: [&str; PATHS]) -> Result<Self> {
        let mut options = Self { scale: "full", paths: names.map(|_| None) };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match names.iter().position(|name| name == word) {
                Some(at) => {
                    let path = words.next().with_context(|| format!("`{word}` wants a path"))?;
                    options.paths[at] = Some(path.clone());
                }
                None if word == "--quick" => options.scale = "quick",
                None => bail!("unexpected argument `{word}`"),
            }
        }
        Ok(options)
    }
}

/// Sees to what the benchmark needs: Debian's packages, and the program of this repository, built,
/// unless a path names another.
pub fn prepare(path: Option<String>) -> Result<String> {
    setup::ensure(setup::Purpose::Tests)?;
    if let Some(path) = path {
        return Ok(path);
    }
    cargo().args(["build", "--release"]).run()?;
    Ok(target_dir()?.join("release/portcullis").to_string_lossy().into_owned())
}

/// The whole path, of what must be there.
pub fn absolute(path: &str) -> Result<PathBuf> {
    Path::new(path).canonicalize().with_context(|| format!("no plugin at {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(&'static str, [Option<String>; 2])> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let options = Options::read(&words, ["--plugin", "--peer"])?;
        Ok((options.scale, options.paths))
    }

    #[test]
    fn options_when_given_in_any_order_then_are_read() -> Result<()> {
        assert_eq!(read("")?, ("full", [None, None]));
        let both = ("quick", [Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(read("--peer b --quick --plugin a")?, both);
        Ok(())
    }

    #[test]
    fn options_when_unknown_or_without_their_path_then_are_refused() {
        for (line, complaint) in [
            ("--quick --slow", "unexpected argument `--slow`"),
            ("quick", "unexpected argument `quick`"),
            ("--peer", "`--peer` wants a path"),
        ] {
            let error = read(line).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(complaint), "{line}");
        }
    }
}

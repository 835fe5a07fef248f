//! A command line that is printed before it runs.
//!
//! Knows how a shell would write it; must not know what any command does.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};

/// The repository's root, where every command of the build runs.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The directory that cargo builds into, found from this program's own place in it.
pub fn target_dir() -> Result<PathBuf> {
    let exe = std::env::current_exe().context("finding xtask's own path")?;
    let target = exe.ancestors().nth(2).context("xtask runs outside a target directory")?;
    Ok(target.to_path_buf())
}

/// A `cargo` command in the repository's root.
pub fn cargo() -> Step {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    Step::new(&program).shown_as("cargo").within(root())
}

/// One command: its words, its environment and its input.
pub struct Step {
    program: String,
    shown: String,
    words: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Option<PathBuf>,
    dir: Option<PathBuf>,
}

impl Step {
    pub fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            shown: program.to_owned(),
            words: Vec::new(),
            env: Vec::new(),
            stdin: None,
            dir: None,
        }
    }

    /// A whole line at once, its words parted by blanks.
    pub fn line(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap_or_default();
        Self::new(program).args(words)
    }

    /// The name to print in the program's place.
    pub fn shown_as(mut self, name: &str) -> Self {
        name.clone_into(&mut self.shown);
        self
    }

    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    pub fn args<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn stdin(mut self, file: &Path) -> Self {
        self.stdin = Some(file.to_path_buf());
        self
    }

    pub fn within(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_path_buf());
        self
    }

    /// Print the line, run it with its output passed through, give its status.
    pub fn status(&self) -> Result<ExitStatus> {
        println!("$ {self}");
        self.command()?.status().with_context(|| format!("starting `{}`", self.program))
    }

    /// Print the line and run it; anything but exit code 0 is an error.
    pub fn run(&self) -> Result<()> {
        let status = self.status()?;
        if !status.success() {
            bail!("`{self}` failed: {status}");
        }
        Ok(())
    }

    /// Print the line, run it, and keep its output.
    pub fn capture(&self) -> Result<Output> {
        println!("$ {self}");
        self.quiet()
    }

    /// Run it without printing it, and keep its output.
    pub fn quiet(&self) -> Result<Output> {
        self.command()?.output().with_context(|| format!("starting `{}`", self.program))
    }

    /// The same as a [`Command`], for callers with wishes of their own.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(&self.words);
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        match &self.stdin {
            Some(path) => {
                let file = File::open(path).with_context(|| format!("opening {path:?}"))?;
                command.stdin(file)
            }
            None => command.stdin(Stdio::null()),
        };
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        Ok(command)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.env {
            write!(out, "{key}={} ", quoted(value))?;
        }
        write!(out, "{}", quoted(&self.shown))?;
        for word in &self.words {
            write!(out, " {}", quoted(word))?;
        }
        match &self.stdin {
            Some(path) => write!(out, " < {}", path.display()),
            None => Ok(()),
        }
    }
}

/// A word as a shell takes it: in single quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Where a program of this name lies: in PATH, or where Debian puts root's programs.
pub fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let roots = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let candidates = std::env::split_paths(&path).chain(roots).map(|dir| dir.join(program));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_when_words_need_quotes_is_what_a_shell_takes() {
        let step = Step::line("ip netns exec host").arg("a b").arg("it's").env("K", "");
        assert_eq!(step.to_string(), r"K='' ip netns exec host 'a b' 'it'\''s'");
    }
}

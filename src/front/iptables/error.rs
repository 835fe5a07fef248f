//! What `iptables` says when it fails: the texts and the exit codes of iptables-nft 1.8.9.

use std::io::{self, Write};

use crate::{nft, xtables};

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The words are no command, or say what has no native form.
    #[error(transparent)]
    Words(#[from] xtables::Error),
    /// No such table.
    #[error("table '{name}' does not exist")]
    NoTable {
        /// What `-t` said.
        name: String,
    },
    /// A rule jumps to a chain that is not there, or is to be looked for in one.
    #[error("Chain '{name}' does not exist")]
    NoChain {
        /// Its name.
        name: String,
    },
    /// A chain to change is not there.
    #[error("No chain/target/match by that name")]
    NoSuch,
    /// `-C` and `-D` found no such rule.
    #[error("Bad rule (does a matching rule exist in that chain?)")]
    NoRule,
    /// `-N` of a chain that is there.
    #[error("Chain already exists")]
    Exists,
    /// `-I`, `-D`, `-R` with a number behind the end.
    #[error("Index of {what} too big")]
    NoIndex {
        /// insertion, deletion or replacement.
        what: &'static str,
    },
    /// `-P` with something else than ACCEPT or DROP.
    #[error("Bad policy name")]
    BadPolicy,
    /// `-P` of a chain that no hook calls.
    #[error("Bad built-in chain name")]
    NotBuiltin,
    /// `-L` or `-S` of a chain that is not there.
    #[error("chain `{chain}' in table `{table}' is incompatible, use 'nft' tool.")]
    Incompatible {
        /// The chain.
        chain: String,
        /// The table.
        table: &'static str,
    },
    /// `-X` of a chain that rules jump to, or that has rules.
    #[error("CHAIN_DEL failed (Device or resource busy): chain {name}")]
    Busy {
        /// The chain.
        name: String,
    },
    /// A line of a save file.
    #[error("line {line}: {cause}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        cause: Box<Error>,
    },
    /// A line of a save file that is none.
    #[error("{text}")]
    BadLine {
        /// What is wrong with it.
        text: &'static str,
    },
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] nft::Error),
    /// A table changes all the time.
    #[error("table {table} kept changing, {attempts} times")]
    Unsteady {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// Standard output or input failed.
    #[error("cannot read or write: {0}")]
    Io(#[from] io::Error),
}

/// The version whose behaviour this is, as old callers read it.
pub(super) const VERSION: &str = "v1.8.9 (nf_tables)";

impl Error {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Error::Words(_) | Error::NoChain { .. } | Error::BadLine { .. } => 2,
            Error::NoTable { .. } => 3,
            Error::NoSuch
            | Error::NoRule
            | Error::Exists
            | Error::NoIndex { .. }
            | Error::BadPolicy
            | Error::NotBuiltin
            | Error::Incompatible { .. }
            | Error::Io(_) => 1,
            Error::Busy { .. } | Error::Kernel(_) | Error::Unsteady { .. } => 4,
            Error::Line { cause, .. } => cause.code(),
        }
    }

    /// Prints it as `iptables` does.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn print(&self, program: &str, err: &mut impl Write) -> io::Result<()> {
        match self {
            Error::Words(xtables::Error::UnexpectedWord { word }) => {
                writeln!(err, "Bad argument `{word}'")?;
                hint(program, err)
            }
            Error::Words(error) => {
                writeln!(err, "{program} {VERSION}: {}", classic(error))?;
                hint(program, err)
            }
            Error::NoChain { .. } | Error::BadLine { .. } => {
                writeln!(err, "{program} {VERSION}: {self}")?;
                hint(program, err)
            }
            Error::NoTable { .. } => {
                writeln!(err, "{program} {VERSION}: {self}")?;
                writeln!(err, "Perhaps {program} or your kernel needs to be upgraded.")
            }
            Error::BadPolicy => {
                writeln!(err, "{program}: {self}. Run `dmesg' for more information.")
            }
            Error::NoSuch
            | Error::NoRule
            | Error::Exists
            | Error::NoIndex { .. }
            | Error::NotBuiltin => writeln!(err, "{program}: {self}."),
            Error::Incompatible { .. } => writeln!(err, "{program} {VERSION}: {self}"),
            // Two blanks, as in the original.
            Error::Busy { .. } => writeln!(err, "{program} {VERSION}:  {self}"),
            Error::Line { .. } | Error::Kernel(_) | Error::Unsteady { .. } | Error::Io(_) => {
                writeln!(err, "{program} {VERSION}: {self}")
            }
        }
    }
}

fn hint(program: &str, err: &mut impl Write) -> io::Result<()> {
    writeln!(err, "Try `{program} -h' or '{program} --help' for more information.")
}

/// The words of iptables for what callers know; our own for the rest.
fn classic(error: &xtables::Error) -> String {
    match error {
        xtables::Error::UnknownOption { word } => format!("unknown option \"{word}\""),
        xtables::Error::UnknownMatch { name } => {
            format!("Couldn't load match `{name}':No such file or directory\n")
        }
        other => other.to_string(),
    }
}

//! What `iptables` says when it fails: the texts and the exit codes of iptables-nft 1.8.9.

use std::io::{self, Write};

use super::classic::{classic, errno_text};
use super::sealed::Deed;
use crate::{nft, xtables};

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The words are no command, or say what has no native form.
    #[error(transparent)]
    Words(#[from] xtables::Error),
    /// `iptables-save -t` of no such table.
    #[error("Table `{name}' does not exist")]
    NoTableToSave {
        /// What `-t` said.
        name: String,
    },
    /// No such table.
    #[error("table '{name}' does not exist")]
    NoTable {
        /// What `-t` said.
        name: String,
    },
    /// A rule jumps to a chain that is not there.
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
    /// `-E` to a name that another chain has.
    #[error("File exists")]
    FileExists,
    /// `-I`, `-D`, `-R` with a number behind the end.
    #[error("Index of {what} too big")]
    NoIndex {
        /// insertion, deletion or replacement.
        what: &'static str,
    },
    /// `-P` with something else than ACCEPT or DROP.
    #[error("Bad policy name")]
    BadPolicy,
    /// `-P` of a chain that no hook calls, or `-E` of one that a hook calls.
    #[error("Bad built-in chain name")]
    NotBuiltin,
    /// `-j DROP` or `-P … DROP` in the table nat.
    #[error(
        "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n"
    )]
    NatDrop,
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
    /// `-X` of a chain that a hook calls and that has a policy of its own.
    #[error("Directory not empty")]
    NotEmpty,
    /// `-4` of ip6tables, `-6` of iptables.
    #[error("rules of {version} are those of {}", program_of(*version))]
    OtherProgram {
        /// The family that was asked for.
        version: crate::net::IpVersion,
    },
    /// A word that is no text.
    #[error("`{word}' is not UTF-8")]
    NotUtf8 {
        /// The word, as far as it can be shown.
        word: String,
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
        text: String,
    },
    /// A line outside of a table.
    #[error("failed")]
    StrayLine,
    /// A save file that ends within a table.
    #[error("COMMIT expected")]
    NoCommit,
    /// Something that a line of a save file cannot do: `-L`, `-S`, `-h`, `-V`.
    #[error("this command changes nothing: it cannot stand in a file for iptables-restore")]
    NoChange,
    /// An option that one of the lesser programs does not have, as getopt(3) says it.
    #[error("{text}")]
    Usage {
        /// What is wrong.
        text: String,
        /// Where to look for help; whole line.
        hint: &'static str,
    },
    /// A file that cannot be opened.
    #[error("Can't open {file}: {cause}")]
    Open {
        /// Its name.
        file: String,
        /// Why.
        cause: String,
    },
    /// The kernel refused changes of a batch; nothing was changed.
    #[error("the kernel refused {}", .0.len())]
    Refused(Vec<Refusal>),
    /// The kernel refused something else.
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

/// One change that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was being done.
    pub deed: Deed,
    /// The line of a save file, from 1; 0 for a command of its own.
    pub line: usize,
    /// The chain that it is about.
    pub chain: String,
    /// Why, as a positive errno.
    pub errno: i32,
    /// The same in words, with the change in nft syntax.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = errno_text(self.errno);
        let (deed, object) = (self.deed.classic(), self.deed.object(&self.chain));
        write!(f, "{deed} failed ({why}): {object}")
    }
}

/// The version whose behaviour this is, as old callers read it.
pub(super) const VERSION: &str = "v1.8.9 (nf_tables)";

/// What a shell sees of a program that a pipe without a reader has ended: 128 and SIGPIPE.
const BROKEN_PIPE: u8 = 141;

fn program_of(version: crate::net::IpVersion) -> &'static str {
    match version {
        crate::net::IpVersion::V4 => "iptables",
        crate::net::IpVersion::V6 => "ip6tables",
    }
}

impl Error {
    /// The same about a line of a save file.
    pub(super) fn on(self, line: usize) -> Self {
        match self {
            // These know their lines already.
            known @ (Error::Line { .. } | Error::Refused(_) | Error::Kernel(_)) => known,
            cause => Error::Line { line, cause: Box::new(cause) },
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            broken if broken.is_broken_pipe() => BROKEN_PIPE,
            Error::Words(_)
            | Error::NoChain { .. }
            | Error::NatDrop
            | Error::NoChange
            | Error::OtherProgram { .. }
            | Error::NotUtf8 { .. }
            | Error::BadLine { .. } => 2,
            Error::NoTable { .. } => 3,
            Error::NoTableToSave { .. } => 1,
            Error::NoSuch
            | Error::NoRule
            | Error::Exists
            | Error::FileExists
            | Error::NoIndex { .. }
            | Error::BadPolicy
            | Error::NotBuiltin
            | Error::NotEmpty
            | Error::Incompatible { .. }
            | Error::StrayLine
            | Error::NoCommit
            | Error::Usage { .. }
            | Error::Open { .. }
            | Error::Io(_) => 1,
            Error::Busy { .. } | Error::Refused(_) | Error::Kernel(_) | Error::Unsteady { .. } => 4,
            Error::Line { cause, .. } => cause.code(),
        }
    }

    /// Whether the reader of a pipe has seen enough.
    fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Prints it as `iptables` does: nothing where the reader of a pipe has gone.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn print(&self, program: &str, err: &mut impl Write) -> io::Result<()> {
        match self {
            Error::Line { line, cause } => cause.print_at(program, Some(*line), err),
            whole => whole.print_at(program, None, err),
        }
    }

    fn print_at(&self, program: &str, line: Option<usize>, err: &mut impl Write) -> io::Result<()> {
        match self {
            broken if broken.is_broken_pipe() => Ok(()),
            Error::Words(xtables::Error::UnexpectedWord { word }) => {
                writeln!(err, "Bad argument `{word}'")?;
                hint(program, line, err)
            }
            Error::Words(error) => {
                writeln!(err, "{program} {VERSION}: {}", classic(error))?;
                hint(program, line, err)
            }
            Error::NoChain { .. }
            | Error::BadLine { .. }
            | Error::NatDrop
            | Error::NoChange
            | Error::NotUtf8 { .. }
            | Error::OtherProgram { .. } => {
                writeln!(err, "{program} {VERSION}: {self}")?;
                hint(program, line, err)
            }
            Error::NoTableToSave { .. } => writeln!(err, "{self}"),
            Error::NoTable { .. } => {
                writeln!(err, "{program} {VERSION}: {self}")?;
                writeln!(err, "Perhaps {program} or your kernel needs to be upgraded.")
            }
            Error::BadPolicy if line.is_none() => {
                writeln!(err, "{program}: {self}. Run `dmesg' for more information.")
            }
            Error::StrayLine => match line {
                Some(line) => writeln!(err, "{program}: line {line} failed"),
                None => writeln!(err, "{program}: {self}"),
            },
            Error::NoCommit => {
                writeln!(err, "{program}: COMMIT expected at line {}", line.unwrap_or_default())
            }
            Error::BadPolicy
            | Error::NoSuch
            | Error::NoRule
            | Error::Exists
            | Error::FileExists
            | Error::NoIndex { .. }
            | Error::NotEmpty
            | Error::NotBuiltin => match line {
                Some(line) => writeln!(err, "{program}: line {line} failed: {self}."),
                None => writeln!(err, "{program}: {self}."),
            },
            Error::Incompatible { .. } => writeln!(err, "{program} {VERSION}: {self}"),
            Error::Usage { text, hint } => writeln!(err, "{program}: {text}\n{hint}"),
            Error::Open { .. } => writeln!(err, "{self}"),
            // Two blanks, or the end of the line, as in the original.
            Error::Busy { .. } => match line {
                Some(line) => writeln!(err, "{program} {VERSION}: \nline {line}: {self}"),
                None => writeln!(err, "{program} {VERSION}:  {self}"),
            },
            Error::Refused(refusals) => print_refusals(program, refusals, err),
            // The first that iptables asks, before anything else.
            Error::Kernel(nft::Error::NotPermitted) => writeln!(
                err,
                "{program} {VERSION}: Could not fetch rule set generation id: Permission denied \
                 (you must be root)"
            ),
            Error::Line { .. } | Error::Kernel(_) | Error::Unsteady { .. } | Error::Io(_) => {
                writeln!(err, "{program} {VERSION}: {self}")
            }
        }
    }
}

/// What iptables says of each, and behind it what was refused, in the words of nft.
fn print_refusals(program: &str, refusals: &[Refusal], err: &mut impl Write) -> io::Result<()> {
    write!(err, "{program} {VERSION}: ")?;
    for (at, refusal) in refusals.iter().enumerate() {
        match (refusal.line, at) {
            (0, 0) => write!(err, " {refusal}")?,
            (0, _) => write!(err, "\n{refusal}")?,
            (line, _) => write!(err, "\nline {line}: {refusal}")?,
        }
    }
    writeln!(err)?;
    refusals.iter().try_for_each(|refusal| writeln!(err, "{}", refusal.reason))
}

fn hint(program: &str, line: Option<usize>, err: &mut impl Write) -> io::Result<()> {
    if let Some(line) = line {
        writeln!(err, "Error occurred at line: {line}")?;
    }
    writeln!(err, "Try `{program} -h' or '{program} --help' for more information.")
}

//! What stands in the way of a translation.

use std::io::{self, Write};
use std::process::ExitCode;

use super::super::error::{Error as Classic, VERSION};
use crate::net::IpVersion;
use crate::xtables;

/// A translation that cannot be.
#[derive(Debug, thiserror::Error)]
pub(in crate::front::iptables) enum Error {
    /// The words are no command, or say what has no native form.
    #[error("{0}")]
    Classic(Classic),
    /// nft has no command for the operation that does not depend on what is in the table.
    #[error("-{operation} has no nft command of its own: {instead}")]
    NoCommand {
        /// Its letter.
        operation: char,
        /// What to do instead.
        instead: String,
    },
    /// A name that nft cannot read.
    #[error("nft cannot read the name {name:?}")]
    Name {
        /// The name.
        name: String,
    },
    /// A text that nft has no way to write.
    #[error("nft cannot read a double quote in {what} {text:?}")]
    Quote {
        /// Which text.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// A line of a file that is no line of iptables-save.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A table that is not in the kernel.
    #[error("there is no table {name:?} in this network namespace, {}", known_tables(known))]
    NoTable {
        /// What was asked for.
        name: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// A table without rules of the version that was asked for.
    #[error("the table {name:?} has no rules of {version}")]
    NotOfVersion {
        /// Its family and name.
        name: String,
        /// The version.
        version: IpVersion,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

fn known_tables(known: &[String]) -> String {
    match known {
        [] => "which has none".to_owned(),
        known => format!("which has: {}", known.join(", ")),
    }
}

impl<E: Into<Classic>> From<E> for Error {
    fn from(error: E) -> Self {
        Error::Classic(error.into())
    }
}

impl Error {
    /// Prints it as iptables-translate does, and gives the exit code.
    pub(super) fn report(&self, program: &str, err: &mut impl Write) -> ExitCode {
        let (code, printed) = match self {
            Error::Classic(error) => (error.code(), error.print(program, err)),
            Error::Line { .. } => (2, writeln!(err, "{program} {VERSION}: {self}")),
            Error::NoCommand { .. }
            | Error::Name { .. }
            | Error::Quote { .. }
            | Error::NoTable { .. }
            | Error::NotOfVersion { .. }
            | Error::Read { .. } => (1, writeln!(err, "{program} {VERSION}: {self}")),
        };
        if printed.is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE }
    }

    /// Whether it is only that the other language has no words for it.
    pub(super) fn is_no_form(&self) -> bool {
        use xtables::Error as Words;
        match self {
            Error::Name { .. } | Error::Quote { .. } | Error::NoCommand { .. } => true,
            Error::Classic(Classic::Words(error)) => matches!(
                error,
                Words::NoNativeForm { .. }
                    | Words::NoNativeTarget { .. }
                    | Words::UnsupportedMatch { .. }
                    | Words::UnsupportedOption { .. }
                    | Words::UnsupportedValue { .. }
                    | Words::NeverMatches { .. }
                    | Words::NeedsProtocol { .. }
                    | Words::NeedsOption { .. }
                    | Words::UnknownMatch { .. }
                    | Words::UndecidedTarget
                    | Words::ListAge { .. }
            ),
            Error::Classic(_)
            | Error::Line { .. }
            | Error::NoTable { .. }
            | Error::NotOfVersion { .. }
            | Error::Read { .. } => false,
        }
    }

    /// Whether the words are those of the other family.
    pub(super) fn is_other_family(&self) -> bool {
        use xtables::Error as Words;
        match self {
            Error::Classic(Classic::Words(error)) => matches!(
                error,
                Words::OtherFamily { .. }
                    | Words::OtherFamilyMatch { .. }
                    | Words::OtherFamilyFragments { .. }
            ),
            Error::Classic(_)
            | Error::NoCommand { .. }
            | Error::Name { .. }
            | Error::Quote { .. }
            | Error::Line { .. }
            | Error::NoTable { .. }
            | Error::NotOfVersion { .. }
            | Error::Read { .. } => false,
        }
    }
}

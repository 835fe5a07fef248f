//! `portcullis translate`: from the words of iptables to those of nft, and back.

use std::io::Write;

use super::back;
use super::error::Error as Untranslated;
use super::file::{Rules, read, restore};
use crate::net::IpVersion;

/// What to translate.
#[derive(Debug, Clone, clap::Args)]
pub struct Translate {
    /// A file that iptables-save or ip6tables-save wrote; - or none: standard input
    file: Option<String>,
    /// The family of ip6tables; without it a file's header decides, or the table that is named
    #[arg(long)]
    ipv6: bool,
    /// The language to translate to; to iptables: the tables of this network namespace
    #[arg(long, value_enum, default_value_t = Language::Nft)]
    to: Language,
    /// One table alone, by its family and name, such as "inet portcullis"
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

/// A language of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// Files for nft -f
    Nft,
    /// Files for iptables-restore --noflush
    Iptables,
}

/// A translation that could not be made, or not of everything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is to be translated is not what it should be.
    #[error("cannot translate: {reason}")]
    Input {
        /// Why not.
        reason: String,
    },
    /// Some lines have no form in the other language; the rest was printed.
    #[error("{count} of the rules have no form there and are comments in what was printed")]
    Left {
        /// How many.
        count: usize,
    },
    /// The output could not be written.
    #[error("cannot write the translation")]
    Write(#[from] std::io::Error),
}

impl From<Untranslated> for Error {
    fn from(error: Untranslated) -> Self {
        Error::Input { reason: error.to_string() }
    }
}

/// Prints a file of iptables-save as a file for `nft -f`, or the tables of the kernel as files for
/// `iptables-restore --noflush`.
///
/// # Errors
/// [`Error`]. With [`Error::Left`] all that could be translated was printed.
pub fn translate(options: &Translate, out: &mut impl Write) -> Result<(), Error> {
    let asked = options.ipv6.then_some(IpVersion::V6);
    if options.to == Language::Iptables {
        if options.file.is_some() {
            let reason = "rules of nft are read from the kernel, not from a file".to_owned();
            return Err(Error::Input { reason });
        }
        let left = back::tables(asked, options.table.as_deref(), out)?;
        return finish(left, out);
    }
    if options.table.is_some() {
        let reason = "--table is for --to iptables".to_owned();
        return Err(Error::Input { reason });
    }
    let rules = asked.map_or(Rules::OfItsMaker, Rules::Of);
    let translated = restore(&read(options.file.as_deref())?, rules)?;
    write!(out, "{}", translated.text)?;
    finish(translated.left.len(), out)
}

fn finish(left: usize, out: &mut impl Write) -> Result<(), Error> {
    out.flush()?;
    match left {
        0 => Ok(()),
        count => Err(Error::Left { count }),
    }
}

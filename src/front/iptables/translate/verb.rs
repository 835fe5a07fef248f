//! `portcullis translate`: from the words of iptables to those of nft.

use std::io::Write;

use super::error::Error as Untranslated;
use super::file::{read, restore};
use crate::net::IpVersion;

/// What to translate.
#[derive(Debug, Clone, clap::Args)]
pub struct Translate {
    /// A file that iptables-save or ip6tables-save wrote; - or none: standard input
    file: Option<String>,
    /// It is of ip6tables
    #[arg(long)]
    ipv6: bool,
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
    #[error("{count} of the lines have no form there and are comments in what was printed")]
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

/// Prints a file of iptables-save as a file for `nft -f`.
///
/// # Errors
/// [`Error`]. With [`Error::Left`] all that could be translated was printed.
pub fn translate(options: &Translate, out: &mut impl Write) -> Result<(), Error> {
    let version = if options.ipv6 { IpVersion::V6 } else { IpVersion::V4 };
    let translated = restore(&read(options.file.as_deref())?, version)?;
    write!(out, "{}", translated.text)?;
    out.flush()?;
    match translated.left.len() {
        0 => Ok(()),
        count => Err(Error::Left { count }),
    }
}

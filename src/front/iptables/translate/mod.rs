//! Rules of iptables as commands of nft(8), and the kernel's tables as files of iptables-restore.
//!
//! What is printed is the listing of the very rule that the applets put into the kernel, so both
//! mean the same. What one of the two languages cannot say is named and never left out in silence.

mod back;
mod command;
mod error;
mod expand;
mod file;
mod line;
mod lists;
mod segment;
mod verb;
mod word;

pub(super) use command::command;
pub(super) use file::file;
pub use verb::{Error as TranslateError, Translate, translate};

#[cfg(test)]
mod tests;

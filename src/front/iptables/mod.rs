//! `iptables` and its relatives, on nf_tables alone: an unchanged caller finds what it knows.
//!
//! The applets act on the network namespace of their own process, in the tables and base chains
//! that iptables-nft uses, with native expressions. Every operation is one batch; nothing is
//! locked. Texts and exit codes are those of iptables-nft 1.8.9.

mod builtin;
mod change;
mod classic;
mod clock;
mod draft;
mod draft_beside;
mod draft_chain;
mod draft_chains;
mod draft_lists;
mod draft_sets;
mod error;
mod getopt;
mod help;
mod list;
mod list_ages;
mod naming;
mod parts;
mod program;
mod restore;
mod save;
mod save_file;
mod sealed;
mod show;
mod state;
mod survey;
mod sweep;
mod translate;
mod unnamed_sets;

pub use error::{Error, Refusal};
pub use program::{Program, run};
pub use restore::check_save_file;
pub use sealed::Deed;
pub use survey::survey;
pub use translate::{Translate, TranslateError, translate};

#[cfg(test)]
mod tests;

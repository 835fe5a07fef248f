//! `cargo xtask tidy`: the rules for src/ that no compiler checks, by a plain scan of the text.
//!
//! - `rooms`: which room may use which, as data;
//! - `code`: a source file with its comments and texts blanked out;
//! - `rules`: what is looked for in one file;
//! - `tree`: the walk over the files, and the report.

mod code;
mod rooms;
mod rules;
mod tree;

#[cfg(test)]
mod tests;

pub use tree::run;

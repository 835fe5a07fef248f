//! Inspection: what portcullis has in force, for people and for programs.

mod list;

pub use list::{Error, List, list};

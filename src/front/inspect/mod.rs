//! Inspection: what portcullis has in force, for people and for programs.

mod doctor;
mod host;
mod list;

pub use doctor::{Doctor, doctor};
pub use list::{Error, List, list};

//! Results: what a plugin made, as a value that any version of the specification can be read into
//! and printed from (<https://www.cni.dev/docs/spec/#section-5-result-types>).

mod cni_result;
mod parse;
mod print;

pub use cni_result::{CniResult, Dns, Interface, Ip, Route};
pub(super) use parse::address;

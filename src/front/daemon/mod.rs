//! What stays and watches: other programs' firewalls forget what a plugin told them once.

mod reapply;

pub use reapply::{Error, Reapply, reapply};

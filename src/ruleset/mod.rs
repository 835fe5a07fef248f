//! From what is wanted to what is changed: desired state, snapshot, difference, plan.
//!
//! [`Desired`] says what a table should hold for some owners; a [`Snapshot`] holds what of that is
//! there; [`diff`] is a pure function of both and makes a [`Plan`], the fewest changes that lead
//! from one to the other. [`apply`] commits a plan against the generation that it was made for.
//! The room knows who owns what ([`Owner`]), and never why a rule is wanted.

mod apply;
mod desired;
mod diff;
mod error;
mod insertion;
mod model;
mod owner;
mod snapshot;

pub use apply::{Lock, apply};
pub use desired::{Desired, DesiredChain};
pub use diff::{Plan, Scope, diff};
pub use error::{Conflict, Error};
pub use insertion::{ForeignChain, Place, diff_insertions};
pub use model::{Model, Refused};
pub use owner::{Owner, OwnerKey, Record};
pub use snapshot::{Snapshot, Wanted};

#[cfg(test)]
mod tests;

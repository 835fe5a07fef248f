//! Addresses for containers: ranges, which address is next, and the directory that remembers them.
//!
//! The directory is the one of the CNI plugin `host-local`: a file per address that says who has
//! it, so that either program can take over from the other at any time, also while the other runs.
//! [`allocate`], [`release`], [`check`] and [`collect_garbage`] hold its lock; which address is
//! given is decided by a pure function. This room does IO in that directory only, and knows
//! nothing of links, firewalls or CNI's formats.

mod allocate;
mod error;
mod holder;
mod index;
mod plan;
mod range;
mod range_set;
mod store;

pub use allocate::{Config, allocate, check, collect_garbage, release, status};
pub use error::{Error, InvalidRange, InvalidRanges, Refusal};
pub use holder::Attachment;
pub use plan::Lease;
pub use range::{Range, RangeSpec};
pub use range_set::{RangeSet, RangeSets};

#[cfg(test)]
mod tests;

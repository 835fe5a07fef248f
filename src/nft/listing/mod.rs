//! Listings: values as nft(8) prints them (`nft -s list ruleset`), without asking the kernel.
//!
//! [`RuleListing`] runs a rule's expressions symbolically: registers hold the text of what was
//! loaded into them, and a comparison, a lookup or a statement turns that into words. What nft
//! leaves out because a later word implies it (`meta l4proto tcp` in front of `tcp dport`) is left
//! out here too. Checked against nft itself in `tests/kernel.rs`.

mod compare;
mod fields;
mod lookup;
mod rule;
mod table;

pub use rule::RuleListing;
pub(super) use rule::Term;
pub use table::{list_element, list_rule, list_table};

#[cfg(test)]
mod tests;

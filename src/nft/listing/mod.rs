//! Listings: values as nft(8) prints them (`nft -s list ruleset`), without asking the kernel.
//!
//! [`RuleListing`] runs a rule's expressions symbolically: registers hold the text of what was
//! loaded into them, and a comparison, a lookup or a statement turns that into words. What nft
//! leaves out because a later word implies it (`meta l4proto tcp` in front of `tcp dport`) is left
//! out here too. Checked against nft itself in `tests/kernel.rs`.

mod compare;
mod elements;
mod extensions;
mod fields;
mod headers;
mod lookup;
mod objects;
mod rule;
mod table;
mod term;
mod type_of;

pub use elements::list_element;
pub use rule::RuleListing;
pub(super) use table::set_lines;
pub use table::{list_rule, list_stateless_rule, list_table};
pub(super) use term::Term;

#[cfg(test)]
mod tests;

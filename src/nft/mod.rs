//! nf_tables as values: tables, chains, rules, sets, maps, elements, objects and expressions.
//!
//! Every value encodes into netlink attributes, decodes from them, and lists as nft(8) would list
//! it. A [`Transaction`] collects changes and seals into one [`Batch`]; [`Kernel`] reads what is
//! there and commits batches. The room knows nothing of containers, and drops nothing: what it
//! has no type for stays whole in an `Other`.
//!
//! Numbers are those of `linux/netfilter/nf_tables.h`; what is written into userdata follows
//! libnftnl's `udata.h`, so that nft reads our tables as its own.

mod batch;
mod chain;
mod clock;
mod closing;
mod concat;
mod ct_object;
mod datatype;
mod describe;
mod element;
mod error;
mod event;
pub mod expr;
mod family;
mod kernel;
mod listing;
mod mirror;
mod name;
mod object;
mod raw_rule;
mod read;
mod read_elements;
mod request;
mod reset;
mod rule;
mod set;
mod symbols;
mod table;
mod transaction;
mod userdata;

pub use batch::Batch;
pub use chain::{AnyChain, BaseChain, Chain, ChainKind, ChainUsage, Hook, Policy};
pub use concat::concat;
pub use ct_object::{CtExpectation, CtHelper, CtTimeout};
pub use datatype::DataType;
pub use element::{Element, ElementData};
pub use error::{Error, RefusedChange};
pub use event::{Event, Subject};
pub use expr::Expr;
pub use family::Family;
pub use kernel::{Applied, Generation, Kernel};
pub use listing::{RuleListing, list_element, list_rule, list_stateless_rule, list_table};
pub use mirror::ChainRule;
pub use name::{InvalidName, Name};
pub use object::{Object, ObjectKind};
pub use raw_rule::RawRule;
pub use rule::{Listed, Rule};
pub use set::{Set, SetData, SetFlags, SetPolicy};
pub use table::{Table, TableId};
pub use transaction::{Change, Transaction};
pub use userdata::{Tlv, Userdata};

#[cfg(test)]
mod tests;

//! Connection tracking over ctnetlink: find flows by address and port, and forget them.
//!
//! A UDP flow that began before a port was published, or that goes on after its container is
//! gone, keeps its old translation as long as packets come. Forgetting it makes the next packet
//! be translated anew. The room knows linux/netfilter/nfnetlink_conntrack.h and no nf_tables.

mod flow;
mod table;

pub use flow::{Flow, FlowFilter, Tuple};
pub use table::Conntrack;

#[cfg(test)]
mod tests;

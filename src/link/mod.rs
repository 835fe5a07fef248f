//! Links and routes of the network namespace, and their sysctls.
//!
//! Over `rtnetlink`, whose futures run to their end on a runtime of the calling thread: the face
//! of this room blocks. It knows rtnetlink(7) and no nf_tables.

mod error;
mod route;
mod sysctl;

pub use error::Error;
pub use route::interface_towards;
pub use sysctl::{Sysctl, allow_route_localnet};

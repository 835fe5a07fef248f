//! One container on one network: publish its ports ([`publish`]), masquerade it and check its
//! frames ([`guard`]), let its packets pass ([`forward`], with firewalld [`admit`]); take it back, check it, clean up.
//!
//! Here is the order of things: lock, read, plan, commit, then what no batch can hold (stale flows,
//! sysctls). Everything that is recorded of an attachment is in the kernel, in the same batch as
//! its ports: a counter whose name is the owner. So a call that dies leaves all or nothing, and a
//! ruleset that is flushed leaves no record of what is gone.

mod bridge;
mod check;
mod error;
mod external_mark;
mod forward;
mod guard;
mod holding;
mod host;
mod loopback;
mod publish;
mod record;
mod stale;
mod unpublish;
mod zones;

pub use crate::link::{Link, Route};
pub use crate::ruleset::Owner;
pub use bridge::{
    AddressManager, Addressing, BridgeNetwork, Connected, ContainerLink, Expected, Gateway,
    Reflection, Remains, Seen, Vlans, check_bridge, collect_links, connect, disconnect,
};
pub use check::{check, status};
pub use error::{Error, Fault};
pub use external_mark::external_mark;
pub use forward::{
    check_forward, collect_unforwarded, forward, forward_on, unforward, unforward_on,
};
pub use guard::{check_guard, collect_unguarded, desired_guard, guard, unguard};
pub use host::Host;
pub use loopback::{check_loopback, loopback_down, loopback_up};
pub use publish::{desired_with, publish};
pub use record::{Attachment, Netns, NetnsError};
pub use unpublish::{collect_garbage, unpublish};
pub use zones::{Reapplied, Zoning, admit, check_admitted, dismiss, dismiss_stale, reapply};

#[cfg(test)]
mod tests;

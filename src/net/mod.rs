//! Values that every room speaks: addresses with prefixes, protocols, ports, names, marks.
//!
//! Each is parsed once, where outside input enters; a value that exists is valid. This room does
//! no IO and knows nothing of netlink, nftables or CNI.

mod cidr;
mod ip_version;
mod l4proto;
mod mac;
mod mark;
mod name;
mod port;
mod subnet;
mod vlan;
mod zone;

pub use cidr::Cidr;
pub use ip_version::IpVersion;
pub use l4proto::{L4Proto, UnknownProtocol};
pub use mac::{InvalidMac, Mac};
pub use mark::{InvalidMarkBit, Mark};
pub use name::{ContainerId, IfName, InvalidName, NetworkName};
pub use port::{InvalidPort, Port};
pub use subnet::{InvalidSubnet, Subnet};
pub use vlan::{InvalidVlanId, VlanId, VlanRange};
pub use zone::{InvalidZoneName, ZoneName};

#[cfg(test)]
mod tests;

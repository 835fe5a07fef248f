//! `bridge`: connects a container to a bridge of the host, with addresses from an address manager.
//!
//! Keys: `bridge`, `isGateway`, `isDefaultGateway`, `forceAddress`, `ipMasq`, `ipMasqBackend`,
//! `mtu`, `hairpinMode`, `promiscMode`, `vlan`, `vlanTrunk`, `preserveDefaultVlan`, `macspoofchk`,
//! `enabledad`, `disableContainerInterface`, `portIsolation`, `ipam`, `dns`, and `mac` of
//! `runtimeConfig`, `args` and `CNI_ARGS`, as the CNI plugin of that name has them
//! (<https://www.cni.dev/plugins/current/main/bridge/>).

mod commands;
mod conf;
mod ipam;
mod links;

pub use commands::{BRIDGE, bridge_intent};

#[cfg(test)]
mod tests;

//! A small network laboratory: real packets between namespaces that belong to one test.
//!
//! [`Lab::new`] takes the calling thread out of the machine's mount and network namespaces and
//! builds a host with an outside world, a remote network and two containers on a bridge.
//! [`Plugin`] runs a CNI plugin inside the host, [`Echo`] answers probes, [`Probe`] asks. It knows
//! nothing of the product but the path of its binary; no test of it touches the machine's own
//! links, firewall or sysctls. It needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN), iproute2 and nft:
//! what is missing is a failure, never a skip.
//!
//! See `ip-netns(8)`, `network_namespaces(7)` and `mount_namespaces(7)`.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of the laboratory")]

mod cni;
mod config;
mod echo;
mod flow;
mod isolation;
mod listing;
mod netns;
pub mod packet;
mod pid_namespace;
mod plugin;
mod probe;
mod program;
mod subject;
mod topology;
mod words;

pub use cni::CniCall;
pub use config::{Mapping, PortmapConf};
pub use echo::Echo;
pub use flow::UdpFlow;
pub use isolation::isolate;
pub use listing::Listing;
pub use netns::{Netns, feed, run};
pub use pid_namespace::{PidNamespace, Surroundings, names};
pub use plugin::{Attachment, Plugin, Reply, Verb};
pub use probe::{Outcome, Probe, Protocol, Table};
pub use program::{copy, link, script};
pub use subject::Subject;
pub use topology::{Lab, Place, uplink};
pub use words::split;

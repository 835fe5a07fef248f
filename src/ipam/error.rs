//! What can go wrong with ranges and addresses. The texts are those of the CNI plugin, which
//! runtimes show to their users and some look for.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::net::Subnet;

/// A range, or a set of ranges, that no address can be given from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    /// Without network, gateway and broadcast nothing is left.
    #[error("Network {subnet} too small to allocate from")]
    TooSmall {
        /// The network.
        subnet: Subnet,
    },
    /// An IPv4 network in IPv6 clothes.
    #[error("IPNet IP and Mask version mismatch")]
    MappedNetwork,
    /// The subnet is an address in a network.
    #[error(
        "Network has host bits set. For a subnet mask of length {prefix} the network address is {network}"
    )]
    HostBits {
        /// Its length in bits.
        prefix: u8,
        /// What the subnet should be.
        network: IpAddr,
    },
    /// The first address is outside, or behind the last one.
    #[error("RangeStart {address} not in network {subnet}")]
    Start {
        /// The first address.
        address: IpAddr,
        /// The network.
        subnet: Subnet,
    },
    /// The last address is outside, or before the first one.
    #[error("RangeEnd {address} not in network {subnet}")]
    End {
        /// The last address.
        address: IpAddr,
        /// The network.
        subnet: Subnet,
    },
    /// A set without ranges.
    #[error("empty range set")]
    EmptySet,
    /// A set gives one address, which is IPv4 or IPv6.
    #[error("mixed address families")]
    MixedVersions,
    /// An address is in two ranges of a set.
    #[error("subnets {first} and {second} overlap")]
    Overlap {
        /// One range, as `start-end`.
        first: String,
        /// The other.
        second: String,
    },
}

/// Range sets that do not make sense together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRanges {
    /// There is none.
    #[error("no IP ranges specified")]
    None,
    /// One is wrong.
    #[error("invalid range set {index}: {cause}")]
    Set {
        /// Which, from 0.
        index: usize,
        /// Why.
        cause: InvalidRange,
    },
    /// An address is in two of them.
    #[error("range set {first} overlaps with {second}")]
    Overlap {
        /// The one.
        first: usize,
        /// The other.
        second: usize,
    },
}

/// Why a range set gives no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The gateway was asked for.
    #[error("requested ip {address} is subnet's gateway")]
    Gateway {
        /// The gateway.
        address: IpAddr,
    },
    /// Somebody has the address that was asked for.
    #[error("requested IP address {address} is not available in range set {set}")]
    Taken {
        /// The address.
        address: IpAddr,
        /// The set, as `start-end,start-end`.
        set: String,
    },
    /// The attachment has an address of the set already.
    #[error("{address} has been allocated to {container}, duplicate allocation is not allowed")]
    Duplicate {
        /// The address.
        address: IpAddr,
        /// The container.
        container: String,
    },
    /// Everything is taken.
    #[error("no IP addresses available in range set: {set}")]
    Exhausted {
        /// The set, as `start-end,start-end`.
        set: String,
    },
}

/// A failed operation. What it had reserved until then is free again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A range set gives no address.
    #[error("failed to allocate for range {index}: {cause}")]
    Refused {
        /// Which set, from 0.
        index: usize,
        /// Why.
        cause: Refusal,
    },
    /// Addresses were asked for that are in no range, or of which one set would have to give two.
    #[error("failed to allocate all requested IPs: {}", texts(.addresses))]
    Unfulfilled {
        /// The addresses that are left.
        addresses: Vec<IpAddr>,
    },
    /// The container has no address.
    #[error("host-local: Failed to find address added by container {container}")]
    NotAllocated {
        /// The container.
        container: String,
    },
    /// Reading or writing failed.
    #[error("cannot {op} {}", .path.display())]
    Store {
        /// What was tried, such as `create`.
        op: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process kept the lock all the time.
    #[error("another process keeps {} locked", .path.display())]
    Locked {
        /// The lock's file.
        path: PathBuf,
    },
    /// Somebody who does not take the lock makes address files at the same time.
    #[error("address files in {} appear without the lock being held", .path.display())]
    Contended {
        /// The directory.
        path: PathBuf,
    },
}

fn texts(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

//! The only room with `unsafe`: the C libraries libmnl and libnftnl, and calls that change what
//! the process is (its namespace, its children).
//!
//! It decides nothing: each function does one system call or one C call, and says what it needs.
//! Used by netlink, nft, link, conntrack, ipam and attachment, never above them.

#![allow(unsafe_code)]

mod bytecode;
mod keeper;
mod lock;
mod message;
mod netns;
mod process;
mod procfs;
mod random;
mod socket;

pub use bytecode::bytecode;
pub use keeper::{Keeper, hand_over};
pub use lock::{FileLock, lock_file, lock_netns};
pub use message::{MessageBuilder, Nest};
pub use netns::{NetnsFile, NetnsId, current_netns, in_netns, is_inhabited, netns_at};
pub use process::outlive;
pub use procfs::open_proc;
pub use random::random_number;
pub use socket::{Receiver, Socket, SocketError};

#[cfg(test)]
mod tests;

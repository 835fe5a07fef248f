//! Netlink as requests and answers: what every netfilter subsystem shares.
//!
//! A [`Connection`] sends messages built by [`MessageBuilder`] and reads the answers: one reply
//! per request, a dump, or the verdict on a batch. [`Attributes`] walks what came back. It knows
//! headers, errors and the extended ACK (netlink(7)), and no subsystem's attributes.

mod attribute;
mod connection;
mod dump;
mod error;
mod message;

pub use crate::sys::{MessageBuilder, Nest};
pub use attribute::{Attribute, Attributes, Malformed};
pub use connection::{Answer, Connection, Verdict};
pub use error::{Error, ExtendedAck, Refusal};
pub use message::{Message, Messages, NLM_F_ACK, NLM_F_DUMP};

#[cfg(test)]
mod tests;

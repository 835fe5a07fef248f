//! Stateful objects: named counters, and others kept as they are.

use super::{Name, Userdata};
use crate::netlink::{Malformed, Message, MessageBuilder};

pub(super) const NFTA_OBJ_TABLE: u16 = 1;
pub(super) const NFTA_OBJ_NAME: u16 = 2;
pub(super) const NFTA_OBJ_TYPE: u16 = 3;
const NFTA_OBJ_DATA: u16 = 4;
const NFTA_OBJ_USERDATA: u16 = 8;
const NFTA_COUNTER_BYTES: u16 = 1;
const NFTA_COUNTER_PACKETS: u16 = 2;

/// `NFT_OBJECT_COUNTER`.
pub(super) const COUNTER: u32 = 1;

/// A named object of a table: `add counter inet portcullis NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name, unique among the objects of its type in its table.
    pub name: Name,
    /// What it is.
    pub kind: ObjectKind,
    /// Comment and more.
    pub userdata: Userdata,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectKind {
    /// Counts what passes the rules and elements that name it.
    Counter {
        /// Packets so far.
        packets: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// Another type, its data kept as received.
    Other {
        /// `NFT_OBJECT_*`.
        number: u32,
        /// The attributes inside `NFTA_OBJ_DATA`.
        data: Vec<u8>,
    },
}

impl ObjectKind {
    /// The kernel's number of the type.
    #[must_use]
    pub fn number(&self) -> u32 {
        match self {
            ObjectKind::Counter { .. } => COUNTER,
            ObjectKind::Other { number, .. } => *number,
        }
    }
}

/// nft's word for a type of object.
pub(super) fn type_word(number: u32) -> &'static str {
    match number {
        COUNTER => "counter",
        2 => "quota",
        3 => "ct helper",
        4 => "limit",
        6 => "tunnel",
        7 => "ct timeout",
        8 => "secmark",
        9 => "ct expectation",
        10 => "synproxy",
        _ => "object",
    }
}

impl Object {
    /// A named counter at zero.
    #[must_use]
    pub fn counter(name: Name, userdata: Userdata) -> Self {
        Object { name, kind: ObjectKind::Counter { packets: 0, bytes: 0 }, userdata }
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_OBJ_NAME, self.name.as_str());
        message.put_be32(NFTA_OBJ_TYPE, self.kind.number());
        match &self.kind {
            ObjectKind::Counter { packets, bytes } => {
                let data = message.nest(NFTA_OBJ_DATA);
                message.put_be64(NFTA_COUNTER_BYTES, *bytes);
                message.put_be64(NFTA_COUNTER_PACKETS, *packets);
                message.end(data);
            }
            ObjectKind::Other { data, .. } => message.put(NFTA_OBJ_DATA, data),
        }
        if !self.userdata.is_empty() {
            message.put(NFTA_OBJ_USERDATA, &self.userdata.encode());
        }
    }

    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let name = attributes.need(NFTA_OBJ_NAME, "object without a name")?.text()?;
        let number = attributes.need(NFTA_OBJ_TYPE, "object without a type")?.be32()?;
        let data = attributes.find(NFTA_OBJ_DATA).map_or(&[][..], |data| data.value);
        let kind = if number == COUNTER {
            let data = crate::netlink::Attributes::new(data);
            ObjectKind::Counter {
                bytes: data.need(NFTA_COUNTER_BYTES, "counter without bytes")?.be64()?,
                packets: data.need(NFTA_COUNTER_PACKETS, "counter without packets")?.be64()?,
            }
        } else {
            ObjectKind::Other { number, data: data.to_vec() }
        };
        let userdata = attributes.find(NFTA_OBJ_USERDATA);
        let userdata = userdata.map(|data| Userdata::decode(data.value)).unwrap_or_default();
        Ok(Object { name: super::rule::name(name)?, kind, userdata })
    }
}

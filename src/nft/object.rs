//! Stateful objects: counters, quotas, limits, helpers and more by name; others kept as they are.

use super::ct_object::{CtExpectation, CtHelper, CtTimeout};
use super::expr::{Counter, Limit, Quota, Synproxy};
use super::{Name, Userdata};
use crate::netlink::{Attributes, Malformed, Message, MessageBuilder};

pub(super) const NFTA_OBJ_TABLE: u16 = 1;
pub(super) const NFTA_OBJ_NAME: u16 = 2;
pub(super) const NFTA_OBJ_TYPE: u16 = 3;
const NFTA_OBJ_DATA: u16 = 4;
const NFTA_OBJ_USERDATA: u16 = 8;
const NFTA_SECMARK_CTX: u16 = 1;

// `NFT_OBJECT_*`.
pub(super) const COUNTER: u32 = 1;
const QUOTA: u32 = 2;
const CT_HELPER: u32 = 3;
const LIMIT: u32 = 4;
const CT_TIMEOUT: u32 = 7;
const SECMARK: u32 = 8;
const CT_EXPECTATION: u32 = 9;
const SYNPROXY: u32 = 10;

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
    /// Matches up to so many bytes of all who name it.
    Quota(Quota),
    /// Matches up to a rate of all who name it.
    Limit(Limit),
    /// Follows a protocol whose flows open others.
    CtHelper(CtHelper),
    /// How long flows are remembered in each state.
    CtTimeout(CtTimeout),
    /// Which flows are expected beside the one that names it.
    CtExpectation(CtExpectation),
    /// The security context that it gives packets; needs a security module such as SELinux.
    Secmark(String),
    /// Answers a SYN itself.
    Synproxy(Synproxy),
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
            ObjectKind::Quota(_) => QUOTA,
            ObjectKind::Limit(_) => LIMIT,
            ObjectKind::CtHelper(_) => CT_HELPER,
            ObjectKind::CtTimeout(_) => CT_TIMEOUT,
            ObjectKind::CtExpectation(_) => CT_EXPECTATION,
            ObjectKind::Secmark(_) => SECMARK,
            ObjectKind::Synproxy(_) => SYNPROXY,
            ObjectKind::Other { number, .. } => *number,
        }
    }

    fn encode_data(&self, message: &mut MessageBuilder) {
        match self {
            ObjectKind::Counter { packets, bytes } => {
                Counter { packets: *packets, bytes: *bytes }.put(message);
            }
            ObjectKind::Quota(quota) => quota.put(message),
            ObjectKind::Limit(limit) => limit.put(message),
            ObjectKind::CtHelper(helper) => helper.put(message),
            ObjectKind::CtTimeout(timeout) => timeout.put(message),
            ObjectKind::CtExpectation(expectation) => expectation.put(message),
            ObjectKind::Secmark(context) => message.put_str(NFTA_SECMARK_CTX, context),
            ObjectKind::Synproxy(synproxy) => synproxy.put(message),
            ObjectKind::Other { .. } => {}
        }
    }

    fn decode_data(number: u32, bytes: &[u8]) -> Result<Self, Malformed> {
        let data = Attributes::new(bytes);
        Ok(match number {
            COUNTER => {
                let Counter { packets, bytes } = Counter::read(data)?;
                ObjectKind::Counter { packets, bytes }
            }
            QUOTA => ObjectKind::Quota(Quota::read(data)?),
            LIMIT => ObjectKind::Limit(Limit::read(data)?),
            CT_HELPER => ObjectKind::CtHelper(CtHelper::read(data)?),
            CT_TIMEOUT => ObjectKind::CtTimeout(CtTimeout::read(data)?),
            CT_EXPECTATION => ObjectKind::CtExpectation(CtExpectation::read(data)?),
            SECMARK => {
                let context = data.need(NFTA_SECMARK_CTX, "secmark without a context")?;
                ObjectKind::Secmark(context.text()?.to_owned())
            }
            SYNPROXY => ObjectKind::Synproxy(Synproxy::read(data)?),
            number => ObjectKind::Other { number, data: bytes.to_vec() },
        })
    }
}

/// nft's word for a type of object.
pub(super) fn type_word(number: u32) -> &'static str {
    match number {
        COUNTER => "counter",
        QUOTA => "quota",
        CT_HELPER => "ct helper",
        LIMIT => "limit",
        6 => "tunnel",
        CT_TIMEOUT => "ct timeout",
        SECMARK => "secmark",
        CT_EXPECTATION => "ct expectation",
        SYNPROXY => "synproxy",
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
        if let ObjectKind::Other { data, .. } = &self.kind {
            message.put(NFTA_OBJ_DATA, data);
        } else {
            let data = message.nest(NFTA_OBJ_DATA);
            self.kind.encode_data(message);
            message.end(data);
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
        let kind = ObjectKind::decode_data(number, data)?;
        let userdata = attributes.find(NFTA_OBJ_USERDATA);
        let userdata = userdata.map(|data| Userdata::decode(data.value)).unwrap_or_default();
        Ok(Object { name: super::rule::name(name)?, kind, userdata })
    }
}

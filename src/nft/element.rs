//! Elements of sets and maps.

use super::expr::{NFTA_DATA_VALUE, NFTA_LIST_ELEM, Verdict};
use super::{Expr, Name, Userdata};
use crate::netlink::{Attribute, Attributes, Malformed, MessageBuilder};

pub(super) const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
pub(super) const NFTA_SET_ELEM_LIST_SET: u16 = 2;
pub(super) const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
pub(super) const NFTA_SET_ELEM_LIST_SET_ID: u16 = 4;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
const NFTA_SET_ELEM_FLAGS: u16 = 3;
const NFTA_SET_ELEM_TIMEOUT: u16 = 4;
const NFTA_SET_ELEM_EXPIRATION: u16 = 5;
const NFTA_SET_ELEM_USERDATA: u16 = 6;
const NFTA_SET_ELEM_EXPR: u16 = 7;
const NFTA_SET_ELEM_OBJREF: u16 = 9;
const NFTA_SET_ELEM_KEY_END: u16 = 10;
const NFTA_SET_ELEM_EXPRESSIONS: u16 = 11;
const NFT_SET_ELEM_INTERVAL_END: u32 = 1;

/// What an element of a map leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementData {
    /// Bytes, as [`super::concat`] lays them out.
    Value(Vec<u8>),
    /// A verdict.
    Verdict(Verdict),
    /// A stateful object, by name.
    Object(Name),
}

/// One element: `tcp . 8080 comment "…" : 10.88.0.2 . 80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its key.
    pub key: Vec<u8>,
    /// The last key, for a range in a concatenation.
    pub key_end: Option<Vec<u8>>,
    /// Whether it is the end of a range in an interval set: one past the last key.
    pub interval_end: bool,
    /// What it leads to, in a map.
    pub data: Option<ElementData>,
    /// How long it lives, in milliseconds.
    pub timeout: Option<u64>,
    /// How long it has left, in milliseconds.
    pub expiration: Option<u64>,
    /// Its statements, e.g. its counter.
    pub exprs: Vec<Expr>,
    /// Comment and more.
    pub userdata: Userdata,
}

impl Element {
    /// An element of a set.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Element {
            key,
            key_end: None,
            interval_end: false,
            data: None,
            timeout: None,
            expiration: None,
            exprs: Vec::new(),
            userdata: Userdata::new(),
        }
    }

    /// The same with what it leads to.
    #[must_use]
    pub fn with_data(mut self, data: ElementData) -> Self {
        self.data = Some(data);
        self
    }

    /// The same with userdata.
    #[must_use]
    pub fn with_userdata(mut self, userdata: Userdata) -> Self {
        self.userdata = userdata;
        self
    }

    /// Whether both are the same but for what the kernel counts and clocks.
    #[must_use]
    pub fn is_same(&self, other: &Element) -> bool {
        self.key == other.key
            && self.key_end == other.key_end
            && self.interval_end == other.interval_end
            && self.data == other.data
            && self.userdata == other.userdata
    }

    /// Packets counted by the element's own counter.
    #[must_use]
    pub fn packets(&self) -> Option<u64> {
        self.exprs.iter().find_map(|expr| match expr {
            Expr::Counter(counter) => Some(counter.packets),
            _ => None,
        })
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        let element = message.nest(NFTA_LIST_ELEM);
        self.encode_key_attributes(message);
        match &self.data {
            None => {}
            Some(ElementData::Value(value)) => put_value(message, NFTA_SET_ELEM_DATA, value),
            Some(ElementData::Verdict(verdict)) => {
                let data = message.nest(NFTA_SET_ELEM_DATA);
                verdict.encode_data(message);
                message.end(data);
            }
            Some(ElementData::Object(name)) => {
                message.put_str(NFTA_SET_ELEM_OBJREF, name.as_str());
            }
        }
        if let Some(timeout) = self.timeout {
            message.put_be64(NFTA_SET_ELEM_TIMEOUT, timeout);
        }
        if let Some(expiration) = self.expiration {
            message.put_be64(NFTA_SET_ELEM_EXPIRATION, expiration);
        }
        if !self.userdata.is_empty() {
            message.put(NFTA_SET_ELEM_USERDATA, &self.userdata.encode());
        }
        match self.exprs.as_slice() {
            [] => {}
            [one] => one.encode_as(message, NFTA_SET_ELEM_EXPR),
            more => {
                let list = message.nest(NFTA_SET_ELEM_EXPRESSIONS);
                more.iter().for_each(|expr| expr.encode(message));
                message.end(list);
            }
        }
        message.end(element);
    }

    /// The key alone, which is all that looking up and deleting need.
    pub(super) fn encode_key(&self, message: &mut MessageBuilder) {
        let element = message.nest(NFTA_LIST_ELEM);
        self.encode_key_attributes(message);
        message.end(element);
    }

    fn encode_key_attributes(&self, message: &mut MessageBuilder) {
        if self.interval_end {
            message.put_be32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        }
        put_value(message, NFTA_SET_ELEM_KEY, &self.key);
        if let Some(end) = &self.key_end {
            put_value(message, NFTA_SET_ELEM_KEY_END, end);
        }
    }

    pub(super) fn decode(element: Attribute<'_>) -> Result<Self, Malformed> {
        let attributes = element.nested();
        let be64 = |kind| attributes.find(kind).map(|found| found.be64()).transpose();
        let flags = match attributes.find(NFTA_SET_ELEM_FLAGS) {
            Some(flags) => flags.be32()?,
            None => 0,
        };
        let key = match attributes.find(NFTA_SET_ELEM_KEY) {
            Some(key) => value(key.nested())?,
            // The catch-all element of newer kernels has no key.
            None => Vec::new(),
        };
        let data =
            match (attributes.find(NFTA_SET_ELEM_DATA), attributes.find(NFTA_SET_ELEM_OBJREF)) {
                (Some(data), _) => match data.nested().find(NFTA_DATA_VALUE) {
                    Some(bytes) => Some(ElementData::Value(bytes.value.to_vec())),
                    None => Some(ElementData::Verdict(Verdict::decode_data(data.nested())?)),
                },
                (None, Some(object)) => {
                    Some(ElementData::Object(super::rule::name(object.text()?)?))
                }
                (None, None) => None,
            };
        Ok(Element {
            key,
            key_end: attributes
                .find(NFTA_SET_ELEM_KEY_END)
                .map(|end| value(end.nested()))
                .transpose()?,
            interval_end: flags & NFT_SET_ELEM_INTERVAL_END != 0,
            data,
            timeout: be64(NFTA_SET_ELEM_TIMEOUT)?,
            expiration: be64(NFTA_SET_ELEM_EXPIRATION)?,
            exprs: super::set::decode_exprs(
                attributes,
                NFTA_SET_ELEM_EXPR,
                NFTA_SET_ELEM_EXPRESSIONS,
            )?,
            userdata: attributes
                .find(NFTA_SET_ELEM_USERDATA)
                .map(|data| Userdata::decode(data.value))
                .unwrap_or_default(),
        })
    }
}

fn put_value(message: &mut MessageBuilder, kind: u16, value: &[u8]) {
    let nest = message.nest(kind);
    message.put(NFTA_DATA_VALUE, value);
    message.end(nest);
}

fn value(data: Attributes<'_>) -> Result<Vec<u8>, Malformed> {
    Ok(data.need(NFTA_DATA_VALUE, "key without a value")?.value.to_vec())
}

//! Sets, maps and verdict maps.

use super::concat::{concat_len, concat_number, parse_concat};
use super::expr::NFTA_LIST_ELEM;
use super::{DataType, Expr, Name, Userdata};
use crate::netlink::{Attributes, Malformed, Message, MessageBuilder};

pub(super) const NFTA_SET_TABLE: u16 = 1;
pub(super) const NFTA_SET_NAME: u16 = 2;
const NFTA_SET_FLAGS: u16 = 3;
const NFTA_SET_KEY_TYPE: u16 = 4;
const NFTA_SET_KEY_LEN: u16 = 5;
const NFTA_SET_DATA_TYPE: u16 = 6;
const NFTA_SET_DATA_LEN: u16 = 7;
const NFTA_SET_POLICY: u16 = 8;
const NFTA_SET_DESC: u16 = 9;
const NFTA_SET_ID: u16 = 10;
const NFTA_SET_TIMEOUT: u16 = 11;
const NFTA_SET_GC_INTERVAL: u16 = 12;
const NFTA_SET_USERDATA: u16 = 13;
const NFTA_SET_OBJ_TYPE: u16 = 15;
const NFTA_SET_EXPR: u16 = 17;
const NFTA_SET_EXPRESSIONS: u16 = 18;
const NFTA_SET_DESC_SIZE: u16 = 1;
const NFTA_SET_DESC_CONCAT: u16 = 2;
const NFTA_SET_FIELD_LEN: u16 = 1;
const NFT_SET_POL_MEMORY: u32 = 1;

/// `NFT_DATA_VERDICT`: the data type of verdict maps.
const DATA_VERDICT: u32 = 0xffff_ff00;

/// Flags of a set (`NFT_SET_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetFlags(pub u32);

impl SetFlags {
    /// Belongs to one rule.
    pub const ANONYMOUS: SetFlags = SetFlags(0x1);
    /// Never changes once it is bound.
    pub const CONSTANT: SetFlags = SetFlags(0x2);
    /// Holds ranges.
    pub const INTERVAL: SetFlags = SetFlags(0x4);
    /// Is a map.
    pub const MAP: SetFlags = SetFlags(0x8);
    /// Elements may time out.
    pub const TIMEOUT: SetFlags = SetFlags(0x10);
    /// Rules add elements.
    pub const EVAL: SetFlags = SetFlags(0x20);
    /// Maps to stateful objects.
    pub const OBJECT: SetFlags = SetFlags(0x40);
    /// Ranges in each part of a concatenation.
    pub const CONCAT: SetFlags = SetFlags(0x80);

    /// Both.
    #[must_use]
    pub fn and(self, other: SetFlags) -> Self {
        SetFlags(self.0 | other.0)
    }

    /// Whether all of these are set.
    #[must_use]
    pub fn has(self, other: SetFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What the keys of a map lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetData {
    /// A value, e.g. `ipv4_addr . inet_service`.
    Value(Vec<DataType>),
    /// A verdict: the set is a verdict map.
    Verdict,
    /// A stateful object of this type (`NFT_OBJECT_*`).
    Object(u32),
}

/// What the kernel optimizes a set for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SetPolicy {
    /// `policy performance`.
    #[default]
    Performance,
    /// `policy memory`.
    Memory,
}

/// A set, map or verdict map:
/// `add map inet portcullis hostports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Its name; `__set%d` or `__map%d` for one that belongs to a rule, where the kernel counts.
    pub name: Name,
    /// The parts of its key.
    pub key: Vec<DataType>,
    /// What a key leads to, in a map.
    pub data: Option<SetData>,
    /// Its flags, of which `MAP`, `OBJECT` follow from `data`.
    pub flags: SetFlags,
    /// What it is optimized for.
    pub policy: SetPolicy,
    /// How many elements it may have.
    pub size: Option<u32>,
    /// How long elements live, in milliseconds.
    pub timeout: Option<u64>,
    /// How often expired elements are swept, in milliseconds.
    pub gc_interval: Option<u32>,
    /// Statements that every element gets, such as `counter`.
    pub exprs: Vec<Expr>,
    /// Byte orders, comment and more.
    pub userdata: Userdata,
}

impl Set {
    /// A hash set.
    #[must_use]
    pub fn new(name: Name, key: Vec<DataType>) -> Self {
        Set {
            name,
            key,
            data: None,
            flags: SetFlags::default(),
            policy: SetPolicy::Performance,
            size: None,
            timeout: None,
            gc_interval: None,
            exprs: Vec::new(),
            userdata: Userdata::new(),
        }
    }

    /// A hash map.
    #[must_use]
    pub fn map(name: Name, key: Vec<DataType>, data: SetData) -> Self {
        let kind = match data {
            SetData::Object(_) => SetFlags::OBJECT,
            SetData::Value(_) | SetData::Verdict => SetFlags::MAP,
        };
        Set { data: Some(data), flags: kind, ..Set::new(name, key) }
    }

    /// The same set with a statement in each element: `counter`.
    #[must_use]
    pub fn with_expr(mut self, expr: Expr) -> Self {
        self.exprs.push(expr);
        self
    }

    /// The same set with a note that its keys are in the byte order of this machine. nft needs it
    /// for a key of one part, such as `ifname`; without it cannot list the elements.
    #[must_use]
    pub fn with_host_order_key(mut self) -> Self {
        const KEY_BYTE_ORDER: u8 = 0;
        const HOST: u32 = 1;
        self.userdata = self.userdata.with_u32(KEY_BYTE_ORDER, HOST);
        self
    }

    /// Whether it belongs to a rule.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.flags.has(SetFlags::ANONYMOUS)
    }

    /// Bytes of a key.
    #[must_use]
    pub fn key_len(&self) -> usize {
        concat_len(&self.key)
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder, id: u32) {
        message.put_str(NFTA_SET_NAME, self.name.as_str());
        message.put_be32(NFTA_SET_ID, id);
        message.put_be32(NFTA_SET_KEY_TYPE, concat_number(&self.key));
        message.put_be32(NFTA_SET_KEY_LEN, self.key_len() as u32);
        match &self.data {
            None => {}
            Some(SetData::Value(data)) => {
                message.put_be32(NFTA_SET_DATA_TYPE, concat_number(data));
                message.put_be32(NFTA_SET_DATA_LEN, concat_len(data) as u32);
            }
            Some(SetData::Verdict) => {
                message.put_be32(NFTA_SET_DATA_TYPE, DATA_VERDICT);
                message.put_be32(NFTA_SET_DATA_LEN, 16);
            }
            Some(SetData::Object(number)) => message.put_be32(NFTA_SET_OBJ_TYPE, *number),
        }
        message.put_be32(NFTA_SET_FLAGS, self.flags.0);
        if self.policy == SetPolicy::Memory {
            message.put_be32(NFTA_SET_POLICY, NFT_SET_POL_MEMORY);
        }
        self.encode_desc(message);
        if let Some(timeout) = self.timeout {
            message.put_be64(NFTA_SET_TIMEOUT, timeout);
        }
        if let Some(interval) = self.gc_interval {
            message.put_be32(NFTA_SET_GC_INTERVAL, interval);
        }
        if !self.userdata.is_empty() {
            message.put(NFTA_SET_USERDATA, &self.userdata.encode());
        }
        match self.exprs.as_slice() {
            [] => {}
            [one] => one.encode_as(message, NFTA_SET_EXPR),
            more => {
                let list = message.nest(NFTA_SET_EXPRESSIONS);
                more.iter().for_each(|expr| expr.encode(message));
                message.end(list);
            }
        }
    }

    /// The description: how many elements, and the parts of a concatenation of ranges.
    fn encode_desc(&self, message: &mut MessageBuilder) {
        let parts = self.flags.has(SetFlags::CONCAT);
        if self.size.is_none() && !parts {
            return;
        }
        let desc = message.nest(NFTA_SET_DESC);
        if let Some(size) = self.size {
            message.put_be32(NFTA_SET_DESC_SIZE, size);
        }
        if parts {
            let list = message.nest(NFTA_SET_DESC_CONCAT);
            for part in &self.key {
                let field = message.nest(NFTA_LIST_ELEM);
                message.put_be32(NFTA_SET_FIELD_LEN, part.len() as u32);
                message.end(field);
            }
            message.end(list);
        }
        message.end(desc);
    }

    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let name = attributes.need(NFTA_SET_NAME, "set without a name")?.text()?;
        let be32 = |kind| attributes.find(kind).map(|found| found.be32()).transpose();
        let data = match (be32(NFTA_SET_DATA_TYPE)?, be32(NFTA_SET_OBJ_TYPE)?) {
            (Some(DATA_VERDICT), _) => Some(SetData::Verdict),
            (Some(number), _) => {
                let len = be32(NFTA_SET_DATA_LEN)?.unwrap_or(0);
                Some(SetData::Value(parse_concat(number, len)))
            }
            (None, Some(number)) => Some(SetData::Object(number)),
            (None, None) => None,
        };
        let size = match attributes.find(NFTA_SET_DESC) {
            Some(desc) => {
                desc.nested().find(NFTA_SET_DESC_SIZE).map(|size| size.be32()).transpose()?
            }
            None => None,
        };
        let policy = match be32(NFTA_SET_POLICY)? {
            Some(NFT_SET_POL_MEMORY) => SetPolicy::Memory,
            Some(_) | None => SetPolicy::Performance,
        };
        Ok(Set {
            name: super::rule::name(name)?,
            key: parse_concat(
                be32(NFTA_SET_KEY_TYPE)?.unwrap_or(0),
                be32(NFTA_SET_KEY_LEN)?.unwrap_or(0),
            ),
            data,
            flags: SetFlags(be32(NFTA_SET_FLAGS)?.unwrap_or(0)),
            policy,
            size,
            timeout: attributes.find(NFTA_SET_TIMEOUT).map(|t| t.be64()).transpose()?,
            gc_interval: be32(NFTA_SET_GC_INTERVAL)?,
            exprs: decode_exprs(attributes, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS)?,
            userdata: attributes
                .find(NFTA_SET_USERDATA)
                .map(|data| Userdata::decode(data.value))
                .unwrap_or_default(),
        })
    }
}

/// Statements of a set or an element: one attribute for one, another for a list.
pub(super) fn decode_exprs(
    attributes: Attributes<'_>,
    one: u16,
    list: u16,
) -> Result<Vec<Expr>, Malformed> {
    if let Some(list) = attributes.find(list) {
        return list.nested().map(|element| Expr::decode(element?)).collect();
    }
    attributes.find(one).map(Expr::decode).into_iter().collect()
}

//! The attributes of a `match` or `target` expression: name, revision, structure.

use super::error::{Error, Kind};
use crate::nft::expr::Opaque;

// `NFTA_MATCH_*` and `NFTA_TARGET_*` of linux/netfilter/nf_tables_compat.h have the same numbers.
const NAME: u16 = 1;
const REVISION: u16 = 2;
const INFO: u16 = 3;

/// The bits of an attribute's type that say how it is packed (`NLA_TYPE_MASK` is the rest).
const TYPE_MASK: u16 = 0x3fff;
const HEADER: usize = 4;

/// A module of xtables as a rule holds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module<'a> {
    /// Match or target.
    pub(super) kind: Kind,
    /// The module.
    pub(super) name: &'a str,
    /// The revision of its structure.
    pub(super) revision: u32,
    /// The structure.
    pub(super) info: &'a [u8],
}

impl<'a> Module<'a> {
    /// Reads the attributes of an expression.
    pub(super) fn of(expr: &'a Opaque) -> Result<Self, Error> {
        let kind = match expr.name.as_str() {
            "match" => Kind::Match,
            "target" => Kind::Target,
            _ => return Err(Error::NotCompat { name: expr.name.clone() }),
        };
        Self::from_attributes(kind, &expr.data).map_err(|reason| Error::Attributes { kind, reason })
    }

    fn from_attributes(kind: Kind, mut data: &'a [u8]) -> Result<Self, &'static str> {
        let (mut name, mut revision, mut info) = (None, None, None);
        while !data.is_empty() {
            let (number, payload, rest) = attribute(data).ok_or("an attribute is cut off")?;
            match number {
                NAME => name = Some(name_of(payload).ok_or("the name is no text")?),
                REVISION => {
                    let bytes = payload.try_into().map_err(|_| "the revision is no number")?;
                    revision = Some(u32::from_be_bytes(bytes));
                }
                INFO => info = Some(payload),
                _ => return Err("an attribute is not known"),
            }
            data = rest;
        }
        Ok(Module {
            kind,
            name: name.ok_or("it has no name")?,
            revision: revision.ok_or("it has no revision")?,
            info: info.ok_or("it has no structure")?,
        })
    }
}

/// The first attribute: number, payload, and what follows it.
fn attribute(data: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::from(u16::from_ne_bytes(data.get(..2)?.try_into().ok()?));
    let number = u16::from_ne_bytes(data.get(2..HEADER)?.try_into().ok()?) & TYPE_MASK;
    let payload = data.get(HEADER..length)?;
    let rest = data.get(length.next_multiple_of(HEADER)..).unwrap_or_default();
    Some((number, payload, rest))
}

fn name_of(payload: &[u8]) -> Option<&str> {
    let name = payload.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok().filter(|name| !name.is_empty())
}

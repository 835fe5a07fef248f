//! Tables.

use std::fmt;

use super::{Family, Name, Userdata};
use crate::netlink::{Malformed, Message, MessageBuilder};

pub(super) const NFTA_TABLE_NAME: u16 = 1;
const NFTA_TABLE_FLAGS: u16 = 2;
const NFTA_TABLE_USERDATA: u16 = 6;

/// What names a table: its family and its name. Printed as nft writes it, `inet portcullis`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId {
    /// The family.
    pub family: Family,
    /// The name.
    pub name: Name,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family, self.name)
    }
}

/// A table: `add table inet portcullis { comment "…" ; }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Family and name.
    pub id: TableId,
    /// `NFT_TABLE_F_*`: 1 dormant, 2 owner, 4 persist.
    pub flags: u32,
    /// Comment and more.
    pub userdata: Userdata,
}

impl Table {
    /// A table without flags.
    #[must_use]
    pub fn new(id: TableId) -> Self {
        Table { id, flags: 0, userdata: Userdata::new() }
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_TABLE_NAME, self.id.name.as_str());
        message.put_be32(NFTA_TABLE_FLAGS, self.flags);
        if !self.userdata.is_empty() {
            message.put(NFTA_TABLE_USERDATA, &self.userdata.encode());
        }
    }

    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let name = attributes.need(NFTA_TABLE_NAME, "table without a name")?.text()?;
        let flags = match attributes.find(NFTA_TABLE_FLAGS) {
            Some(flags) => flags.be32()?,
            None => 0,
        };
        let userdata = attributes.find(NFTA_TABLE_USERDATA);
        Ok(Table {
            id: TableId {
                family: Family::from_number(message.family()),
                name: super::rule::name(name)?,
            },
            flags,
            userdata: userdata.map(|data| Userdata::decode(data.value)).unwrap_or_default(),
        })
    }
}

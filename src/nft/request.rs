//! What a request for something of a table says: the kind of thing, the table, and its name.

use super::batch::NFTABLES;
use super::chain::{NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE};
use super::element::{NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE};
use super::object::{NFTA_OBJ_NAME, NFTA_OBJ_TABLE};
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_TABLE};
use super::set::{NFTA_SET_NAME, NFTA_SET_TABLE};
use super::{Name, TableId};
use crate::netlink::{MessageBuilder, NLM_F_DUMP};

/// A kind of thing that tables hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// The message that asks for it, `NFT_MSG_GET*`.
    message: u16,
    /// The attribute of the table's name.
    table: u16,
    /// The attribute of its own name, or of the chain or set that it is in.
    name: u16,
}

impl Kind {
    pub(super) const CHAIN: Kind =
        Kind { message: NFTABLES | 4, table: NFTA_CHAIN_TABLE, name: NFTA_CHAIN_NAME };
    pub(super) const RULE: Kind =
        Kind { message: NFTABLES | 7, table: NFTA_RULE_TABLE, name: NFTA_RULE_CHAIN };
    /// `NFT_MSG_GETRULE_RESET`: a rule, and its counters back to zero.
    pub(super) const RULE_RESET: Kind = Kind { message: NFTABLES | 25, ..Kind::RULE };
    pub(super) const SET: Kind =
        Kind { message: NFTABLES | 10, table: NFTA_SET_TABLE, name: NFTA_SET_NAME };
    pub(super) const ELEMENT: Kind = Kind {
        message: NFTABLES | 13,
        table: NFTA_SET_ELEM_LIST_TABLE,
        name: NFTA_SET_ELEM_LIST_SET,
    };
    pub(super) const OBJECT: Kind =
        Kind { message: NFTABLES | 19, table: NFTA_OBJ_TABLE, name: NFTA_OBJ_NAME };

    /// Begins a request for the one with this name, or for one in what is called so.
    pub(super) fn one(self, message: &mut MessageBuilder, seq: u32, table: &TableId, name: &Name) {
        self.begin(message, (0, seq), table);
        message.put_str(self.name, name.as_str());
    }

    /// Begins a request for all of a table, or of its chain or set with this name.
    pub(super) fn all(
        self,
        message: &mut MessageBuilder,
        seq: u32,
        table: &TableId,
        name: Option<&Name>,
    ) {
        self.begin(message, (NLM_F_DUMP, seq), table);
        if let Some(name) = name {
            message.put_str(self.name, name.as_str());
        }
    }

    /// Begins a request for all of all tables.
    pub(super) fn everywhere(self, message: &mut MessageBuilder, seq: u32) {
        message.message(self.message, NLM_F_DUMP, seq, 0, 0);
    }

    fn begin(self, message: &mut MessageBuilder, (flags, seq): (u16, u32), table: &TableId) {
        message.message(self.message, flags, seq, table.family.number(), 0);
        message.put_str(self.table, table.name.as_str());
    }
}

//! Events: what the kernel tells the `NFNLGRP_NFTABLES` group after each commit.

use super::batch::{DELSETELEM, NEWCHAIN, NEWOBJ, NEWRULE, NEWSET, NEWSETELEM, NEWTABLE, NFTABLES};
use super::chain::AnyChain;
use super::element::{NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET};
use super::{Element, Family, Listed, Name, Object, Rule, Set, Table, TableId};
use crate::netlink::{Attributes, Malformed, Message};

const NEWGEN: u16 = 15;
const NFTA_GEN_ID: u16 = 1;
const NFTA_GEN_PROC_PID: u16 = 2;
const NFTA_GEN_PROC_NAME: u16 = 3;
/// In chains, rules, sets, lists of elements and objects alike.
const TABLE: u16 = 1;

/// What was done to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether it was deleted, else it was added or changed.
    pub deleted: bool,
    /// What.
    pub subject: Subject,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A table.
    Table(Table),
    /// A chain of a table.
    Chain(TableId, AnyChain),
    /// A rule in a chain of a table.
    Rule(TableId, Name, Listed<Rule>),
    /// A set of a table.
    Set(TableId, Set),
    /// Elements of a set of a table.
    Elements(TableId, Name, Vec<Element>),
    /// An object of a table.
    Object(TableId, Object),
    /// The commit is complete: its number, and who made it.
    Generation {
        /// The number of the commit.
        id: u32,
        /// The process that made it.
        pid: Option<u32>,
        /// That process' name.
        process: Option<String>,
    },
    /// A message without a type here, by its number.
    Other(u16),
}

impl Event {
    /// Reads a message of the group; `None` for one that is not of nf_tables.
    ///
    /// # Errors
    /// [`Malformed`] if it is cut short.
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, Malformed> {
        if message.kind & 0xff00 != NFTABLES {
            return Ok(None);
        }
        let kind = message.kind & 0xff;
        let attributes = message.attributes();
        let table = || -> Result<TableId, Malformed> {
            let name = attributes.need(TABLE, "event without a table")?.text()?;
            let family = Family::from_number(message.family());
            Ok(TableId { family, name: super::rule::name(name)? })
        };
        // Each kind has three numbers: new, get, delete.
        let deleted = kind % 3 == 2 && kind < NEWGEN || matches!(kind, DELSETELEM | 20);
        let subject = match (kind, deleted) {
            (NEWTABLE | 2, _) => Subject::Table(Table::decode(message)?),
            (NEWCHAIN | 5, _) => Subject::Chain(table()?, AnyChain::decode(message)?),
            (NEWRULE | 8, _) => {
                let (chain, rule) = Rule::decode(message)?;
                Subject::Rule(table()?, chain, rule)
            }
            (NEWSET | 11, _) => Subject::Set(table()?, Set::decode(message)?),
            (NEWSETELEM | DELSETELEM, _) => {
                let set = attributes.need(NFTA_SET_ELEM_LIST_SET, "elements without a set")?;
                let set = super::rule::name(set.text()?)?;
                Subject::Elements(table()?, set, elements(attributes)?)
            }
            (NEWOBJ | 20, _) => Subject::Object(table()?, Object::decode(message)?),
            (NEWGEN, _) => generation(attributes)?,
            (other, _) => Subject::Other(other),
        };
        Ok(Some(Event { deleted, subject }))
    }
}

fn elements(attributes: Attributes<'_>) -> Result<Vec<Element>, Malformed> {
    let list = attributes.find(NFTA_SET_ELEM_LIST_ELEMENTS);
    let elements = list.into_iter().flat_map(|list| list.nested());
    elements.map(|element| Element::decode(element?)).collect()
}

fn generation(attributes: Attributes<'_>) -> Result<Subject, Malformed> {
    let process = match attributes.find(NFTA_GEN_PROC_NAME) {
        Some(name) => Some(name.text()?.to_owned()),
        None => None,
    };
    Ok(Subject::Generation {
        id: attributes.need(NFTA_GEN_ID, "generation without a number")?.be32()?,
        pid: attributes.find(NFTA_GEN_PROC_PID).map(|pid| pid.be32()).transpose()?,
        process,
    })
}

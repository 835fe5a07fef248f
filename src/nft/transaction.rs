//! A transaction: changes that come into force together or not at all.
//!
//! A [`Transaction`] is open and collects [`Change`]s; sealing it makes a [`Batch`], which is bytes
//! and cannot change any more. It prints in nft syntax, so that a plan can be read.

use std::fmt;

use super::error::RefusedChange;
use super::expr::{Expr, SetRef};
use super::kernel::Generation;
use super::listing::{list_element, list_rule};
use super::object::{NFTA_OBJ_NAME, NFTA_OBJ_TABLE, NFTA_OBJ_TYPE, type_word};
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_POSITION, NFTA_RULE_TABLE};
use super::set::{NFTA_SET_NAME, NFTA_SET_TABLE};
use super::{BaseChain, Chain, Element, Listed, Name, Object, Rule, Set, Table, TableId};
use crate::netlink::{MessageBuilder, Refusal};

pub(super) const NFTABLES: u16 = 10 << 8;
pub(super) const NEWTABLE: u16 = 0;
const DELTABLE: u16 = 2;
pub(super) const NEWCHAIN: u16 = 3;
const DELCHAIN: u16 = 5;
pub(super) const NEWRULE: u16 = 6;
const DELRULE: u16 = 8;
pub(super) const NEWSET: u16 = 9;
const DELSET: u16 = 11;
pub(super) const NEWSETELEM: u16 = 12;
pub(super) const DELSETELEM: u16 = 14;
pub(super) const NEWOBJ: u16 = 18;
const DELOBJ: u16 = 20;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const BATCH_GENID: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_SET_ELEM_LIST_SET_ID: u16 = 4;

const NLM_F_ACK: u16 = 0x4;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
const NLM_F_EXCL: u16 = 0x200;

/// An attribute's length is 16 bits: a list of elements ends before that and goes on in the next
/// message of the same batch.
const LIST_BYTES: usize = 60_000;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `add table`: makes it if it is not there.
    AddTable(Table),
    /// `delete table`, with all that is in it.
    DeleteTable(TableId),
    /// `add chain`.
    AddChain(TableId, Chain),
    /// `add chain` with a hook.
    AddBaseChain(TableId, BaseChain),
    /// `delete chain`; it must be empty and nothing may jump to it.
    DeleteChain(TableId, Name),
    /// `add rule`: at the end, or behind the rule with that handle.
    AddRule {
        /// The table.
        table: TableId,
        /// The chain.
        chain: Name,
        /// The rule.
        rule: Rule,
        /// The handle of the rule behind which it goes.
        after: Option<u64>,
    },
    /// `insert rule`: at the front, or before the rule with that handle.
    InsertRule {
        /// The table.
        table: TableId,
        /// The chain.
        chain: Name,
        /// The rule.
        rule: Rule,
        /// The handle of the rule before which it goes.
        before: Option<u64>,
    },
    /// `delete rule`.
    DeleteRule(TableId, Name, Listed<Rule>),
    /// `add set` or `add map`.
    AddSet(TableId, Set),
    /// `delete set`.
    DeleteSet(TableId, Name),
    /// `add element`: equal elements may be there already, others with the same key may not.
    AddElements(TableId, Set, Vec<Element>),
    /// `create element`: none of the keys may be there.
    CreateElements(TableId, Set, Vec<Element>),
    /// `delete element`: all keys must be there.
    DeleteElements(TableId, Set, Vec<Element>),
    /// `add counter`, `add quota`, …
    AddObject(TableId, Object),
    /// `delete counter`, …
    DeleteObject(TableId, Object),
}

/// Changes, still open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    changes: Vec<Change>,
    /// Sets that rules name, for the listing.
    known: Vec<Set>,
}

/// A sealed transaction: one `sendto`.
#[derive(Debug)]
pub struct Batch {
    pub(super) messages: MessageBuilder,
    pub(super) begin: u32,
    pub(super) last: u32,
    changes: Vec<Change>,
    known: Vec<Set>,
    /// For each object message: which change it belongs to, and where its elements begin.
    index: Vec<(usize, Vec<ElementAt>)>,
}

/// Where in a message an element is.
#[derive(Debug, Clone, Copy)]
struct ElementAt {
    offset: u32,
    element: usize,
}

impl Transaction {
    /// No changes yet.
    #[must_use]
    pub fn new() -> Self {
        Transaction::default()
    }

    /// Adds a change behind those there are.
    pub fn push(&mut self, change: Change) {
        if let Change::AddSet(_, set) = &change {
            self.known.push(set.clone());
        }
        self.changes.push(change);
    }

    /// Tells of a set that is there already, so that rules which name it list as they should.
    pub fn know(&mut self, set: &Set) {
        if !self.known.iter().any(|known| known.name == set.name) {
            self.known.push(set.clone());
        }
    }

    /// The changes, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Seals the transaction without its end: the kernel checks it and drops it.
    pub(super) fn seal_open(self, first_seq: u32) -> Batch {
        let mut writer = Writer::begin(first_seq, None);
        for (at, change) in self.changes.iter().enumerate() {
            writer.change = at;
            writer.put(change);
        }
        writer.messages.add_flags(NLM_F_ACK);
        writer.into_batch(self.changes, self.known)
    }

    /// Seals the transaction. With a generation the kernel refuses it if anything in nf_tables
    /// has changed since. Numbers of the messages begin at `first_seq`.
    #[must_use]
    pub fn seal(self, first_seq: u32, generation: Option<Generation>) -> Batch {
        let mut writer = Writer::begin(first_seq, generation);
        for (at, change) in self.changes.iter().enumerate() {
            writer.change = at;
            writer.put(change);
        }
        writer.end(self.changes, self.known)
    }
}

/// The messages of a batch as they are made.
struct Writer {
    messages: MessageBuilder,
    begin: u32,
    seq: u32,
    change: usize,
    anonymous: u32,
    index: Vec<(usize, Vec<ElementAt>)>,
}

impl Writer {
    fn begin(first_seq: u32, generation: Option<Generation>) -> Self {
        let mut messages = MessageBuilder::new();
        messages.message(BATCH_BEGIN, 0, first_seq, 0, 10);
        if let Some(generation) = generation {
            messages.put_be32(BATCH_GENID, generation.0);
        }
        Writer { messages, begin: first_seq, seq: first_seq, change: 0, anonymous: 0, index: vec![] }
    }

    fn end(mut self, changes: Vec<Change>, known: Vec<Set>) -> Batch {
        if self.seq != self.begin {
            self.messages.add_flags(NLM_F_ACK);
        }
        self.messages.message(BATCH_END, 0, self.seq.wrapping_add(1), 0, 10);
        self.into_batch(changes, known)
    }

    fn into_batch(self, changes: Vec<Change>, known: Vec<Set>) -> Batch {
        let (messages, begin, last, index) = (self.messages, self.begin, self.seq, self.index);
        Batch { messages, begin, last, changes, known, index }
    }

    /// Starts a message for the current change.
    fn message(&mut self, kind: u16, flags: u16, table: &TableId) {
        self.seq = self.seq.wrapping_add(1);
        let family = table.family.number();
        self.messages.message(NFTABLES | kind, flags, self.seq, family, 0);
        self.index.push((self.change, Vec::new()));
    }

    fn put(&mut self, change: &Change) {
        match change {
            Change::AddTable(table) => {
                self.message(NEWTABLE, NLM_F_CREATE, &table.id);
                table.encode(&mut self.messages);
            }
            Change::DeleteTable(table) => {
                self.message(DELTABLE, 0, table);
                self.messages.put_str(NFTA_TABLE_NAME, table.name.as_str());
            }
            Change::AddChain(table, chain) => {
                self.message(NEWCHAIN, NLM_F_CREATE, table);
                self.messages.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
                chain.encode(&mut self.messages);
            }
            Change::AddBaseChain(table, chain) => {
                self.message(NEWCHAIN, NLM_F_CREATE, table);
                self.messages.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
                chain.encode(&mut self.messages);
            }
            Change::DeleteChain(table, name) => {
                self.message(DELCHAIN, 0, table);
                self.messages.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
                self.messages.put_str(NFTA_CHAIN_NAME, name.as_str());
            }
            Change::AddRule { table, chain, rule, after } => {
                self.rule(table, chain, rule, NLM_F_APPEND, *after);
            }
            Change::InsertRule { table, chain, rule, before } => {
                self.rule(table, chain, rule, 0, *before);
            }
            Change::DeleteRule(table, chain, rule) => {
                self.message(DELRULE, 0, table);
                self.messages.put_str(NFTA_RULE_TABLE, table.name.as_str());
                self.messages.put_str(NFTA_RULE_CHAIN, chain.as_str());
                self.messages.put_be64(NFTA_RULE_HANDLE, rule.handle);
            }
            Change::AddSet(table, set) => self.set(table, set, 0),
            Change::DeleteSet(table, name) => {
                self.message(DELSET, 0, table);
                self.messages.put_str(NFTA_SET_TABLE, table.name.as_str());
                self.messages.put_str(NFTA_SET_NAME, name.as_str());
            }
            Change::AddElements(table, set, elements) => {
                self.elements(NEWSETELEM, NLM_F_CREATE, table, set, elements, None);
            }
            Change::CreateElements(table, set, elements) => {
                let flags = NLM_F_CREATE | NLM_F_EXCL;
                self.elements(NEWSETELEM, flags, table, set, elements, None);
            }
            Change::DeleteElements(table, set, elements) => {
                self.elements(DELSETELEM, 0, table, set, elements, None);
            }
            Change::AddObject(table, object) => {
                self.message(NEWOBJ, NLM_F_CREATE, table);
                self.messages.put_str(NFTA_OBJ_TABLE, table.name.as_str());
                object.encode(&mut self.messages);
            }
            Change::DeleteObject(table, object) => {
                self.message(DELOBJ, 0, table);
                self.messages.put_str(NFTA_OBJ_TABLE, table.name.as_str());
                self.messages.put_str(NFTA_OBJ_NAME, object.name.as_str());
                self.messages.put_be32(NFTA_OBJ_TYPE, object.kind.number());
            }
        }
    }

    fn set(&mut self, table: &TableId, set: &Set, id: u32) {
        self.message(NEWSET, NLM_F_CREATE, table);
        self.messages.put_str(NFTA_SET_TABLE, table.name.as_str());
        set.encode(&mut self.messages, id);
    }

    /// A rule, and in front of it the sets that belong to it.
    fn rule(&mut self, table: &TableId, chain: &Name, rule: &Rule, flags: u16, at: Option<u64>) {
        let mut rule = rule.clone();
        for expr in &mut rule.exprs {
            if let Expr::Lookup(lookup) = expr
                && let SetRef::Anonymous { set, elements, id } = &mut lookup.set
            {
                self.anonymous += 1;
                *id = self.anonymous;
                self.set(table, set, *id);
                self.elements(NEWSETELEM, NLM_F_CREATE, table, set, elements, Some(*id));
            }
        }
        self.message(NEWRULE, NLM_F_CREATE | flags, table);
        self.messages.put_str(NFTA_RULE_TABLE, table.name.as_str());
        self.messages.put_str(NFTA_RULE_CHAIN, chain.as_str());
        if let Some(handle) = at {
            self.messages.put_be64(NFTA_RULE_POSITION, handle);
        }
        rule.encode(&mut self.messages);
    }

    /// Elements, in as many messages as their lists need.
    fn elements(
        &mut self,
        kind: u16,
        flags: u16,
        table: &TableId,
        set: &Set,
        elements: &[Element],
        id: Option<u32>,
    ) {
        let mut next = 0;
        while next < elements.len() {
            self.message(kind, flags, table);
            let start = self.messages.len();
            self.messages.put_str(NFTA_SET_ELEM_LIST_TABLE, table.name.as_str());
            self.messages.put_str(NFTA_SET_ELEM_LIST_SET, set.name.as_str());
            if let Some(id) = id {
                self.messages.put_be32(NFTA_SET_ELEM_LIST_SET_ID, id);
            }
            let list = self.messages.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
            let mut places = Vec::new();
            while next < elements.len() && self.messages.len() - start < LIST_BYTES {
                // 20 bytes of headers were there before `start`.
                let offset = (self.messages.len() - start + 20) as u32;
                places.push(ElementAt { offset, element: next });
                if kind == DELSETELEM {
                    elements[next].encode_key(&mut self.messages);
                } else {
                    elements[next].encode(&mut self.messages);
                }
                next += 1;
            }
            self.messages.end(list);
            if let Some((_, at)) = self.index.last_mut() {
                *at = places;
            }
        }
    }
}

impl Batch {
    /// Bytes of the whole batch.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.messages.len()
    }

    /// Names the change that a refusal is about, down to the element.
    pub(super) fn explain(&self, refusal: Refusal) -> RefusedChange {
        let at = refusal.seq.wrapping_sub(self.begin).wrapping_sub(1) as usize;
        let Some((change, places)) = self.index.get(at) else {
            let change = "the batch".to_owned();
            return RefusedChange { change, reason: refusal, is_base_chain: false };
        };
        let change = &self.changes[*change];
        let element = refusal.extended.offset.and_then(|offset| {
            places.iter().rev().find(|place| place.offset <= offset).map(|place| place.element)
        });
        let text = match (change, element) {
            (Change::AddElements(table, set, all), Some(at)) => {
                describe_elements("add", table, set, &all[at..=at])
            }
            (Change::CreateElements(table, set, all), Some(at)) => {
                describe_elements("create", table, set, &all[at..=at])
            }
            (Change::DeleteElements(table, set, all), Some(at)) => {
                describe_elements("delete", table, set, &all[at..=at])
            }
            (change, _) => describe(change, &self.known),
        };
        let is_base_chain = matches!(change, Change::AddBaseChain(..));
        RefusedChange { change: text, reason: refusal, is_base_chain }
    }
}

impl fmt::Display for Transaction {
    /// One line a change, in nft syntax.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{}", describe(change, &self.known))?;
        }
        Ok(())
    }
}

/// A change in nft syntax.
fn describe(change: &Change, known: &[Set]) -> String {
    let rule_text = |table: &TableId, rule: &Rule| {
        let none: &[Element] = &[];
        let find = |name: &str| {
            known.iter().find(|set| set.name.as_str() == name).map(|set| (set, none))
        };
        list_rule(table.family, rule, &find)
    };
    let at = |word: &str, handle: &Option<u64>| {
        handle.map(|handle| format!(" {word} {handle}")).unwrap_or_default()
    };
    match change {
        Change::AddTable(table) => format!("add table {}", table.id),
        Change::DeleteTable(table) => format!("delete table {table}"),
        Change::AddChain(table, chain) => format!("add chain {table} {}", chain.name),
        Change::AddBaseChain(table, chain) => format!(
            "add chain {table} {} {{ type {} hook {} priority {}; policy {}; }}",
            chain.name,
            chain.kind.as_str(),
            chain.hook.word(),
            chain.priority,
            chain.policy.word()
        ),
        Change::DeleteChain(table, name) => format!("delete chain {table} {name}"),
        Change::AddRule { table, chain, rule, after } => {
            format!("add rule {table} {chain}{} {}", at("handle", after), rule_text(table, rule))
        }
        Change::InsertRule { table, chain, rule, before } => {
            format!("insert rule {table} {chain}{} {}", at("handle", before), rule_text(table, rule))
        }
        Change::DeleteRule(table, chain, rule) => {
            format!("delete rule {table} {chain} handle {}", rule.handle)
        }
        Change::AddSet(table, set) => {
            let word = if set.data.is_some() { "map" } else { "set" };
            format!("add {word} {table} {}", set.name)
        }
        Change::DeleteSet(table, name) => format!("delete set {table} {name}"),
        Change::AddElements(table, set, elements) => {
            describe_elements("add", table, set, elements)
        }
        Change::CreateElements(table, set, elements) => {
            describe_elements("create", table, set, elements)
        }
        Change::DeleteElements(table, set, elements) => {
            describe_elements("delete", table, set, elements)
        }
        Change::AddObject(table, object) => {
            format!("add {} {table} {}", type_word(object.kind.number()), object.name)
        }
        Change::DeleteObject(table, object) => {
            format!("delete {} {table} {}", type_word(object.kind.number()), object.name)
        }
    }
}

fn describe_elements(verb: &str, table: &TableId, set: &Set, elements: &[Element]) -> String {
    let words: Vec<String> =
        elements.iter().map(|element| list_element(table.family, set, element)).collect();
    format!("{verb} element {table} {} {{ {} }}", set.name, words.join(", "))
}

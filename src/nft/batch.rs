//! A sealed transaction as messages, and which change each of them belongs to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::chain::{NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE, put_counters};
use super::describe::{describe, describe_elements};
use super::element::{
    NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_SET_ID,
    NFTA_SET_ELEM_LIST_TABLE,
};
use super::error::RefusedChange;
use super::expr::SetRef;
use super::kernel::Generation;
use super::object::{NFTA_OBJ_NAME, NFTA_OBJ_TABLE, NFTA_OBJ_TYPE};
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_POSITION, NFTA_RULE_TABLE};
use super::set::{NFTA_SET_NAME, NFTA_SET_TABLE};
use super::table::NFTA_TABLE_NAME;
use super::{Change, Element, Expr, Name, Rule, Set, TableId};
use crate::netlink::{Message, MessageBuilder, NLM_F_ACK, Refusal};

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

/// What comes of the message is to be told to the sender, as it is to who listens.
const NLM_F_ECHO: u16 = 0x8;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
const NLM_F_EXCL: u16 = 0x200;
/// Of a deletion: not with what is inside.
const NLM_F_NONREC: u16 = 0x100;

/// An attribute's length is 16 bits: a list of elements ends before that and goes on in the next
/// message of the same batch.
const LIST_BYTES: usize = 60_000;

/// A sealed transaction: one `sendto`.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(super) messages: MessageBuilder,
    pub(super) begin: u32,
    pub(super) last: u32,
    changes: &'a [Change],
    known: &'a [Set],
    /// For each object message: which change it belongs to, and where its elements begin.
    index: Vec<(usize, Vec<ElementAt>)>,
}

/// Where in a message an element is.
#[derive(Debug, Clone, Copy)]
struct ElementAt {
    offset: u32,
    element: usize,
}

impl Batch<'_> {
    /// Bytes of the whole batch.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.messages.len()
    }

    /// The place of the change whose rule this message tells of.
    pub(super) fn told(&self, message: &Message<'_>) -> Option<usize> {
        let at = message.seq.checked_sub(self.begin)?.checked_sub(1)?;
        let (place, _) = self.index.get(at as usize)?;
        (message.kind == NFTABLES | NEWRULE).then_some(*place)
    }

    /// Names the change that a refusal is about, down to the element.
    pub(super) fn explain(&self, refusal: Refusal) -> RefusedChange {
        let at = refusal.seq.wrapping_sub(self.begin).wrapping_sub(1) as usize;
        let Some((place, places)) = self.index.get(at) else {
            let change = "the batch".to_owned();
            return RefusedChange { change, reason: refusal, place: None, needs_a_type: false };
        };
        let change = &self.changes[*place];
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
            (change, _) => describe(change, self.known),
        };
        let needs_a_type = matches!(
            change,
            Change::AddBaseChain(..)
                | Change::AddRule { .. }
                | Change::InsertRule { .. }
                | Change::ReplaceRule { .. }
                | Change::AddObject(..)
        );
        RefusedChange { change: text, reason: refusal, place: Some(*place), needs_a_type }
    }
}

/// Where a rule goes.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// By these flags at the front or at the end, or beside the rule with that handle.
    Beside(u16, Option<u64>),
    /// In the place of the rule with that handle.
    Of(u64),
}

/// The messages of a batch as they are made.
pub(super) struct Writer<'t> {
    messages: MessageBuilder,
    /// The changes whose rules are to be told.
    told: &'t BTreeSet<usize>,
    begin: u32,
    seq: u32,
    change: usize,
    anonymous: u32,
    index: Vec<(usize, Vec<ElementAt>)>,
}

impl<'t> Writer<'t> {
    pub(super) fn begin(
        first_seq: u32,
        generation: Option<Generation>,
        told: &'t BTreeSet<usize>,
    ) -> Self {
        let mut messages = MessageBuilder::new();
        messages.message(BATCH_BEGIN, 0, first_seq, 0, 10);
        if let Some(generation) = generation {
            messages.put_be32(BATCH_GENID, generation.0);
        }
        Writer {
            messages,
            told,
            begin: first_seq,
            seq: first_seq,
            change: 0,
            anonymous: 0,
            index: vec![],
        }
    }

    pub(super) fn end<'a>(mut self, changes: &'a [Change], known: &'a [Set]) -> Batch<'a> {
        if self.seq != self.begin {
            self.messages.add_flags(NLM_F_ACK);
        }
        self.messages.message(BATCH_END, 0, self.seq.wrapping_add(1), 0, 10);
        self.into_batch(changes, known)
    }

    /// Without the end of the batch, and with an answer to its last change.
    pub(super) fn leave_open<'a>(mut self, changes: &'a [Change], known: &'a [Set]) -> Batch<'a> {
        self.messages.add_flags(NLM_F_ACK);
        self.into_batch(changes, known)
    }

    pub(super) fn put_all(&mut self, changes: &[Change]) {
        for (at, change) in changes.iter().enumerate() {
            self.change = at;
            self.put(change);
        }
    }

    fn into_batch<'a>(self, changes: &'a [Change], known: &'a [Set]) -> Batch<'a> {
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
                self.chain(NEWCHAIN, NLM_F_CREATE, table);
                chain.encode(&mut self.messages);
            }
            Change::AddBaseChain(table, chain) => {
                self.chain(NEWCHAIN, NLM_F_CREATE, table);
                chain.encode(&mut self.messages);
            }
            Change::FlushChain(table, name) => {
                self.message(DELRULE, 0, table);
                self.messages.put_str(NFTA_RULE_TABLE, table.name.as_str());
                self.messages.put_str(NFTA_RULE_CHAIN, name.as_str());
            }
            Change::DeleteChain(table, name) => {
                self.chain(DELCHAIN, NLM_F_NONREC, table);
                self.messages.put_str(NFTA_CHAIN_NAME, name.as_str());
            }
            Change::RenameChain { table, chain, to } => {
                self.chain_named(NEWCHAIN, table, to);
                self.messages.put_be64(NFTA_CHAIN_HANDLE, chain.handle);
            }
            Change::SetPolicy(table, name, policy) => {
                self.chain_named(NEWCHAIN, table, name);
                policy.encode(&mut self.messages);
            }
            Change::SetChainCounters(table, name, counter) => {
                self.chain_named(NEWCHAIN, table, name);
                put_counters(counter, &mut self.messages);
            }
            Change::AddRule { table, chain, rule, after } => {
                let place = Place::Beside(NLM_F_CREATE | NLM_F_APPEND, *after);
                self.rule(table, chain, rule, place);
            }
            Change::InsertRule { table, chain, rule, before } => {
                self.rule(table, chain, rule, Place::Beside(NLM_F_CREATE, *before));
            }
            Change::ReplaceRule { table, chain, old, new } => {
                self.rule(table, chain, new, Place::Of(old.handle));
            }
            Change::DeleteRule(table, chain, rule) => {
                self.delete_rule(table, chain, rule.handle);
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
                self.elements(NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, table, set, elements, None);
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

    fn chain(&mut self, kind: u16, flags: u16, table: &TableId) {
        self.message(kind, flags, table);
        self.messages.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
    }

    /// A change of a chain that is there.
    fn chain_named(&mut self, kind: u16, table: &TableId, name: &Name) {
        self.chain(kind, 0, table);
        self.messages.put_str(NFTA_CHAIN_NAME, name.as_str());
    }

    fn set(&mut self, table: &TableId, set: &Set, id: u32) {
        self.message(NEWSET, NLM_F_CREATE, table);
        self.messages.put_str(NFTA_SET_TABLE, table.name.as_str());
        set.encode(&mut self.messages, id);
    }

    /// A rule, and in front of it the sets that belong to it.
    fn rule(&mut self, table: &TableId, chain: &Name, rule: &Rule, place: Place) {
        let has_own = |expr: &Expr| matches!(expr.set_ref(), Some(SetRef::Anonymous { .. }));
        let rule = match rule.exprs.iter().any(has_own) {
            true => Cow::Owned(self.own_sets(table, rule.clone())),
            false => Cow::Borrowed(rule),
        };
        let (flags, at) = match place {
            Place::Beside(flags, handle) => (flags, handle.map(|it| (NFTA_RULE_POSITION, it))),
            Place::Of(handle) => (NLM_F_REPLACE, Some((NFTA_RULE_HANDLE, handle))),
        };
        let echo = if self.told.contains(&self.change) { NLM_F_ECHO } else { 0 };
        self.message(NEWRULE, flags | echo, table);
        self.messages.put_str(NFTA_RULE_TABLE, table.name.as_str());
        self.messages.put_str(NFTA_RULE_CHAIN, chain.as_str());
        if let Some((kind, handle)) = at {
            self.messages.put_be64(kind, handle);
        }
        rule.encode(&mut self.messages);
    }

    /// The sets that belong to a rule, and the rule with their numbers.
    fn own_sets(&mut self, table: &TableId, mut rule: Rule) -> Rule {
        for expr in &mut rule.exprs {
            if let Some(SetRef::Anonymous { set, elements, id }) = expr.set_ref_mut() {
                self.anonymous += 1;
                *id = self.anonymous;
                self.set(table, set, *id);
                self.elements(NEWSETELEM, NLM_F_CREATE, table, set, elements, Some(*id));
            }
        }
        rule
    }

    fn delete_rule(&mut self, table: &TableId, chain: &Name, handle: u64) {
        self.message(DELRULE, 0, table);
        self.messages.put_str(NFTA_RULE_TABLE, table.name.as_str());
        self.messages.put_str(NFTA_RULE_CHAIN, chain.as_str());
        self.messages.put_be64(NFTA_RULE_HANDLE, handle);
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

//! Lookups: what is looked up, and in what.

use super::elements::{Reading, element_words};
use super::rule::RuleListing;
use super::term::Term;
use crate::nft::concat::list_concat;
use crate::nft::expr::{Lookup, Register, SetRef};
use crate::nft::{DataType, Element, Set, SetData};

/// A set that a listing knows, with its elements.
type Known<'s> = Option<(&'s Set, &'s [Element])>;

impl RuleListing<'_> {
    /// A key that begins at a register, in the parts that the set has: `ip saddr . tcp dport`.
    pub(in crate::nft) fn key_of(&self, set: &str, register: Register) -> String {
        match (self.sets)(set) {
            Some((set, _)) => self.key_parts(&set.key, register),
            None => self.term(register),
        }
    }

    fn key_parts(&self, parts: &[DataType], register: Register) -> String {
        let mut index = register.index();
        let mut words = Vec::new();
        for part in parts {
            words.push(self.term(Register::word(index)));
            index += part.len().div_ceil(4) as u32;
        }
        words.join(" . ")
    }

    /// The type of the objects in a map, its key, and its name or what is in it.
    pub(in crate::nft) fn object_map(
        &self,
        set: &SetRef,
        register: Register,
    ) -> (u32, String, String) {
        let known = self.known(set);
        let number = match known {
            Some((Set { data: Some(SetData::Object(number)), .. }, _)) => *number,
            _ => 0,
        };
        (number, self.key_in(known, register), self.target(set, known, register))
    }

    /// A set with its elements, where it is known.
    fn known<'s>(&'s self, set: &'s SetRef) -> Known<'s> {
        match set {
            SetRef::Named(name) => (self.sets)(name.as_str()),
            SetRef::Anonymous { set, elements, .. } => Some((set, elements)),
        }
    }

    fn key_in(&self, known: Known<'_>, register: Register) -> String {
        match known {
            Some((set, _)) => self.key_parts(&set.key, register),
            None => self.term(register),
        }
    }

    /// `@set`, or `{ 80, 443 }` of a set that belongs to the rule.
    fn target(&self, set: &SetRef, known: Known<'_>, register: Register) -> String {
        match known {
            Some((own, elements)) if set.is_anonymous() => {
                let reading = self.reading(own, register);
                format!("{{ {} }}", element_words(self.family, own, elements, reading).join(", "))
            }
            _ => format!("@{}", set.name()),
        }
    }

    /// A register as the value of a map's element.
    pub(in crate::nft) fn map_value(&self, set: &str, register: Register) -> String {
        let constant = self.get(register).and_then(|term| term.constant.as_ref());
        match ((self.sets)(set), constant) {
            (Some((Set { data: Some(SetData::Value(parts)), .. }, _)), Some(bytes)) => {
                list_concat(parts, bytes)
            }
            _ => self.term(register),
        }
    }

    /// How the keys of a set read, given what is looked up in it.
    fn reading(&self, set: &Set, register: Register) -> Reading {
        let [key] = set.key.as_slice() else { return Reading::default() };
        let Some(term) = self.get(register) else { return Reading::default() };
        let (term, shift) = match self.part_of(term) {
            Some((part, shift)) => (part, shift),
            None => (term.clone(), 0),
        };
        let is_number = matches!(key, DataType::Integer(_) | DataType::Other(..));
        let data_type = (is_number && !term.swapped).then_some(term.data_type);
        Reading { data_type, shift }
    }

    /// A lookup in a set, a map or a verdict map.
    pub(in crate::nft) fn lookup(&mut self, lookup: &Lookup) {
        let known = self.known(&lookup.set);
        let key = self.key_in(known, lookup.sreg);
        let target = self.target(&lookup.set, known, lookup.sreg);
        match lookup.dreg {
            None => {
                let not = if lookup.inverted { "!= " } else { "" };
                self.word(format!("{key} {not}{target}"));
            }
            Some(Register::VERDICT) => self.word(format!("{key} vmap {target}")),
            Some(register) => {
                let data_type = match known.and_then(|(set, _)| set.data.as_ref()) {
                    Some(SetData::Value(parts)) => parts.first().copied(),
                    _ => None,
                };
                let mut term = Term::plain(
                    format!("{key} map {target}"),
                    data_type.unwrap_or(DataType::HostInteger),
                );
                term.is_map = true;
                self.load(register, 0, term);
            }
        }
    }
}

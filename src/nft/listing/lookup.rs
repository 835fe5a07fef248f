//! Lookups: what is looked up, and in what.

use super::rule::{RuleListing, Term};
use super::table::list_elements_inline;
use crate::nft::expr::{Lookup, Register, SetRef};
use crate::nft::{DataType, Element, Set, SetData};

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

    /// The type of the objects in a map.
    pub(in crate::nft) fn object_type(&self, set: &str) -> u32 {
        match (self.sets)(set) {
            Some((Set { data: Some(SetData::Object(number)), .. }, _)) => *number,
            _ => 0,
        }
    }

    /// A lookup in a set, a map or a verdict map.
    pub(in crate::nft) fn lookup(&mut self, lookup: &Lookup) {
        let known: Option<(&Set, &[Element])> = match &lookup.set {
            SetRef::Named(name) => (self.sets)(name.as_str()),
            SetRef::Anonymous { set, elements, .. } => Some((set, elements)),
        };
        let key = match known {
            Some((set, _)) => self.key_parts(&set.key, lookup.sreg),
            None => self.term(lookup.sreg),
        };
        let target = match known {
            Some((set, elements)) if lookup.set.is_anonymous() => {
                list_elements_inline(self.family, set, elements)
            }
            _ => format!("@{}", lookup.set.name()),
        };
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

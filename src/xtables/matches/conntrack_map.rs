//! Lists of states and translations, `! --ctstate RELATED,ESTABLISHED,DNAT`: a map that decides.
//!
//! Packets without a flow have a state and no status, and a rule ends where nf_tables has nothing to
//! compare. So a map decides by the state alone where that is enough, with the rule's own verdict,
//! and counts what it decides; all other packets with a flow go on to the comparison of the status.

use super::conntrack_state::STATES;
use crate::nft::expr::{Counter, CtKey, Lookup, Register, Verdict};
use crate::nft::{DataType, Element, ElementData, Expr, Name, Rule, Set};
use crate::xtables::companion::Companion;
use crate::xtables::compile::Counters;
use crate::xtables::field::{REGISTER, any_bit, ct};

/// What the names of such maps begin with; `not-` behind it says that the list is negated, then
/// come the bits of the states. Compiling the rule completes the name.
pub const PREFIX: &str = "ctstate-";
const NOT: &str = "not-";

/// States of packets with a flow.
const WITH_FLOW: u32 = 2 | 4 | 8;

/// The states of a list of both kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xtables) struct Listed {
    /// Whether it is negated.
    pub(in crate::xtables) negated: bool,
    /// Bits of `ct state`.
    pub(in crate::xtables) states: u32,
}

/// What a state alone says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The rule is for it.
    Taken,
    /// The status decides.
    Asked,
    /// The rule is not for it.
    Left,
}

impl Listed {
    fn fate(self, state: u32) -> Fate {
        let (is_listed, has_flow) = (self.states & state != 0, WITH_FLOW & state != 0);
        match (self.negated, is_listed, has_flow) {
            (false, true, _) | (true, false, false) => Fate::Taken,
            (_, false, true) => Fate::Asked,
            (false, false, false) | (true, true, _) => Fate::Left,
        }
    }

    fn prefix(self) -> Name {
        let not = if self.negated { NOT } else { "" };
        // Always of 15 bytes or less, none of them 0.
        Name::new(format!("{PREFIX}{not}{:02x}-", self.states)).unwrap_or(Name::literal(PREFIX))
    }

    /// Reads the name of such a map, complete or not.
    pub(in crate::xtables) fn of(name: &Name) -> Option<Self> {
        let rest = name.as_str().strip_prefix(PREFIX)?;
        let (negated, rest) = match rest.strip_prefix(NOT) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let states = u32::from_str_radix(rest.split_once('-')?.0, 16).ok()?;
        Some(Listed { negated, states })
    }

    /// `ct state vmap @ctstate-not-06-… ct status ! dnat`.
    pub(super) fn exprs(self, translations: u32) -> Vec<Expr> {
        let map = Lookup::in_map(self.prefix(), REGISTER, Register::VERDICT);
        let mut exprs = vec![ct(CtKey::State), map.into()];
        exprs.extend(any_bit(ct(CtKey::Status), self.negated, translations));
        exprs
    }

    /// `map ctstate-not-06-… { type ct_state : verdict; counter; elements = { invalid : drop,
    /// untracked : drop, new : continue } }`, with `break` where compiling puts the verdict.
    pub(super) fn map(self) -> Companion {
        let mut set =
            Set::map(self.prefix(), vec![DataType::CtState], crate::nft::SetData::Verdict)
                .with_expr(Counter::default().into());
        set = set.with_host_order_key();
        let element = |state: u32| {
            let verdict = match self.fate(state) {
                Fate::Taken => Verdict::Break,
                Fate::Asked => Verdict::Continue,
                Fate::Left => return None,
            };
            let element = Element::new(state.to_ne_bytes().to_vec());
            let mut element = element.with_data(ElementData::Verdict(verdict));
            element.exprs = vec![Counter::default().into()];
            Some(element)
        };
        let elements = STATES.iter().filter_map(|(_, state)| element(*state)).collect();
        Companion::Map { set, elements }
    }
}

/// The map in which a rule decides of packets, and counts what it decides, if it has one.
#[must_use]
pub fn deciding_map(rule: &Rule) -> Option<&Name> {
    rule.exprs.iter().find_map(|expr| match expr {
        Expr::Lookup(Lookup { set, dreg: Some(Register::VERDICT), .. }) => {
            Some(set.name()).filter(|name| Listed::of(name).is_some())
        }
        _ => None,
    })
}

/// What such a map has counted of the packets that its rule is for.
#[must_use]
pub fn decided(map: &Name, elements: &[Element]) -> Counters {
    let Some(listed) = Listed::of(map) else { return Counters::default() };
    let is_taken = |element: &&Element| {
        let state = element.key.as_slice().try_into().map(u32::from_ne_bytes);
        state.is_ok_and(|state| listed.fate(state) == Fate::Taken)
    };
    let counters = elements.iter().filter(is_taken).flat_map(|element| &element.exprs);
    counters.fold(Counters::default(), |sum, expr| match expr {
        Expr::Counter(Counter { packets, bytes }) => {
            Counters { packets: sum.packets + packets, bytes: sum.bytes + bytes }
        }
        _ => sum,
    })
}

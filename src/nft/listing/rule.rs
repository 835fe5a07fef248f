//! The registers of a rule as text, and the words that come of them.

use std::collections::BTreeMap;

use crate::nft::expr::{Bitwise, BitwiseOp, MetaKey, Register};
use crate::nft::{DataType, Element, Family, Set};

/// Where a listing finds the sets that a rule names.
pub(super) type Sets<'a> = dyn Fn(&str) -> Option<(&'a Set, &'a [Element])> + 'a;

/// What a later word can make superfluous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Implied {
    /// `meta nfproto ipv4`.
    Network(u8),
    /// `meta l4proto tcp`.
    Transport(u8),
}

/// What a register holds, symbolically.
#[derive(Debug, Clone)]
pub(in crate::nft) struct Term {
    /// As a word of the rule.
    pub text: String,
    /// What kind of value it is.
    pub data_type: DataType,
    /// The constant, where it is one.
    pub constant: Option<Vec<u8>>,
    /// A mask and bits to flip, applied but not yet written.
    pub mask: Option<(Vec<u8>, Vec<u8>)>,
    /// What a comparison with it can imply.
    pub(super) selects: Option<fn(u8) -> Implied>,
    /// Whether it is what a map holds for a key.
    pub is_map: bool,
}

impl Term {
    /// Something with a name.
    pub(in crate::nft) fn plain(text: impl Into<String>, data_type: DataType) -> Self {
        Term {
            text: text.into(),
            data_type,
            constant: None,
            mask: None,
            selects: None,
            is_map: false,
        }
    }

    /// A `meta` key, some of which select the headers that follow.
    pub(in crate::nft) fn meta(key: MetaKey, data_type: DataType) -> Self {
        let selects: Option<fn(u8) -> Implied> = match key {
            MetaKey::Nfproto => Some(Implied::Network),
            MetaKey::L4proto => Some(Implied::Transport),
            _ => None,
        };
        Term { selects, ..Term::plain(key.word(), data_type) }
    }

    /// The text with the mask written out.
    pub(super) fn masked_text(&self) -> String {
        let Some((mask, xor)) = &self.mask else { return self.text.clone() };
        let ones = mask.iter().all(|byte| *byte == 0xff);
        let zeros = xor.iter().all(|byte| *byte == 0);
        let complement = mask.iter().zip(xor).all(|(mask, xor)| *mask == !*xor);
        let list = |bytes: &[u8]| self.data_type.list(bytes);
        match (ones, zeros, complement) {
            (_, true, _) => format!("{} & {}", self.text, list(mask)),
            (true, false, _) => format!("{} ^ {}", self.text, list(xor)),
            (false, false, true) => format!("{} | {}", self.text, list(xor)),
            (false, false, false) => {
                format!("{} & {} ^ {}", self.text, list(mask), list(xor))
            }
        }
    }
}

/// A rule on its way to text.
pub struct RuleListing<'a> {
    pub(super) family: Family,
    pub(super) sets: &'a Sets<'a>,
    registers: BTreeMap<u32, Term>,
    words: Vec<Option<String>>,
    /// Words that may turn out to be superfluous, by their place.
    pending: Vec<(Implied, usize)>,
    pub(super) network: Option<u8>,
    pub(super) transport: Option<u8>,
    /// The lower bound of a range whose upper bound comes next.
    pub(super) lower_bound: Option<(Register, Vec<u8>)>,
}

impl<'a> RuleListing<'a> {
    pub(super) fn new(family: Family, sets: &'a Sets<'a>) -> Self {
        let network = match family {
            Family::Ip => Some(2),
            Family::Ip6 => Some(10),
            Family::Inet | Family::Arp | Family::Bridge | Family::Netdev | Family::Other(_) => None,
        };
        RuleListing {
            family,
            sets,
            registers: BTreeMap::new(),
            words: Vec::new(),
            pending: Vec::new(),
            network,
            transport: None,
            lower_bound: None,
        }
    }

    /// A listing for statements inside a statement, with no words of its own yet.
    pub(in crate::nft) fn detached(&self) -> RuleListing<'a> {
        RuleListing::new(self.family, self.sets)
    }

    /// All words.
    pub(in crate::nft) fn finish(self) -> String {
        self.words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Adds a word (or several).
    pub(in crate::nft) fn word(&mut self, text: String) {
        self.words.push(Some(text));
    }

    /// Adds a word that a later one can make superfluous.
    pub(super) fn word_implied(&mut self, implied: Implied, text: String) {
        match implied {
            Implied::Network(number) => self.network = Some(number),
            Implied::Transport(number) => self.transport = Some(number),
        }
        self.pending.push((implied, self.words.len()));
        self.word(text);
    }

    /// Takes a word back: what follows says it too.
    pub(super) fn drop_implied(&mut self, of: impl Fn(Implied) -> bool) {
        let words = &mut self.words;
        self.pending.retain(|(implied, at)| {
            let superfluous = of(*implied);
            if superfluous {
                words[*at] = None;
            }
            !superfluous
        });
    }

    /// Puts something into a register.
    pub(in crate::nft) fn load(&mut self, register: Register, _len: u32, term: Term) {
        self.registers.insert(register.index(), term);
    }

    /// Puts a constant into a register.
    pub(in crate::nft) fn constant(&mut self, register: Register, data: &[u8]) {
        let mut term = Term::plain("", DataType::Integer(u8::try_from(data.len()).unwrap_or(0)));
        term.constant = Some(data.to_vec());
        self.registers.insert(register.index(), term);
    }

    /// What a register holds.
    pub(super) fn get(&self, register: Register) -> Option<&Term> {
        self.registers.get(&register.index())
    }

    /// What a register holds, as text.
    pub(in crate::nft) fn term(&self, register: Register) -> String {
        match self.get(register) {
            Some(term) => match &term.constant {
                Some(bytes) => term.data_type.list(bytes),
                None => term.masked_text(),
            },
            None => format!("reg {}", register.0),
        }
    }

    /// A register as the value of a statement: a constant in that type, or what was loaded.
    pub(in crate::nft) fn value(&self, register: Register, data_type: DataType) -> String {
        match self.get(register) {
            Some(Term { constant: Some(bytes), .. }) => data_type.list(bytes),
            _ => self.term(register),
        }
    }

    /// The map whose value is in a register, as `KEY map @MAP`.
    pub(in crate::nft) fn map_in(&self, register: Register) -> Option<String> {
        self.get(register).filter(|term| term.is_map).map(|term| term.text.clone())
    }

    /// Applies a mask or a shift.
    pub(in crate::nft) fn bitwise(&mut self, bitwise: &Bitwise) {
        let Some(mut term) = self.get(bitwise.sreg).cloned() else { return };
        match &bitwise.op {
            BitwiseOp::MaskXor { mask, xor } => {
                if term.mask.is_some() {
                    term.text = term.masked_text();
                }
                term.mask = Some((mask.clone(), xor.clone()));
            }
            BitwiseOp::Shift { op, data } => {
                let arrow = if *op == 1 { "<<" } else { ">>" };
                let by = DataType::HostInteger.list(data);
                term = Term::plain(format!("{} {arrow} {by}", term.masked_text()), term.data_type);
            }
            BitwiseOp::Registers { op, sreg2, data } => {
                let sign = match op {
                    3 => "&",
                    4 => "|",
                    _ => "^",
                };
                let right = match (sreg2, data) {
                    (Some(register), _) => self.term(*register),
                    (None, Some(data)) => term.data_type.list(data),
                    (None, None) => String::new(),
                };
                let text = format!("{} {sign} {right}", term.masked_text());
                term = Term::plain(text, term.data_type);
            }
        }
        self.registers.insert(bitwise.dreg.index(), term);
    }

    /// Swaps bytes: in a listing nothing changes but that constants compare in network order.
    pub(in crate::nft) fn swap(&mut self, from: Register, to: Register) {
        if let Some(term) = self.get(from).cloned() {
            self.registers.insert(to.index(), term);
        }
    }

    /// Whether rules of the table see both IPv4 and IPv6.
    pub(in crate::nft) fn is_dual_stack(&self) -> bool {
        matches!(self.family, Family::Inet | Family::Bridge | Family::Netdev)
    }

    /// The family whose codes a `reject` uses.
    pub(in crate::nft) fn reject_family(&mut self) -> Family {
        let network = self.network;
        if self.is_dual_stack() {
            // `reject with icmpv6 …` says the family itself.
            self.drop_implied(|implied| matches!(implied, Implied::Network(_)));
        }
        match (self.family, network) {
            (Family::Ip6, _) | (_, Some(10)) => Family::Ip6,
            _ => Family::Ip,
        }
    }
}

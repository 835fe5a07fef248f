//! The registers of a rule as text, and the words that come of them.

use std::collections::BTreeMap;

use super::elements::prefix_text;
use super::term::{Mask, Term};
use crate::nft::expr::{Bitwise, BitwiseOp, Register, ShiftOp};
use crate::nft::{DataType, Element, Family, Set};

/// Where a listing finds the sets that a rule names.
pub(super) type Sets<'a> = dyn Fn(&str) -> Option<(&'a Set, &'a [Element])> + 'a;

/// What a later word can make superfluous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Implied {
    /// `meta iiftype ether`.
    Ether,
    /// `meta nfproto ipv4`, `meta protocol ip`, `ether type vlan`: by `NFPROTO_*`, or one of
    /// [`VLAN`].
    Network(u8),
    /// `meta l4proto tcp`.
    Transport(u8),
}

/// `NFPROTO_ARP`.
pub(super) const ARP: u8 = 3;
/// A VLAN tag, which has no `NFPROTO_*`.
pub(super) const VLAN: u8 = 0xff;
const IPV4: u8 = 2;
const IPV6: u8 = 10;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const TCP: u8 = 6;

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
    stateless: bool,
}

impl<'a> RuleListing<'a> {
    pub(super) fn new(family: Family, sets: &'a Sets<'a>) -> Self {
        let network = match family {
            Family::Ip => Some(IPV4),
            Family::Ip6 => Some(IPV6),
            Family::Arp => Some(ARP),
            Family::Inet | Family::Bridge | Family::Netdev | Family::Other(_) => None,
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
            stateless: false,
        }
    }

    /// A listing for statements inside a statement, with no words of its own yet.
    pub(in crate::nft) fn detached(&self) -> RuleListing<'a> {
        RuleListing { stateless: true, ..RuleListing::new(self.family, self.sets) }
    }

    /// Whether counts are left out: inside `update @set { … }`.
    pub(in crate::nft) fn is_stateless(&self) -> bool {
        self.stateless
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
            Implied::Ether => {}
            Implied::Network(number) => self.network = Some(number),
            Implied::Transport(number) => self.transport = Some(number),
        }
        match (implied, self.network) {
            // Each of the two says the family itself.
            (Implied::Transport(ICMP), Some(IPV4)) | (Implied::Transport(ICMPV6), Some(IPV6)) => {
                self.drop_implied(|word| matches!(word, Implied::Network(_)));
            }
            _ => {}
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
        self.registers.insert(register.index(), Term::constant(data));
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
                None => self.masked_text(term),
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

    /// A register as what is written to a field: a constant as the field reads it, or what was
    /// loaded.
    pub(in crate::nft) fn value_of(&self, register: Register, field: &Term) -> String {
        match self.get(register) {
            Some(Term { constant: Some(bytes), .. }) => field.list(bytes),
            _ => self.term(register),
        }
    }

    /// The prefix that begins and ends with the constants of two registers, if there is one.
    pub(in crate::nft) fn prefix_between(
        &self,
        min: Register,
        max: Register,
        data_type: DataType,
    ) -> Option<String> {
        let low = self.get(min)?.constant.as_ref()?;
        let high = self.get(max)?.constant.as_ref()?;
        (low != high).then(|| prefix_text(data_type, low, high)).flatten()
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
                    term.text = self.masked_text(&term);
                    term.place = None;
                }
                term.mask = Some(Mask { mask: mask.clone(), xor: xor.clone() });
                self.drop_chosen_of_part(&term);
            }
            BitwiseOp::Shift { op, data } => {
                term = self.shifted(&term, *op, data);
            }
            BitwiseOp::Registers { op, sreg2, data } => {
                let sign = op.word();
                let right = match (sreg2, data) {
                    (Some(register), _) => self.term(*register),
                    (None, Some(data)) => term.data_type.list(data),
                    (None, None) => String::new(),
                };
                let text = format!("{} {sign} {right}", self.masked_text(&term));
                term = Term::plain(text, term.data_type);
            }
        }
        self.registers.insert(bitwise.dreg.index(), term);
    }

    /// A field of a few bits that is shifted to the right is that field.
    fn shifted(&self, term: &Term, op: ShiftOp, data: &[u8]) -> Term {
        let by = DataType::HostInteger.list(data);
        match self.part_of(term) {
            Some((part, shift)) if op == ShiftOp::Right && shift.to_string() == by => part,
            _ => {
                let text = format!("{} {} {by}", self.masked_text(term), op.word());
                Term::plain(text, term.data_type)
            }
        }
    }

    /// Swaps bytes: in a listing nothing changes but how constants are read.
    pub(in crate::nft) fn swap(&mut self, from: Register, to: Register) {
        if let Some(mut term) = self.get(from).cloned() {
            if term.mask.is_some() {
                term.text = self.masked_text(&term);
                term.mask = None;
                term.place = None;
            }
            term.swapped = !term.swapped;
            self.registers.insert(to.index(), term);
        }
    }

    /// The family of the rule's table.
    pub(in crate::nft) fn family(&self) -> Family {
        self.family
    }

    /// So many bytes from a register on: `ip saddr . tcp dport`.
    pub(in crate::nft) fn terms(&self, register: Register, len: u32) -> String {
        let end = register.index() + len.div_ceil(4);
        let mut index = register.index();
        let mut words = Vec::new();
        while index < end {
            let register = Register::word(index);
            words.push(self.term(register));
            let len = self.get(register).map_or(4, |term| term.data_type.len());
            index += len.div_ceil(4).max(1) as u32;
        }
        words.join(" . ")
    }

    /// Whether rules of the table see both IPv4 and IPv6.
    pub(in crate::nft) fn is_dual_stack(&self) -> bool {
        matches!(self.family, Family::Inet | Family::Bridge | Family::Netdev)
    }

    /// The family whose codes a `reject` uses. One that answers for one family (`by_network`)
    /// says which itself.
    pub(in crate::nft) fn reject_family(&mut self, by_network: bool) -> Family {
        if self.is_dual_stack() && by_network {
            self.drop_implied(|implied| matches!(implied, Implied::Network(_)));
        }
        match (self.family, self.network) {
            (Family::Ip6, _) | (_, Some(IPV6)) => Family::Ip6,
            _ => Family::Ip,
        }
    }

    /// `reject with tcp reset` says the protocol itself; nft leaves it standing in inet tables.
    pub(in crate::nft) fn drop_transport_of_reset(&mut self) {
        if matches!(self.family, Family::Ip | Family::Ip6) {
            self.drop_implied(|implied| implied == Implied::Transport(TCP));
        }
    }
}

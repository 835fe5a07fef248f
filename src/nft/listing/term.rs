//! What a register holds, symbolically.

use super::rule::{ARP, Implied, RuleListing, VLAN};
use crate::nft::DataType;
use crate::nft::expr::{Extension, MetaKey, PayloadBase};

/// A mask and bits to flip, applied but not yet written.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    pub mask: Vec<u8>,
    pub xor: Vec<u8>,
}

/// What an offset counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// A header of the packet.
    Packet(PayloadBase),
    /// An extension header, an option or a chunk.
    Extension(Extension),
}

/// Which bytes of the packet a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub header: Header,
    /// In bytes.
    pub offset: u32,
    /// In bytes.
    pub len: u32,
}

/// What a comparison for equality tells of the headers that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selects {
    LinkType,
    EtherType,
    Family,
    Transport,
}

impl Selects {
    /// What a value says.
    pub(super) fn implied(self, data: &[u8]) -> Option<Implied> {
        match (self, data) {
            (Selects::LinkType, data) => {
                (data.first_chunk() == Some(&1u16.to_ne_bytes())).then_some(Implied::Ether)
            }
            (Selects::EtherType, [0x08, 0x00]) => Some(Implied::Network(2)),
            (Selects::EtherType, [0x86, 0xdd]) => Some(Implied::Network(10)),
            (Selects::EtherType, [0x08, 0x06]) => Some(Implied::Network(ARP)),
            (Selects::EtherType, [0x81, 0x00]) => Some(Implied::Network(VLAN)),
            (Selects::Family, [number]) => Some(Implied::Network(*number)),
            (Selects::Transport, [number]) => Some(Implied::Transport(*number)),
            (Selects::EtherType | Selects::Family | Selects::Transport, _) => None,
        }
    }
}

/// What a register holds.
#[derive(Debug, Clone)]
pub(in crate::nft) struct Term {
    /// As a word of the rule.
    pub text: String,
    /// What kind of value it is.
    pub data_type: DataType,
    /// The constant, where it is one.
    pub(super) constant: Option<Vec<u8>>,
    pub(super) mask: Option<Mask>,
    pub(super) selects: Option<Selects>,
    /// Whether it is what a map holds for a key.
    pub(super) is_map: bool,
    /// Whether its bytes were swapped, so that constants read the other way round.
    pub(super) swapped: bool,
    /// Where in the packet it came from.
    pub(super) place: Option<Place>,
    /// Whether nft has no one word for these bytes.
    pub(super) is_raw: bool,
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
            swapped: false,
            place: None,
            is_raw: false,
        }
    }

    /// A constant.
    pub(super) fn constant(data: &[u8]) -> Self {
        let data_type = DataType::Integer(u8::try_from(data.len()).unwrap_or(0));
        Term { constant: Some(data.to_vec()), ..Term::plain("", data_type) }
    }

    /// A `meta` key, some of which select the headers that follow.
    pub(in crate::nft) fn meta(key: MetaKey, data_type: DataType) -> Self {
        let selects = match key {
            MetaKey::Nfproto => Some(Selects::Family),
            MetaKey::L4proto => Some(Selects::Transport),
            MetaKey::Protocol => Some(Selects::EtherType),
            MetaKey::Iiftype => Some(Selects::LinkType),
            _ => None,
        };
        Term { selects, ..Term::plain(key.word(), data_type) }
    }

    /// A constant that this is compared with, in the byte order of its type.
    pub(super) fn ordered(&self, data: &[u8]) -> Vec<u8> {
        let mut bytes = data.to_vec();
        if self.swapped {
            bytes.reverse();
        }
        bytes
    }

    /// Such a constant as text.
    pub(in crate::nft) fn list(&self, data: &[u8]) -> String {
        match self.is_raw {
            true => raw_number(data),
            false => self.data_type.list(&self.ordered(data)),
        }
    }

    /// Such a constant at the end of a range.
    pub(super) fn list_bound(&self, data: &[u8]) -> String {
        match self.is_raw {
            true => raw_number(data),
            false => self.data_type.list_bound(&self.ordered(data)),
        }
    }
}

/// Bytes of a header that have no type: a number without leading zeros, however long.
fn raw_number(data: &[u8]) -> String {
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0x0".to_owned() } else { format!("0x{digits}") }
}

impl RuleListing<'_> {
    /// The text with the mask written out: as a part of a header, or as operations.
    pub(super) fn masked_text(&self, term: &Term) -> String {
        let Some(Mask { mask, xor }) = &term.mask else { return term.text.clone() };
        if let Some((part, _)) = self.part_of(term) {
            return part.text;
        }
        // Bits that are masked out and then flipped are set; those kept and flipped are toggled.
        let bits = |of: fn(u8, u8) -> u8| -> Vec<u8> {
            mask.iter().zip(xor).map(|(mask, xor)| of(*mask, *xor)).collect()
        };
        let set = bits(|mask, xor| xor & !mask);
        let toggled = bits(|mask, xor| xor & mask);
        let kept = bits(|mask, xor| mask | (xor & !mask));
        let is_any = |bits: &[u8]| bits.iter().any(|byte| *byte != 0);
        let mut text = term.text.clone();
        if kept.iter().any(|byte| *byte != 0xff) || !is_any(xor) {
            text = format!("{text} & {}", term.list(&kept));
        }
        if is_any(&toggled) {
            text = format!("{text} ^ {}", term.list(&toggled));
        }
        if is_any(&set) {
            text = format!("{text} | {}", term.list(&set));
        }
        text
    }
}

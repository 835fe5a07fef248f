//! Header fields by their place: `ip saddr` is the 32 bits at bit 96 of the network header.

use super::compare::shift_right;
use super::extensions::fields_of_extension;
use super::headers::{
    AH, ARP_HEADER, COMP, DCCP, ESP, ETHER, Field, ICMP, ICMPV6, IP, IP6, SCTP, TCP, TH, UDP,
    UDPLITE, VLAN_HEADER,
};
use super::rule::{ARP, Implied, RuleListing, VLAN};
use super::term::{Header, Mask, Place, Selects, Term};
use crate::nft::DataType;
use crate::nft::expr::{PayloadBase, Register};

impl RuleListing<'_> {
    /// Names bytes of a header, and takes back the word that chose the header.
    pub(in crate::nft) fn field(&mut self, base: PayloadBase, offset: u32, len: u32) -> Term {
        let (fields, implied) = self.header(Header::Packet(base), offset);
        let place = Place { header: Header::Packet(base), offset, len };
        let found = fields.iter().find(|(at, bits, _, data_type)| {
            // A shorter load of an address is a match on its prefix.
            *at == offset * 8 && (*bits == len * 8 || (len * 8 < *bits && is_address(*data_type)))
        });
        let Some(field) = found else {
            let text = format!("@{},{},{}", base.word(), offset * 8, len * 8);
            let data_type = DataType::Integer(u8::try_from(len).unwrap_or(0));
            return Term { place: Some(place), is_raw: true, ..Term::plain(text, data_type) };
        };
        self.drop_chosen(implied);
        Term { place: Some(place), ..named(field) }
    }

    /// The fields of a header, and the word that says which header it is.
    pub(super) fn header(
        &self,
        header: Header,
        offset: u32,
    ) -> (&'static [Field], Option<Implied>) {
        match header {
            Header::Packet(base) => self.packet_header(base, offset),
            Header::Extension(of) => fields_of_extension(of),
        }
    }

    fn packet_header(&self, base: PayloadBase, offset: u32) -> (&'static [Field], Option<Implied>) {
        match base {
            PayloadBase::Link if offset >= 14 && self.network == Some(VLAN) => {
                (VLAN_HEADER, Some(Implied::Network(VLAN)))
            }
            PayloadBase::Link => (ETHER, Some(Implied::Ether)),
            PayloadBase::Network => {
                let fields = match self.network {
                    Some(2) => IP,
                    Some(10) => IP6,
                    Some(ARP) => ARP_HEADER,
                    _ => &[],
                };
                (fields, self.network.map(Implied::Network))
            }
            PayloadBase::Transport => {
                let fields = match self.transport {
                    Some(1) => ICMP,
                    Some(6) => TCP,
                    Some(17) => UDP,
                    Some(33) => DCCP,
                    Some(50) => ESP,
                    Some(51) => AH,
                    Some(58) => ICMPV6,
                    Some(108) => COMP,
                    Some(132) => SCTP,
                    Some(136) => UDPLITE,
                    _ => return (TH, None),
                };
                (fields, self.transport.map(Implied::Transport))
            }
            PayloadBase::Other(_) => (&[], None),
        }
    }

    pub(super) fn drop_chosen(&mut self, implied: Option<Implied>) {
        if let Some(implied) = implied {
            self.drop_implied(|word| word == implied);
        }
    }

    /// Consecutive fields that were loaded together, each with its part of the constant; nft
    /// joins `icmp type` and `icmp code` into one comparison.
    pub(super) fn fields_of(&mut self, term: &Term, data: &[u8]) -> Option<Vec<(Term, Vec<u8>)>> {
        let place = term.place?;
        if !term.is_raw || term.mask.is_some() {
            return None;
        }
        let (fields, implied) = self.header(place.header, place.offset);
        // Ports of any protocol are not told apart in what is more than one of them.
        implied?;
        let mut parts = Vec::new();
        let mut at = place.offset * 8;
        let mut rest = data;
        while !rest.is_empty() {
            let left = rest.len() as u32 * 8;
            let (field, len) = fields.iter().find_map(|field| {
                let (start, bits, _, data_type) = field;
                let whole = *bits <= left && bits.is_multiple_of(8);
                let fits = *start == at && (whole || is_address(*data_type));
                fits.then(|| (field, (*bits).min(left) as usize / 8))
            })?;
            let place = Place { header: place.header, offset: at / 8, len: len as u32 };
            parts.push((Term { place: Some(place), ..named(field) }, rest[..len].to_vec()));
            rest = &rest[len..];
            at += len as u32 * 8;
        }
        self.drop_chosen(implied);
        Some(parts)
    }

    /// The field of a few bits that a mask leaves of a load (`ip dscp`), and how far its value is
    /// from the right.
    pub(super) fn part_of(&self, term: &Term) -> Option<(Term, u32)> {
        let Mask { mask, xor } = term.mask.as_ref()?;
        if xor.iter().any(|byte| *byte != 0) {
            return None;
        }
        self.part_at(term.place?, mask)
    }

    fn part_at(&self, place: Place, mask: &[u8]) -> Option<(Term, u32)> {
        let (skipped, bits, shift) = run_of_ones(mask)?;
        let (fields, _) = self.header(place.header, place.offset);
        let start = place.offset * 8 + skipped;
        let field = fields.iter().find(|(at, len, ..)| *at == start && *len == bits)?;
        Some((named(field), shift))
    }

    /// Takes back the word that chose the header of a part.
    pub(super) fn drop_chosen_of_part(&mut self, term: &Term) {
        if let Some(place) = term.place
            && self.part_of(term).is_some()
        {
            let (_, implied) = self.header(place.header, place.offset);
            self.drop_chosen(implied);
        }
    }

    /// `ip dscp set cs1`: the bytes around a field are loaded, masked and written back.
    pub(in crate::nft) fn part_written(&mut self, field: &Term, from: Register) -> Option<String> {
        let value = self.get(from)?;
        let place = value.place.filter(|place| Some(*place) == field.place)?;
        let Mask { mask, xor } = value.mask.as_ref()?;
        let cleared: Vec<u8> = mask.iter().map(|byte| !byte).collect();
        if xor.iter().zip(mask).any(|(xor, mask)| xor & mask != 0) {
            return None;
        }
        let (part, shift) = self.part_at(place, &cleared)?;
        let text = format!("{} set {}", part.text, part.list(&shift_right(xor, shift)));
        let (_, implied) = self.header(place.header, place.offset);
        self.drop_chosen(implied);
        Some(text)
    }
}

pub(super) fn named((_, _, words, data_type): &Field) -> Term {
    let selects = match (data_type, *words) {
        (DataType::InetProto, _) => Some(Selects::Transport),
        (DataType::EtherType, "ether type" | "vlan type") => Some(Selects::EtherType),
        _ => None,
    };
    Term { selects, ..Term::plain(*words, *data_type) }
}

/// The bits in front of a mask's ones, how many there are, and the bits behind; `None` if there
/// are several runs.
fn run_of_ones(mask: &[u8]) -> Option<(u32, u32, u32)> {
    let mut wide = [0; 16];
    wide.get_mut(16usize.checked_sub(mask.len())?..)?.copy_from_slice(mask);
    let bits = u128::from_be_bytes(wide);
    let (ones, behind) = (bits.count_ones(), bits.trailing_zeros().min(128));
    let total = mask.len() as u32 * 8;
    let front = total.checked_sub(ones + behind)?;
    let is_one_run = ones > 0 && (bits >> behind).trailing_ones() == ones;
    is_one_run.then_some((front, ones, behind))
}

pub(super) fn is_address(data_type: DataType) -> bool {
    matches!(data_type, DataType::Ipv4Addr | DataType::Ipv6Addr | DataType::EtherAddr)
}

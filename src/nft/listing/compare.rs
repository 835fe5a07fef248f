//! Comparisons: with a value, a prefix, a range, under a mask.

use super::fields::is_address;
use super::rule::RuleListing;
use super::term::{Mask, Term};
use crate::nft::DataType;
use crate::nft::expr::{CmpOp, Register};

impl RuleListing<'_> {
    /// A register against a constant.
    pub(in crate::nft) fn compare(&mut self, register: Register, op: CmpOp, data: &[u8]) {
        let Some(term) = self.get(register).cloned() else {
            self.word(format!("reg {} {} {data:02x?}", register.0, op.word()));
            return;
        };
        if let Some((at, low)) = self.lower_bound.take() {
            if at == register && op == CmpOp::Lte {
                self.compare_range(register, false, &low, data);
                return;
            }
            self.write_lower_bound(at, &low);
        }
        if op == CmpOp::Gte {
            self.lower_bound = Some((register, data.to_vec()));
            return;
        }
        if matches!(op, CmpOp::Eq | CmpOp::Neq)
            && let Some(fields) = self.fields_of(&term, data)
        {
            for (field, data) in fields {
                self.compare_term(&field, op, &data);
            }
            return;
        }
        self.compare_term(&term, op, data);
    }

    fn compare_term(&mut self, term: &Term, op: CmpOp, data: &[u8]) {
        let text = self.comparison(term, op, data);
        let implied = match (term.selects, op, &term.mask) {
            (Some(selects), CmpOp::Eq, None) => selects.implied(data),
            _ => None,
        };
        match implied {
            Some(implied) => self.word_implied(implied, text),
            None => self.word(text),
        }
    }

    /// A register against two bounds.
    pub(in crate::nft) fn compare_range(
        &mut self,
        register: Register,
        inverted: bool,
        from: &[u8],
        to: &[u8],
    ) {
        let not = if inverted { "!= " } else { "" };
        let text = match self.get(register) {
            Some(term) => {
                let (text, term, from, to) = match self.part_of(term) {
                    Some((part, shift)) => {
                        (part.text.clone(), part, shift_right(from, shift), shift_right(to, shift))
                    }
                    None => (self.masked_text(term), term.clone(), from.to_vec(), to.to_vec()),
                };
                format!("{text} {not}{}-{}", term.list_bound(&from), term.list_bound(&to))
            }
            None => {
                let list = |bytes| DataType::HostInteger.list(bytes);
                format!("reg {} {not}{}-{}", register.0, list(from), list(to))
            }
        };
        self.word(text);
    }

    /// Writes a lower bound that no upper bound followed.
    pub(super) fn flush_lower_bound(&mut self) {
        if let Some((register, low)) = self.lower_bound.take() {
            self.write_lower_bound(register, &low);
        }
    }

    fn write_lower_bound(&mut self, register: Register, low: &[u8]) {
        if let Some(term) = self.get(register).cloned() {
            let text = self.comparison(&term, CmpOp::Gte, low);
            self.word(text);
        }
    }

    fn comparison(&self, term: &Term, op: CmpOp, data: &[u8]) -> String {
        let sign = match op {
            CmpOp::Eq => String::new(),
            other => format!("{} ", other.word()),
        };
        if let Some((part, shift)) = self.part_of(term) {
            return format!("{} {sign}{}", part.text, part.list(&shift_right(data, shift)));
        }
        match &term.mask {
            Some(Mask { mask, xor }) if xor.iter().all(|byte| *byte == 0) => {
                self.masked_comparison(term, op, &sign, mask, data)
            }
            Some(_) => format!("{} {} {}", self.masked_text(term), op.word(), term.list(data)),
            None if (term.place.is_some() || is_address(term.data_type))
                && data.len() < term.data_type.len() =>
            {
                let mut full = data.to_vec();
                full.resize(term.data_type.len(), 0);
                format!("{} {sign}{}/{}", term.text, term.list(&full), data.len() * 8)
            }
            None if term.data_type.is_flags() && matches!(op, CmpOp::Eq | CmpOp::Neq) => {
                format!("{} {}", term.text, all_flags(term, op, data))
            }
            None => format!("{} {sign}{}", term.text, term.list(data)),
        }
    }

    /// `reg & mask <op> data` as nft folds it back: a prefix, a list of flags, or written out.
    fn masked_comparison(
        &self,
        term: &Term,
        op: CmpOp,
        sign: &str,
        mask: &[u8],
        data: &[u8],
    ) -> String {
        if term.data_type.has_prefixes()
            && let Some(prefix) = prefix_of(mask)
        {
            return format!("{} {sign}{}/{prefix}", term.text, term.list(data));
        }
        let written_out = format!("{} {} {}", self.masked_text(term), op.word(), term.list(data));
        if !term.data_type.is_flags() || !matches!(op, CmpOp::Eq | CmpOp::Neq) {
            return written_out;
        }
        let list = |bits: &[u8]| term.list(bits).replace(" | ", ",");
        let count = |bits: &[u8]| bits.iter().map(|byte| byte.count_ones()).sum::<u32>();
        match (count(data), op) {
            (0, CmpOp::Neq) => format!("{} {}", term.text, list(mask)),
            (0, _) => format!("{} ! {}", term.text, list(mask)),
            (1, _) if mask == data => written_out,
            _ => format!("{} {sign}{} / {}", term.text, list(data), list(mask)),
        }
    }
}

/// Flags that are compared as a whole, not one by one: nft writes a single one behind `==`, and of
/// several, all as one number or joined by `|`.
fn all_flags(term: &Term, op: CmpOp, data: &[u8]) -> String {
    let several = data.iter().map(|byte| byte.count_ones()).sum::<u32>() > 1;
    let text = match term.data_type {
        DataType::TcpFlag if several => term.list_bound(data),
        _ if several => term.list(data).replace(',', " | "),
        _ => term.list(data),
    };
    match op {
        CmpOp::Eq if several && term.data_type != DataType::TcpFlag => text,
        op => format!("{} {text}", op.word()),
    }
}

/// Big-endian bytes, shifted.
pub(super) fn shift_right(bytes: &[u8], by: u32) -> Vec<u8> {
    let mut wide = [0; 16];
    let len = bytes.len().min(16);
    wide[16 - len..].copy_from_slice(&bytes[..len]);
    let shifted = u128::from_be_bytes(wide).checked_shr(by).unwrap_or(0).to_be_bytes();
    shifted[16 - len..].to_vec()
}

/// The length of a prefix whose mask this is.
pub(super) fn prefix_of(mask: &[u8]) -> Option<u32> {
    let set: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let mut leading = 0;
    for byte in mask {
        leading += byte.leading_ones();
        if *byte != 0xff {
            break;
        }
    }
    (leading == set).then_some(set)
}

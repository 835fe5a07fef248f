//! Comparisons: with a value, a prefix, a range, under a mask.

use super::fields::is_address;
use super::rule::{RuleListing, Term};
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
            self.word(format!("{} >= {}", term.masked_text(), term.data_type.list(&low)));
        }
        if op == CmpOp::Gte && term.mask.is_none() {
            self.lower_bound = Some((register, data.to_vec()));
            return;
        }
        let text = comparison(&term, op, data);
        match (term.selects, op, data) {
            (Some(selects), CmpOp::Eq, [number]) => self.word_implied(selects(*number), text),
            _ => self.word(text),
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
        let (text, data_type) = match self.get(register) {
            Some(term) => (term.masked_text(), term.data_type),
            None => (format!("reg {}", register.0), DataType::HostInteger),
        };
        self.word(format!("{text} {not}{}-{}", data_type.list(from), data_type.list(to)));
    }

    /// Writes a lower bound that no upper bound followed.
    pub(super) fn flush_lower_bound(&mut self) {
        if let Some((register, low)) = self.lower_bound.take()
            && let Some(term) = self.get(register).cloned()
        {
            self.word(format!("{} >= {}", term.masked_text(), term.data_type.list(&low)));
        }
    }
}

fn comparison(term: &Term, op: CmpOp, data: &[u8]) -> String {
    let sign = match op {
        CmpOp::Eq => String::new(),
        other => format!("{} ", other.word()),
    };
    match &term.mask {
        Some((mask, xor)) if xor.iter().all(|byte| *byte == 0) => {
            masked_comparison(term, op, &sign, mask, data)
        }
        Some(_) => format!("{} {} {}", term.masked_text(), op.word(), term.data_type.list(data)),
        None if is_address(term.data_type) && data.len() < term.data_type.len() => {
            let mut full = data.to_vec();
            full.resize(term.data_type.len(), 0);
            format!("{} {sign}{}/{}", term.text, term.data_type.list(&full), data.len() * 8)
        }
        None => format!("{} {sign}{}", term.text, term.data_type.list(data)),
    }
}

/// `reg & mask <op> data` as nft folds it back: a prefix, a list of flags, or written out.
fn masked_comparison(term: &Term, op: CmpOp, sign: &str, mask: &[u8], data: &[u8]) -> String {
    let zero = data.iter().all(|byte| *byte == 0);
    if is_address(term.data_type)
        && let Some(prefix) = prefix_of(mask)
    {
        return format!("{} {sign}{}/{prefix}", term.text, term.data_type.list(data));
    }
    let is_flags =
        matches!(term.data_type, DataType::CtState | DataType::CtStatus | DataType::TcpFlag);
    if is_flags {
        // nft 1.0.6 lists several TCP flags in value and mask with commas.
        let list = |bits: &[u8]| term.data_type.list(bits).replace(" | ", ",");
        return match op {
            CmpOp::Neq if zero => format!("{} {}", term.text, list(mask)),
            CmpOp::Eq if zero && term.data_type != DataType::TcpFlag => {
                format!("{} ! {}", term.text, list(mask))
            }
            _ if term.data_type == DataType::TcpFlag && !zero => {
                format!("{} {sign}{} / {}", term.text, list(data), list(mask))
            }
            _ => format!("{} & ({}) {} {}", term.text, term.data_type.list(mask), op.word(),
                term.data_type.list(data)),
        };
    }
    format!(
        "{} & {} {} {}",
        term.text,
        term.data_type.list(mask),
        op.word(),
        term.data_type.list(data)
    )
}

/// The length of a prefix whose mask this is.
fn prefix_of(mask: &[u8]) -> Option<u32> {
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    let set: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let mut leading = 0;
    for byte in mask {
        leading += byte.leading_ones();
        if *byte != 0xff {
            break;
        }
    }
    (ones == set && leading == set).then_some(set)
}

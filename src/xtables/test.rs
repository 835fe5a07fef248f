//! Comparisons read back from expressions: what `field` makes, as a value.

use crate::nft::Expr;
use crate::nft::expr::{
    Bitwise, BitwiseOp, Byteorder, Cmp, CmpOp, Ct, CtKey, Exthdr, Lookup, Meta, MetaKey, Payload,
    PayloadBase, Range, Register,
};

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test<'a> {
    /// `== VALUE`, `!= VALUE`.
    Equal { negated: bool, value: &'a [u8] },
    /// `& MASK == VALUE`, `& MASK != VALUE`.
    Masked { mask: &'a [u8], negated: bool, value: &'a [u8] },
    /// `FIRST-LAST`, `!= FIRST-LAST`, in network order.
    Between { negated: bool, first: &'a [u8], last: &'a [u8] },
    /// `< VALUE` and the like, in network order.
    Compared { op: CmpOp, value: &'a [u8] },
    /// In a set.
    In { lookup: &'a Lookup },
}

/// Reads one comparison from the front: the field, what it is compared with, and how many
/// expressions that took.
pub(super) fn test(exprs: &[Expr]) -> Option<(&Expr, Test<'_>, usize)> {
    let (field, rest) = exprs.split_first()?;
    let register = loaded(field)?;
    let here = |reg: &Register| *reg == register;
    match rest {
        [Expr::Byteorder(Byteorder { sreg, .. }), rest @ ..] if here(sreg) => {
            let (test, taken) = compared(rest, register)?;
            Some((field, test, taken + 2))
        }
        [Expr::Bitwise(Bitwise { sreg, dreg, op, .. }), Expr::Cmp(cmp), ..]
            if here(sreg) && *dreg == cmp.sreg =>
        {
            let BitwiseOp::MaskXor { mask, xor } = op else { return None };
            let negated = negation(cmp.op)?;
            let plain = xor.iter().all(|byte| *byte == 0);
            plain.then_some((field, Test::Masked { mask, negated, value: &cmp.data }, 3))
        }
        rest => {
            let (test, taken) = compared(rest, register)?;
            Some((field, test, taken + 1))
        }
    }
}

/// Reads all expressions as comparisons, one behind the other.
pub(super) fn tests(mut exprs: &[Expr]) -> Option<Vec<(&Expr, Test<'_>)>> {
    let mut all = Vec::new();
    while !exprs.is_empty() {
        let (field, test, taken) = test(exprs)?;
        all.push((field, test));
        exprs = exprs.get(taken..)?;
    }
    Some(all)
}

/// The only comparison of these expressions.
pub(super) fn only_test(exprs: &[Expr]) -> Option<(&Expr, Test<'_>)> {
    let (field, test, taken) = test(exprs)?;
    (taken == exprs.len()).then_some((field, test))
}

/// Whether a field is this key of `meta`.
pub(super) fn is_meta(field: &Expr, wanted: MetaKey) -> bool {
    matches!(field, Expr::Meta(Meta::Load { key, .. }) if *key == wanted)
}

/// Whether a field is this key of `ct`, that of the packet and of no direction.
pub(super) fn is_ct(field: &Expr, wanted: CtKey) -> bool {
    matches!(field, Expr::Ct(Ct::Load { key, direction: None, .. }) if *key == wanted)
}

fn compared(rest: &[Expr], register: Register) -> Option<(Test<'_>, usize)> {
    match rest {
        [
            Expr::Cmp(Cmp { sreg, op: CmpOp::Gte, data: first }),
            Expr::Cmp(Cmp { sreg: again, op: CmpOp::Lte, data: last }),
            ..,
        ] if *sreg == register && *again == register => {
            Some((Test::Between { negated: false, first, last }, 2))
        }
        [Expr::Cmp(Cmp { sreg, op, data }), ..] if *sreg == register => Some((
            match negation(*op) {
                Some(negated) => Test::Equal { negated, value: data },
                None => Test::Compared { op: *op, value: data },
            },
            1,
        )),
        [Expr::Range(Range { sreg, inverted, from, to }), ..] if *sreg == register => {
            Some((Test::Between { negated: *inverted, first: from, last: to }, 1))
        }
        [Expr::Lookup(lookup), ..] if lookup.sreg == register && lookup.dreg.is_none() => {
            Some((Test::In { lookup }, 1))
        }
        _ => None,
    }
}

fn negation(op: CmpOp) -> Option<bool> {
    match op {
        CmpOp::Eq => Some(false),
        CmpOp::Neq => Some(true),
        _ => None,
    }
}

/// The register that an expression loads a field into.
fn loaded(field: &Expr) -> Option<Register> {
    match field {
        Expr::Exthdr(Exthdr::Load { dreg, .. } | Exthdr::Exists { dreg, .. }) => Some(*dreg),
        Expr::Rt(rt) => Some(rt.dreg),
        Expr::Socket(socket) => Some(socket.dreg),
        Expr::Osf(osf) => Some(osf.dreg),
        Expr::Payload(payload) => Some(payload.dreg),
        Expr::Meta(Meta::Load { dreg, .. }) | Expr::Ct(Ct::Load { dreg, .. }) => Some(*dreg),
        Expr::Fib(fib) => Some(fib.dreg),
        Expr::Numgen(numgen) => Some(numgen.dreg),
        _ => None,
    }
}

/// The place of a field of the transport header.
pub(super) fn transport_field(field: &Expr) -> Option<(u32, u32)> {
    payload_field(field, PayloadBase::Transport)
}

/// The place of a field of the network header.
pub(super) fn network_field(field: &Expr) -> Option<(u32, u32)> {
    payload_field(field, PayloadBase::Network)
}

fn payload_field(field: &Expr, header: PayloadBase) -> Option<(u32, u32)> {
    match field {
        Expr::Payload(Payload { base, offset, len, .. }) if *base == header => {
            Some((*offset, *len))
        }
        _ => None,
    }
}

/// A value in network order.
pub(super) fn network_u32(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

/// A value in host order, as marks and states are kept.
pub(super) fn host_u32(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

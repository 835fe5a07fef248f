//! Fields of a packet and what they are compared with: the expressions that nft makes of
//! `FIELD VALUE`, `FIELD != VALUE`, `FIELD & MASK == VALUE` and `FIELD A-B`.

use crate::nft::Expr;
use crate::nft::expr::{
    Bitwise, Byteorder, ByteorderOp, Cmp, CmpOp, Ct, CtKey, Meta, MetaKey, Payload, Range, Register,
};

/// Where every single value goes.
pub(super) const REGISTER: Register = Register::R1;

/// `meta KEY`.
pub(super) fn meta(key: MetaKey) -> Expr {
    Meta::load(key, REGISTER).into()
}

/// `ct KEY`.
pub(super) fn ct(key: CtKey) -> Expr {
    Ct::load(key, REGISTER).into()
}

/// A field of the network header.
pub(super) fn network(field: (u32, u32)) -> Expr {
    Payload::network(field, REGISTER).into()
}

/// A field of the transport header.
pub(super) fn transport(field: (u32, u32)) -> Expr {
    Payload::transport(field, REGISTER).into()
}

/// `FIELD VALUE` or `FIELD != VALUE`.
pub(super) fn equal(field: Expr, negated: bool, value: impl Into<Vec<u8>>) -> Vec<Expr> {
    vec![field, comparison(negated, value)]
}

/// `FIELD & MASK == VALUE` or `FIELD & MASK != VALUE`.
pub(super) fn masked(
    field: Expr,
    mask: impl Into<Vec<u8>>,
    negated: bool,
    value: impl Into<Vec<u8>>,
) -> Vec<Expr> {
    vec![field, Bitwise::and(REGISTER, mask.into()).into(), comparison(negated, value)]
}

/// One bit of several is set: `FIELD A,B`; negated none of them: `FIELD ! A,B`. The list of a
/// negated state means none of them, which `FIELD != A,B` does not say.
pub(super) fn any_bit(field: Expr, negated: bool, bits: u32) -> Vec<Expr> {
    masked(field, bits.to_ne_bytes(), !negated, 0_u32.to_ne_bytes())
}

/// `FIELD A-B` or `FIELD != A-B` of values in network order.
pub(super) fn between(field: Expr, negated: bool, from: Vec<u8>, to: Vec<u8>) -> Vec<Expr> {
    if from == to {
        return equal(field, negated, from);
    }
    let mut exprs = vec![field];
    exprs.extend(bounds(negated, from, to));
    exprs
}

/// The same of a 32-bit field in host order, swapped so that the kernel can compare its bytes.
pub(super) fn between_u32(field: Expr, negated: bool, from: u32, to: u32) -> Vec<Expr> {
    if from == to {
        return equal(field, negated, from.to_ne_bytes());
    }
    let swap = Byteorder { sreg: REGISTER, dreg: REGISTER, op: ByteorderOp::Hton, len: 4, size: 4 };
    let mut exprs = vec![field, swap.into()];
    exprs.extend(bounds(negated, from.to_be_bytes().to_vec(), to.to_be_bytes().to_vec()));
    exprs
}

/// `OP VALUE` on the register.
pub(super) fn compare(op: CmpOp, value: impl Into<Vec<u8>>) -> Expr {
    Cmp { sreg: REGISTER, op, data: value.into() }.into()
}

fn comparison(negated: bool, value: impl Into<Vec<u8>>) -> Expr {
    compare(if negated { CmpOp::Neq } else { CmpOp::Eq }, value)
}

/// nft writes a range as two comparisons, but its negation as one expression.
fn bounds(negated: bool, from: Vec<u8>, to: Vec<u8>) -> Vec<Expr> {
    if negated {
        vec![Range { sreg: REGISTER, inverted: true, from, to }.into()]
    } else {
        vec![compare(CmpOp::Gte, from), compare(CmpOp::Lte, to)]
    }
}

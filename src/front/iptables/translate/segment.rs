//! A rule in parts: each test with the loads that it needs, each statement with its constants.

use crate::nft::expr::{
    Bitwise, BitwiseOp, Byteorder, Ct, Fib, Lookup, Meta, MetaKey, Payload, PayloadBase, Register,
};
use crate::nft::{DataType, Expr};

/// A part of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    exprs: &'a [Expr],
}

/// The parts of a rule: each ends with what no register comes out of.
pub(super) fn segments(exprs: &[Expr]) -> Vec<Segment<'_>> {
    let mut all = Vec::new();
    let mut start = 0;
    for (at, expr) in exprs.iter().enumerate() {
        // A range is two comparisons of one load.
        let goes_on = matches!((expr, exprs.get(at + 1)), (Expr::Cmp(_), Some(Expr::Cmp(_))));
        if loaded(expr).is_none() && !goes_on {
            all.push(Segment { exprs: &exprs[start..=at] });
            start = at + 1;
        }
    }
    if start < exprs.len() {
        all.push(Segment { exprs: &exprs[start..] });
    }
    all
}

/// The register that an expression fills; `None` for one that tests or does something.
fn loaded(expr: &Expr) -> Option<Register> {
    use crate::nft::expr::Immediate;
    match expr {
        Expr::Payload(Payload { dreg, .. })
        | Expr::Meta(Meta::Load { dreg, .. })
        | Expr::Ct(Ct::Load { dreg, .. })
        | Expr::Fib(Fib { dreg, .. })
        | Expr::Bitwise(Bitwise { dreg, .. })
        | Expr::Byteorder(Byteorder { dreg, .. })
        | Expr::Immediate(Immediate::Value { dreg, .. }) => Some(*dreg),
        Expr::Numgen(numgen) => Some(numgen.dreg),
        Expr::Lookup(Lookup { dreg, .. }) => dreg.filter(|dreg| *dreg != Register::VERDICT),
        _ => None,
    }
}

impl<'a> Segment<'a> {
    /// Its expressions.
    pub(super) fn exprs(&self) -> &'a [Expr] {
        self.exprs
    }

    /// Whether it does nothing but test.
    pub(super) fn is_test(&self) -> bool {
        match self.exprs.last() {
            Some(Expr::Cmp(_) | Expr::Range(_)) => true,
            Some(Expr::Lookup(lookup)) => lookup.dreg.is_none(),
            _ => false,
        }
    }

    /// Whether it tests what `-p`, `-s`, `-d`, `-i` and `-o` are about.
    pub(super) fn is_general(&self) -> bool {
        match self.exprs.first() {
            Some(Expr::Meta(Meta::Load { key, .. })) => {
                matches!(key, MetaKey::L4proto | MetaKey::Iifname | MetaKey::Oifname)
            }
            Some(Expr::Payload(Payload { base: PayloadBase::Network, offset, len, .. })) => {
                matches!((offset, len), (12 | 16, 1..=4) | (8 | 24, 5..=16) | (9, 1))
            }
            _ => false,
        }
    }

    /// The first look into a set or map, and its place.
    pub(super) fn lookup(&self) -> Option<(usize, &'a Lookup)> {
        self.exprs.iter().enumerate().find_map(|(at, expr)| match expr {
            Expr::Lookup(lookup) => Some((at, lookup)),
            _ => None,
        })
    }

    /// For each part of a key the loads that fill it, into the first register each. `None` where a
    /// part is filled by more than a load and masks.
    pub(super) fn fields(
        &self,
        before: usize,
        register: Register,
        key: &[DataType],
    ) -> Option<Vec<Vec<Expr>>> {
        let loads = self.exprs.get(..before)?;
        let (mut fields, mut word, mut used) = (Vec::new(), register.index(), 0);
        for part in key {
            let here = |expr: &&Expr| loaded(expr).is_some_and(|dreg| dreg.index() == word);
            let field: Vec<Expr> = loads.iter().filter(here).map(alone).collect::<Option<_>>()?;
            used += field.len();
            fields.push((!field.is_empty()).then_some(field)?);
            word += u32::try_from(part.len().div_ceil(4)).ok()?;
        }
        (used == loads.len()).then_some(fields)
    }
}

/// The same load or mask in the first register.
fn alone(expr: &Expr) -> Option<Expr> {
    let mut expr = expr.clone();
    match &mut expr {
        Expr::Payload(Payload { dreg, .. })
        | Expr::Meta(Meta::Load { dreg, .. })
        | Expr::Ct(Ct::Load { dreg, .. })
        | Expr::Fib(Fib { dreg, .. }) => *dreg = Register::R1,
        Expr::Bitwise(Bitwise { sreg, dreg, op: BitwiseOp::MaskXor { .. }, .. })
            if sreg.index() == dreg.index() =>
        {
            (*sreg, *dreg) = (Register::R1, Register::R1);
        }
        _ => return None,
    }
    Some(expr)
}

//! `-j TRACE`: shows a packet's way through the rules to `nft monitor trace`.

use crate::nft::Expr;
use crate::nft::expr::{Immediate, Meta, MetaKey};
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Span};
use crate::xtables::setting::Setting;

/// `meta nftrace set 1`.
pub(super) static TRACE: Module =
    Module::new("TRACE", &[], |_| Ok(exprs().to_vec())).read_by(155, read, |_, _| String::new());

/// iptables-nft uses another register.
fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [Expr::Immediate(Immediate::Value { dreg, data }), Expr::Meta(set)] = span.exprs else {
        return None;
    };
    let sets = *set == Meta::Set { key: MetaKey::Nftrace, sreg: *dreg };
    (sets && data.as_slice() == [1]).then(Vec::new)
}

fn exprs() -> [Expr; 2] {
    [
        Immediate::value(REGISTER, [1]).into(),
        Meta::Set { key: MetaKey::Nftrace, sreg: REGISTER }.into(),
    ]
}

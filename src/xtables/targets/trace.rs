//! `-j TRACE`: shows a packet's way through the rules to `nft monitor trace`.

use crate::nft::Expr;
use crate::nft::expr::{Immediate, Meta, MetaKey};
use crate::xtables::field::REGISTER;
use crate::xtables::module::Module;

/// `meta nftrace set 1`.
pub(super) static TRACE: Module = Module::new("TRACE", &[], |_| Ok(exprs().to_vec())).read_by(
    155,
    |span| (span.exprs == exprs()).then(Vec::new),
    |_, _| String::new(),
);

fn exprs() -> [Expr; 2] {
    [
        Immediate::value(REGISTER, [1]).into(),
        Meta::Set { key: MetaKey::Nftrace, sreg: REGISTER }.into(),
    ]
}

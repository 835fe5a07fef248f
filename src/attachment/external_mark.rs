//! `externalSetMarkChain`: a chain of somebody else's that sets the mark for masquerading.
//!
//! Chains of other tables cannot be jumped to. What such a chain does (kube-proxy's
//! `KUBE-MARK-MASQ`) is set one mark, so the mark is read from it and set by us, for its owner to
//! masquerade.

use super::error::Error;
use super::host::Host;
use crate::net::{IpVersion, Mark};
use crate::nft::expr::{Bitwise, BitwiseOp, Expr, Meta, MetaKey};
use crate::nft::{Family, Name, Rule, TableId};

/// Attributes of nft_compat's `target` expression.
const NFTA_TARGET_NAME: u16 = 1;
const NFTA_TARGET_INFO: u16 = 3;

/// Reads the mark that a chain of the iptables nat tables sets, in the tables of these versions.
///
/// # Errors
/// [`Error::NoExternalChain`], [`Error::NotAMarkChain`], [`Error::DifferentMarks`].
pub fn external_mark(
    host: &mut Host,
    chain: &str,
    versions: &[IpVersion],
) -> Result<Option<Mark>, Error> {
    // Says what is missing if nothing may be read at all.
    host.kernel.generation()?;
    let mut found: Option<Mark> = None;
    for version in versions {
        let mark = mark_of(host, chain, *version)?;
        match found {
            Some(v4) if v4 != mark => {
                return Err(Error::DifferentMarks { chain: chain.to_owned(), v4, v6: mark });
            }
            _ => found = Some(mark),
        }
    }
    Ok(found)
}

fn mark_of(host: &mut Host, chain: &str, version: IpVersion) -> Result<Mark, Error> {
    let table = TableId { family: Family::of(version), name: Name::literal("nat") };
    let absent = || Error::NoExternalChain { chain: chain.to_owned(), table: table.to_string() };
    let name = Name::new(chain).map_err(|_| absent())?;
    let there = host.kernel.chains_named(&table, std::slice::from_ref(&name))?;
    if there.into_iter().flatten().next().is_none() {
        return Err(absent());
    }
    let rules = host.kernel.rules(&table, Some(&name))?;
    let marks: Vec<Option<Mark>> = rules.iter().map(|(_, rule)| mark_set_by(&rule.value)).collect();
    match marks.as_slice() {
        [Some(mark)] => Ok(*mark),
        _ => Err(Error::NotAMarkChain { chain: chain.to_owned(), table: table.to_string() }),
    }
}

/// The bits that a rule sets in the mark, if that is all it does.
fn mark_set_by(rule: &Rule) -> Option<Mark> {
    let exprs: Vec<&Expr> =
        rule.exprs.iter().filter(|expr| !matches!(expr, Expr::Counter(_))).collect();
    match exprs.as_slice() {
        [
            Expr::Meta(Meta::Load { key: MetaKey::Mark, .. }),
            Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, xor }, .. }),
            Expr::Meta(Meta::Set { key: MetaKey::Mark, .. }),
        ] => set_bits(number(mask)?, number(xor)?),
        [Expr::Other(target)] if target.name == "target" => {
            let attributes = crate::netlink::Attributes::new(&target.data);
            let name = attributes.find(NFTA_TARGET_NAME)?.text().ok()?;
            let info = attributes.find(NFTA_TARGET_INFO)?.value;
            // struct xt_mark_tginfo2: mark, mask; the new mark is (old & ~mask) ^ mark.
            let (bits, mask) = (number(info.get(..4)?)?, number(info.get(4..8)?)?);
            (name == "MARK").then(|| set_bits(!mask, bits)).flatten()
        }
        _ => None,
    }
}

/// `(mark & kept) ^ flipped` sets bits if exactly those that are not kept are flipped on.
fn set_bits(kept: u32, flipped: u32) -> Option<Mark> {
    (kept == !flipped).then(|| Mark::from_bits(flipped)).flatten()
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

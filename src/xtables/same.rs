//! Whether two rules are the same: by what they mean, not by their text.

use super::base_read::read_base;
use super::command::command;
use super::compile::Compiled;
use super::operation::Operation;
use super::rule::Rule;
use crate::net::IpVersion;
use crate::nft::expr::{Immediate, Verdict};
use crate::nft::{Expr, Rule as NftRule};

/// Whether a rule of the kernel is the one that these words mean: same matches in the same order,
/// same target; counts are not compared. Of one that others made, iptables-nft above all, what it
/// says in the words of iptables is compiled, and that compared.
#[must_use]
pub fn same(ours: &Compiled, theirs: &NftRule, version: IpVersion) -> bool {
    if ours.rule.is_same(theirs) {
        return true;
    }
    if differs_at_once(&ours.rule, theirs, version) {
        return false;
    }
    let Some(read) = Rule::read(theirs, version) else { return false };
    // The set of a rule's own is named by its chain, which the words do not tell.
    if Rule::read(&ours.rule, version).is_some_and(|own| own.words() == read.words()) {
        return true;
    }
    let mut words = vec!["-A".to_owned(), "chain".to_owned()];
    words.extend(read.words());
    let Ok(Operation::Append { rules, .. }) = command(&words, version).map(|c| c.operation) else {
        return false;
    };
    matches!(rules.as_slice(), [only] if only.rule.is_same(&ours.rule))
}

/// What is seen without reading the whole rule, and is so for most rules of a chain: another verdict
/// at the end, or a general option in front that ours has not.
fn differs_at_once(ours: &NftRule, theirs: &NftRule, version: IpVersion) -> bool {
    // A structure of nft_compat may be what ends with a verdict here.
    let left = matches!(theirs.exprs.last(), Some(Expr::Other(_)));
    if !left && verdict(ours) != verdict(theirs) {
        return true;
    }
    let ((ours, _), (theirs, _)) =
        (read_base(&ours.exprs, version), read_base(&theirs.exprs, version));
    theirs.iter().any(|setting| !ours.contains(setting))
}

fn verdict(rule: &NftRule) -> Option<&Verdict> {
    match rule.exprs.last() {
        Some(Expr::Immediate(Immediate::Verdict(verdict))) => Some(verdict),
        _ => None,
    }
}

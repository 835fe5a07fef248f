//! Whether two rules are the same: by what they mean, not by their text.

use super::command::{Operation, command};
use super::compile::Compiled;
use super::rule::Rule;
use crate::net::IpVersion;
use crate::nft::Rule as NftRule;

/// Whether a rule of the kernel is the one that these words mean: same matches in the same order,
/// same target; counts are not compared.
#[must_use]
pub fn same(ours: &Compiled, theirs: &NftRule, version: IpVersion) -> bool {
    if ours.rule.is_same(theirs) {
        return true;
    }
    let Some(read) = Rule::read(theirs, version) else { return false };
    let mut words = vec!["-A".to_owned(), "chain".to_owned()];
    words.extend(read.words());
    let Ok(Operation::Append { rules, .. }) = command(&words, version).map(|c| c.operation) else {
        return false;
    };
    matches!(rules.as_slice(), [only] if only.rule.is_same(&ours.rule))
}

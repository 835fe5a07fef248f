//! Targets that iptables has and that are not translated, each with its reason.

use crate::xtables::Error;

/// The targets of iptables 1.8 without a translation.
const REFUSED: &[(&str, &str)] =
    &[("CHECKSUM", "nf_tables has nothing that computes checksums anew")];

/// The error for a target that has no translation; `None` for what can be a chain's name.
pub(super) fn refusal(name: &str) -> Option<Error> {
    let (name, reason) = REFUSED.iter().find(|(known, _)| *known == name)?;
    Some(Error::NoNativeTarget { name: (*name).to_owned(), reason })
}

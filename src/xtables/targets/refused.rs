//! Targets that iptables has and that are not translated, each with its reason.

use crate::xtables::Error;

const ADDRESSES_WITHOUT_STATE: &str =
    "it rewrites addresses without tracking, and nf_tables has nothing that adapts their checksum";
const IPSET: &str = "rules cannot reach the sets of ipset(8), only sets of their own table";
const LABELS: &str = "the label is an object that the table would have to hold under a name";

/// The targets of iptables 1.8 without a translation.
const REFUSED: &[(&str, &str)] = &[
    ("CHECKSUM", "nf_tables has nothing that computes checksums anew"),
    ("CLUSTERIP", "it was removed from the kernel; a cluster's nodes need an address manager"),
    ("CONNSECMARK", LABELS),
    ("DNPT", ADDRESSES_WITHOUT_STATE),
    (
        "ECN",
        "it clears two of the flags of TCP, and nft cannot read back a rule that writes some of \
         them only",
    ),
    ("HMARK", "it hashes with a function of its own, and other numbers would come out"),
    ("IDLETIMER", "nf_tables has no timers that tell user space of idle interfaces"),
    ("LED", "nf_tables does not drive lights"),
    ("MIRROR", "it was removed from the kernel"),
    ("RATEEST", "nf_tables has no estimators"),
    ("SAME", "it was removed from the kernel"),
    ("SECMARK", LABELS),
    ("SET", IPSET),
    ("SNPT", ADDRESSES_WITHOUT_STATE),
    ("ULOG", "it was removed from the kernel: use NFLOG"),
];

/// The error for a target that has no translation; `None` for what can be a chain's name.
pub(super) fn refusal(name: &str) -> Option<Error> {
    let (name, reason) = REFUSED.iter().find(|(known, _)| *known == name)?;
    Some(Error::NoNativeTarget { name: (*name).to_owned(), reason })
}

/// All of them with their reasons.
pub(super) fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    REFUSED.iter().copied()
}

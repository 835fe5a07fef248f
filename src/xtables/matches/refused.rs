//! Matches that iptables has and conditions do not, each with its reason.

use crate::xtables::Error;

/// Why a match is refused.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    /// nf_tables has nothing for it.
    NoForm(&'static str),
    /// nf_tables has something, but it is not translated here.
    Unsupported(&'static str),
}
use Refusal::{NoForm, Unsupported};

/// The matches of iptables 1.8 (`libxt_*`, `libipt_*`, `libip6t_*`) without a translation.
const REFUSED: &[(&str, Refusal)] = &[
    ("cluster", NoForm("it hashes with a seed of its own")),
    ("eui64", NoForm("a rule cannot compare an address with a hardware address")),
    ("ipvs", NoForm("nf_tables does not see the state of IPVS")),
    ("nfacct", Unsupported("counters by name are objects of a table")),
    ("physdev", NoForm("ports of a bridge are matched in tables of the bridge family")),
    ("rateest", NoForm("nf_tables has no estimators")),
    ("set", NoForm("rules cannot reach the sets of ipset(8), only sets of their own table")),
    ("srh", Unsupported("what is inside of extension headers of IPv6 is not translated")),
    ("standard", NoForm("it is no match")),
    ("string", NoForm("rules compare bytes at fixed places, they do not search")),
    ("unclean", NoForm("it was removed from the kernel")),
];

/// The error for a match that has no translation.
pub(super) fn refusal(name: &str) -> Error {
    let found = REFUSED.iter().find(|(known, _)| *known == name);
    let name = name.to_owned();
    match found {
        Some((_, NoForm(reason))) => Error::NoNativeForm { name, reason },
        Some((_, Unsupported(reason))) => Error::UnsupportedMatch { name, reason },
        None => Error::UnknownMatch { name },
    }
}

/// All of them with their reasons.
pub(super) fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    REFUSED.iter().map(|(name, refusal)| match refusal {
        NoForm(reason) | Unsupported(reason) => (*name, *reason),
    })
}

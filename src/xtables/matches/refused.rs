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

const EXTHDR: &str = "IPv6 extension headers are not translated";
const OWN_SET: &str = "it keeps a table of its own, which a set of the caller would have to be";

/// The matches of iptables 1.8 (`libxt_*`, `libipt_*`, `libip6t_*`) without a translation.
const REFUSED: &[(&str, Refusal)] = &[
    ("ah", Unsupported("IPsec headers are not translated")),
    ("bpf", NoForm("the kernel runs no BPF program inside a rule")),
    ("cgroup", Unsupported("control groups are not translated")),
    ("cluster", NoForm("it hashes with a seed of its own")),
    ("connbytes", Unsupported("counts of a flow are not translated")),
    ("connlabel", Unsupported("labels are names of a file, which is not read")),
    ("connlimit", Unsupported(OWN_SET)),
    ("cpu", Unsupported("processors are not translated")),
    ("devgroup", Unsupported("groups are names of a file, which is not read")),
    ("dst", Unsupported(EXTHDR)),
    ("ecn", Unsupported("congestion bits are not translated")),
    ("esp", Unsupported("IPsec headers are not translated")),
    ("eui64", NoForm("a rule cannot compare an address with a hardware address")),
    ("frag", Unsupported(EXTHDR)),
    ("hashlimit", Unsupported(OWN_SET)),
    ("hbh", Unsupported(EXTHDR)),
    ("helper", Unsupported("helpers of connection tracking are not translated")),
    ("ipcomp", Unsupported("IPsec headers are not translated")),
    ("ipv6header", Unsupported(EXTHDR)),
    ("ipvs", NoForm("nf_tables does not see the state of IPVS")),
    ("mh", Unsupported(EXTHDR)),
    ("nfacct", Unsupported("counters by name are objects of a table")),
    ("osf", Unsupported("fingerprints of systems are not translated")),
    ("physdev", NoForm("ports of a bridge are matched in tables of the bridge family")),
    ("policy", Unsupported("IPsec policies are not translated")),
    ("quota", Unsupported("it counts down in the rule, which every change would begin anew")),
    ("rateest", NoForm("nf_tables has no estimators")),
    ("realm", Unsupported("realms are names of a file, which is not read")),
    ("recent", NoForm("its lists live under /proc/net/xt_recent")),
    ("rt", Unsupported(EXTHDR)),
    ("set", NoForm("rules cannot reach the sets of ipset(8), only sets of their own table")),
    ("socket", Unsupported("sockets are not translated")),
    ("srh", Unsupported(EXTHDR)),
    ("standard", NoForm("it is no match")),
    ("string", NoForm("rules compare bytes at fixed places, they do not search")),
    ("tcpmss", Unsupported("TCP options are not translated")),
    ("time", Unsupported("times are not translated")),
    ("tos", Unsupported("use -m dscp: the rest of the byte is not translated")),
    ("u32", NoForm("it follows pointers inside the packet")),
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

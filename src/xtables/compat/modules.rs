//! The modules of xtables that are known, with the revisions that kernels 5.10 to 6.18 register.

use super::error::{Flaw, Kind};
use super::info::Info;
use super::option::Words;
use super::{address, bpf, conntrack, mark, nat, policy, ports, reply, sctp, u32};

/// Reads a structure.
pub(super) type Decoder = fn(&mut Info<'_>) -> Result<Words, Flaw>;

/// What is known of a module in a revision.
#[derive(Debug)]
pub(super) enum Found {
    /// How to read it.
    Decoder(Decoder),
    /// Why it cannot be read.
    Unnameable(&'static str),
    /// The module, but not this revision.
    OtherRevision,
    /// No such module.
    Nothing,
}

type Known = (&'static str, &'static [u32], Decoder);

/// Finds a module.
pub(super) fn find(kind: Kind, name: &str, revision: u32) -> Found {
    let tables = match kind {
        Kind::Match => MATCHES,
        Kind::Target => TARGETS,
    };
    if let Some((_, _, reason)) = UNNAMEABLE.iter().find(|(of, at, _)| (*of, *at) == (kind, name)) {
        return Found::Unnameable(reason);
    }
    let mut known = tables.iter().filter(|(at, _, _)| *at == name).peekable();
    if known.peek().is_none() {
        return Found::Nothing;
    }
    match known.find(|(_, revisions, _)| revisions.contains(&revision)) {
        Some((_, _, decode)) => Found::Decoder(*decode),
        None => Found::OtherRevision,
    }
}

const SET: &str = "it holds the kernel's number of an ipset, not its name";

const UNNAMEABLE: &[(Kind, &str, &str)] = &[(Kind::Match, "set", SET), (Kind::Target, "SET", SET)];

const MATCHES: &[Known] = &[
    ("addrtype", &[0, 1], address::addrtype),
    ("bpf", &[0, 1], bpf::bpf),
    ("comment", &[0], mark::comment),
    ("connmark", &[1], mark::mark_match),
    ("conntrack", &[1, 2, 3], conntrack::conntrack),
    ("dccp", &[0], ports::dccp),
    ("icmp", &[0], ports::icmp),
    ("icmp6", &[0], ports::icmp6),
    ("mark", &[1], mark::mark_match),
    ("multiport", &[0], ports::multiport),
    ("multiport", &[1], ports::multiport),
    ("policy", &[0], policy::policy),
    ("sctp", &[0], sctp::sctp),
    ("state", &[0], conntrack::state),
    ("tcp", &[0], ports::tcp),
    ("u32", &[0], u32::u32),
    ("udp", &[0], ports::udp),
    ("udplite", &[0], ports::udp),
];

const TARGETS: &[Known] = &[
    ("CHECKSUM", &[0], reply::checksum),
    ("CONNMARK", &[1, 2], mark::connmark),
    ("DNAT", &[0, 1, 2], nat::dnat),
    ("LOG", &[0], reply::log),
    ("MARK", &[2], mark::set_mark),
    ("MASQUERADE", &[0], nat::to_ports),
    ("NETMAP", &[0], nat::netmap),
    ("REDIRECT", &[0], nat::to_ports),
    ("REJECT", &[0], reply::reject),
    ("SNAT", &[0, 1], nat::snat),
];

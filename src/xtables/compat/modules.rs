//! The modules of xtables that are known, with the revisions that kernels 5.10 to 6.18 register.

use super::error::{Flaw, Kind};
use super::info::Info;
use super::option::Words;
use super::{
    address, alter, attach, bpf, conntrack, content, device, hashlimit, header, ipv6, mark, nat,
    policy, ports, queue, rate, rateest, reply, sctp, socket, srh, u32,
};

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

/// Name, revisions, and how to read them.
pub(super) type Known = (&'static str, &'static [u32], Decoder);

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

/// Matches.
pub(super) const MATCHES: &[Known] = &[
    ("addrtype", &[0, 1], address::addrtype),
    ("ah", &[0], header::ah),
    ("bpf", &[0, 1], bpf::bpf),
    ("cgroup", &[0, 1, 2], socket::cgroup),
    ("cluster", &[0], device::cluster),
    ("comment", &[0], mark::comment),
    ("connbytes", &[0], rate::connbytes),
    ("connlabel", &[0], socket::connlabel),
    ("connlimit", &[1], rate::connlimit),
    ("connmark", &[1], mark::mark_match),
    ("conntrack", &[1, 2, 3], conntrack::conntrack),
    ("cpu", &[0], socket::cpu),
    ("dccp", &[0], ports::dccp),
    ("devgroup", &[0], device::devgroup),
    ("dscp", &[0], header::dscp),
    ("dst", &[0], ipv6::dst),
    ("ecn", &[0], header::ecn),
    ("esp", &[0], header::esp),
    ("eui64", &[0], ipv6::eui64),
    ("frag", &[0], ipv6::frag),
    ("hashlimit", &[1, 2, 3], hashlimit::hashlimit),
    ("hbh", &[0], ipv6::hbh),
    ("helper", &[0], socket::helper),
    ("hl", &[0], header::hl),
    ("icmp", &[0], ports::icmp),
    ("icmp6", &[0], ports::icmp6),
    ("ipcomp", &[0], header::ipcomp),
    ("iprange", &[1], address::iprange),
    ("ipv6header", &[0], ipv6::ipv6header),
    ("length", &[0], header::length),
    ("limit", &[0], rate::limit),
    ("mac", &[0], address::mac),
    ("mark", &[1], mark::mark_match),
    ("mh", &[0], ipv6::mh),
    ("multiport", &[0, 1], ports::multiport),
    ("nfacct", &[0, 1], rate::nfacct),
    ("osf", &[0], socket::osf),
    ("owner", &[1], socket::owner),
    ("physdev", &[0], device::physdev),
    ("pkttype", &[0], address::pkttype),
    ("policy", &[0], policy::policy),
    ("quota", &[0], rate::quota),
    ("rateest", &[0], rateest::rateest),
    ("realm", &[0], device::realm),
    ("recent", &[0, 1], content::recent),
    ("rpfilter", &[0], device::rpfilter),
    ("rt", &[0], ipv6::rt),
    ("sctp", &[0], sctp::sctp),
    ("socket", &[0, 1, 2, 3], socket::socket),
    ("srh", &[0, 1], srh::srh),
    ("state", &[0], conntrack::state),
    ("statistic", &[0], rate::statistic),
    ("string", &[0, 1], content::string),
    ("tcp", &[0], ports::tcp),
    ("tcpmss", &[0], header::tcpmss),
    ("time", &[0], content::time),
    ("tos", &[1], header::tos),
    ("ttl", &[0], header::ttl),
    ("u32", &[0], u32::u32),
    ("udp", &[0], ports::udp),
    ("udplite", &[0], ports::udp),
];

/// Targets.
pub(super) const TARGETS: &[Known] = &[
    ("AUDIT", &[0], queue::audit),
    ("CHECKSUM", &[0], reply::checksum),
    ("CLASSIFY", &[0], queue::classify),
    ("CONNMARK", &[1, 2], mark::connmark),
    ("CONNSECMARK", &[0], attach::connsecmark),
    ("CT", &[0, 1, 2], attach::ct),
    ("DNAT", &[0, 1, 2], nat::dnat),
    ("DNPT", &[0], alter::npt),
    ("DSCP", &[0], alter::dscp),
    ("ECN", &[0], alter::ecn),
    ("HL", &[0], alter::hl),
    ("HMARK", &[0], attach::hmark),
    ("IDLETIMER", &[0, 1], attach::idletimer),
    ("LED", &[0], attach::led),
    ("LOG", &[0], reply::log),
    ("MARK", &[2], mark::set_mark),
    ("MASQUERADE", &[0], nat::to_ports),
    ("NETMAP", &[0], nat::netmap),
    ("NFLOG", &[0], queue::nflog),
    ("NFQUEUE", &[0, 1, 2, 3], queue::nfqueue),
    ("NOTRACK", &[0], queue::plain),
    ("RATEEST", &[0], rateest::estimator),
    ("REDIRECT", &[0], nat::to_ports),
    ("REJECT", &[0], reply::reject),
    ("SECMARK", &[0, 1], attach::secmark),
    ("SNAT", &[0, 1], nat::snat),
    ("SNPT", &[0], alter::npt),
    ("SYNPROXY", &[0], queue::synproxy),
    ("TCPMSS", &[0], alter::tcpmss),
    ("TCPOPTSTRIP", &[0], alter::tcpoptstrip),
    ("TEE", &[1], queue::tee),
    ("TOS", &[1], alter::tos),
    ("TPROXY", &[0, 1], queue::tproxy),
    ("TRACE", &[0], queue::plain),
    ("TTL", &[0], alter::ttl),
];

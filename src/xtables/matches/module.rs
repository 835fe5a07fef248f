//! What a match is: its options, and how it becomes expressions.

use super::{
    addrtype, comment, conntrack, conntrack_state, dscp, icmp, iprange, length, limit, mac, mark,
    multiport, owner, pkttype, refused, rpfilter, statistic, tcp, transport, ttl,
};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::xtables::Error;
use crate::xtables::words::{Given, OptionSpec};

/// The protocols that have ports.
pub(in crate::xtables) const WITH_PORTS: &[u8] = &[6, 17, 33, 132, 136];
/// What to write in front of ports.
pub(in crate::xtables) const NEEDS_PORTS: &str =
    "\"-p\" with tcp, udp, udplite, sctp or dccp in the rule";

/// A match of iptables.
#[derive(Debug)]
pub(in crate::xtables) struct Module {
    /// Its name, as in `-m NAME`.
    pub(in crate::xtables) name: &'static str,
    /// The family that it is for; both if none.
    pub(super) version: Option<IpVersion>,
    /// The protocols whose header it reads; none if it reads no transport header.
    pub(in crate::xtables) protocols: &'static [u8],
    /// What to write in front, where it reads one.
    pub(in crate::xtables) needs: &'static str,
    /// Its options.
    pub(in crate::xtables) options: &'static [OptionSpec],
    /// Makes its expressions.
    pub(in crate::xtables) build: fn(&Match<'_>) -> Result<Vec<Expr>, Error>,
}

impl Module {
    /// A match of both families that reads no transport header.
    pub(super) const fn new(
        name: &'static str,
        options: &'static [OptionSpec],
        build: fn(&Match<'_>) -> Result<Vec<Expr>, Error>,
    ) -> Self {
        Module { name, version: None, protocols: &[], needs: "", options, build }
    }

    /// The same for one family.
    pub(super) const fn only(mut self, version: IpVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// The same where the protocol must be one of these.
    pub(super) const fn after(mut self, protocols: &'static [u8], needs: &'static str) -> Self {
        self.protocols = protocols;
        self.needs = needs;
        self
    }
}

/// What the rule around a match says.
#[derive(Debug, Clone, Copy)]
pub(in crate::xtables) struct Context {
    /// The family.
    pub(in crate::xtables) version: IpVersion,
}

/// A match with the options that it was given.
#[derive(Debug)]
pub(in crate::xtables) struct Match<'a> {
    /// Its name as given.
    pub(in crate::xtables) name: &'a str,
    /// The rest of the rule.
    pub(in crate::xtables) context: Context,
    /// Its options in order, each once.
    pub(in crate::xtables) given: Vec<Given<'a>>,
}

impl<'a> Match<'a> {
    /// An option by its first name.
    pub(super) fn find(&self, name: &str) -> Option<&Given<'a>> {
        self.given.iter().find(|given| given.spec.name() == name)
    }

    /// An option that must be there.
    pub(super) fn need(&self, name: &str, needs: &'static str) -> Result<&Given<'a>, Error> {
        self.find(name).ok_or_else(|| self.incomplete(needs))
    }

    /// The error for an option that must be there.
    pub(super) fn incomplete(&self, needs: &'static str) -> Error {
        Error::NeedsOption { name: self.name.to_owned(), needs }
    }

    /// The only option; more exclude each other.
    pub(super) fn only(&self, needs: &'static str) -> Result<&Given<'a>, Error> {
        match self.given.as_slice() {
            [] => Err(self.incomplete(needs)),
            [only] => Ok(only),
            [first, second, ..] => Err(conflict(second, first)),
        }
    }
}

/// The error for two options that exclude each other.
pub(super) fn conflict(second: &Given<'_>, first: &Given<'_>) -> Error {
    Error::Conflict { word: second.word.to_owned(), other: first.word.to_owned() }
}

static MODULES: [&Module; 25] = [
    &tcp::TCP,
    &transport::UDP,
    &transport::SCTP,
    &transport::DCCP,
    &transport::UDPLITE,
    &multiport::MULTIPORT,
    &icmp::ICMP,
    &icmp::ICMP6,
    &addrtype::ADDRTYPE,
    &conntrack::CONNTRACK,
    &conntrack_state::STATE,
    &mark::MARK,
    &mark::CONNMARK,
    &comment::COMMENT,
    &limit::LIMIT,
    &mac::MAC,
    &iprange::IPRANGE,
    &length::LENGTH,
    &ttl::TTL,
    &ttl::HL,
    &dscp::DSCP,
    &owner::OWNER,
    &pkttype::PKTTYPE,
    &rpfilter::RPFILTER,
    &statistic::STATISTIC,
];

/// The match of a name, if the family has it.
pub(in crate::xtables) fn find(name: &str, version: IpVersion) -> Result<&'static Module, Error> {
    let canonical = match name {
        "icmpv6" | "ipv6-icmp" => "icmp6",
        other => other,
    };
    match MODULES.iter().find(|module| module.name == canonical) {
        Some(module) if module.version.is_none_or(|only| only == version) => Ok(module),
        Some(_) => Err(Error::OtherFamilyMatch { name: name.to_owned(), version }),
        None => Err(refused::refusal(name)),
    }
}

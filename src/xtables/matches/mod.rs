//! Matches by name (`-m NAME`), one file for each; those that are refused are in `refused`.

mod addrtype;
mod comment;
mod connbytes;
mod connlimit;
mod conntrack;
mod conntrack_read;
mod conntrack_state;
mod date;
mod dccp;
mod dscp;
mod ecn;
mod exthdr;
mod flow;
mod hashlimit;
mod host;
mod icmp;
mod iprange;
mod ipsec;
mod length;
mod limit;
mod mac;
mod mark;
mod mobility;
mod multiport;
mod owner;
mod pkttype;
mod refused;
mod rpfilter;
mod socket;
mod span;
mod statistic;
mod tcp;
mod tcpmss;
mod time;
mod transport;
mod ttl;
mod vxlan;

use super::Error;
use super::module::Module;
use crate::net::IpVersion;

static MODULES: [&Module; 53] = [
    &tcp::TCP,
    &transport::UDP,
    &transport::SCTP,
    &dccp::DCCP,
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
    &connbytes::CONNBYTES,
    &connlimit::CONNLIMIT,
    &flow::CONNLABEL,
    &host::CPU,
    &host::CGROUP,
    &host::DEVGROUP,
    &exthdr::DST,
    &ecn::ECN,
    &ipsec::AH,
    &ipsec::ESP,
    &ipsec::IPCOMP,
    &exthdr::FRAG,
    &hashlimit::HASHLIMIT,
    &exthdr::HBH,
    &flow::HELPER,
    &mobility::IPV6HEADER,
    &mobility::MH,
    &socket::OSF,
    &ipsec::POLICY,
    &host::QUOTA,
    &host::REALM,
    &exthdr::RT,
    &socket::SOCKET,
    &tcpmss::TCPMSS,
    &ecn::TOS,
    &vxlan::U32,
    &vxlan::BPF,
    &time::TIME,
];

/// The match of a name, if the family has it.
pub(super) fn find(name: &str, version: IpVersion) -> Result<&'static Module, Error> {
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

/// All matches of a family, as a rule of others is compared with them.
pub(super) fn all(version: IpVersion) -> impl Iterator<Item = &'static Module> + Clone {
    let of_family =
        move |module: &&Module| module.version.is_none_or(|only| only == version) && module.id > 0;
    MODULES.iter().copied().filter(of_family)
}

#[cfg(test)]
mod tests;

/// All matches of both families.
pub(super) fn every() -> impl Iterator<Item = &'static Module> {
    MODULES.iter().copied()
}

/// The names of those that are refused, and why.
pub(super) fn refusals() -> impl Iterator<Item = (&'static str, &'static str)> {
    refused::reasons()
}

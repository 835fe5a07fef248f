//! The table of matches, and how one is found in it.

use super::{
    addrtype, comment, connbytes, connlimit, conntrack, conntrack_state, dccp, dscp, ecn, exthdr,
    flow, hashlimit, host, icmp, iprange, ipsec, length, limit, mac, mark, mobility, multiport,
    owner, pkttype, recent, refused, rpfilter, sctp, socket, statistic, tcp, tcpmss, time,
    transport, ttl, vxlan,
};
use crate::net::IpVersion;
use crate::xtables::Error;
use crate::xtables::module::Module;

static MODULES: [&Module; 54] = [
    &tcp::TCP,
    &transport::UDP,
    &sctp::SCTP,
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
    &recent::RECENT,
    &exthdr::RT,
    &socket::SOCKET,
    &tcpmss::TCPMSS,
    &ecn::TOS,
    &vxlan::U32,
    &vxlan::BPF,
    &time::TIME,
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

/// All matches of a family, as a rule of others is compared with them.
pub(in crate::xtables) fn all(version: IpVersion) -> impl Iterator<Item = &'static Module> + Clone {
    let of_family =
        move |module: &&Module| module.version.is_none_or(|only| only == version) && module.id > 0;
    MODULES.iter().copied().filter(of_family)
}

/// All matches of both families.
pub(in crate::xtables) fn every() -> impl Iterator<Item = &'static Module> {
    MODULES.iter().copied()
}

/// The names of those that are refused, and why.
pub(in crate::xtables) fn refusals() -> impl Iterator<Item = (&'static str, &'static str)> {
    refused::reasons()
}

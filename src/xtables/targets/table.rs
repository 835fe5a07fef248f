//! The table of targets, and how one is found in it.

use super::{
    classify, connmark, dnat, dscp, log, mark, masquerade, netmap, nflog, nfqueue, notrack,
    redirect, refused, reject, synproxy, tcp, tee, tproxy, trace, ttl,
};
use crate::net::IpVersion;
use crate::xtables::Error;
use crate::xtables::module::Module;

static MODULES: [&Module; 25] = [
    &dnat::DNAT,
    &dnat::SNAT,
    &mark::MARK,
    &masquerade::MASQUERADE,
    &classify::CLASSIFY,
    &connmark::CONNMARK,
    &dscp::DSCP,
    &dscp::TOS,
    &log::AUDIT,
    &log::LOG,
    &nflog::NFLOG,
    &netmap::NETMAP,
    &nfqueue::NFQUEUE,
    &synproxy::SYNPROXY,
    &tcp::TCPMSS,
    &tcp::TCPOPTSTRIP,
    &tee::TEE,
    &notrack::NOTRACK,
    &notrack::CT,
    &redirect::REDIRECT,
    &reject::REJECT,
    &tproxy::TPROXY,
    &trace::TRACE,
    &ttl::TTL,
    &ttl::HL,
];

/// The target of a name; `None` where it can only be a chain of the user's.
pub(in crate::xtables) fn find(
    name: &str,
    version: IpVersion,
) -> Result<Option<&'static Module>, Error> {
    match MODULES.iter().find(|module| module.name == name) {
        Some(module) if module.version.is_none_or(|only| only == version) => Ok(Some(module)),
        Some(_) => Err(Error::OtherFamilyMatch { name: name.to_owned(), version }),
        None => refused::refusal(name).map_or(Ok(None), Err),
    }
}

/// All targets of a family, as a rule of others is compared with them.
pub(in crate::xtables) fn all(version: IpVersion) -> impl Iterator<Item = &'static Module> + Clone {
    let of_family = move |module: &&Module| module.version.is_none_or(|only| only == version);
    MODULES.iter().copied().filter(of_family)
}

/// All targets of both families.
pub(in crate::xtables) fn every() -> impl Iterator<Item = &'static Module> {
    MODULES.iter().copied()
}

/// The names of those that are refused, and why.
pub(in crate::xtables) fn refusals() -> impl Iterator<Item = (&'static str, &'static str)> {
    refused::reasons()
}

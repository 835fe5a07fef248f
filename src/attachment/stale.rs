//! Stale flows: UDP flows whose translation is that of before.
//!
//! The kernel translates the first packet of a flow and remembers. A client that keeps sending to
//! a port from before it was published, or after its container is gone, is answered by nobody
//! until the flow is forgotten. TCP notices by itself. That forgetting fails is no reason to
//! refuse a container its network: it is logged.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::host::Host;
use crate::conntrack::{Conntrack, Flow, FlowFilter};
use crate::firewall::Publish;
use crate::net::{IpVersion, L4Proto};
use crate::netlink::Error;

/// Forgets flows to ports that are published now and that lead elsewhere.
pub(super) fn forget_before(host: &mut Host, publishes: &[Publish]) {
    let udp = udp_of(publishes);
    for version in IpVersion::BOTH {
        let of_version: Vec<Publish> =
            udp.iter().filter(|publish| publish.version() == version).copied().collect();
        let is_stale = |flow: &Flow| {
            of_version
                .iter()
                .any(|publish| is_to(flow, publish) && !leads_to_container(flow, publish))
        };
        if of_version.is_empty() {
            continue;
        }
        forget(
            host,
            |flows| {
                let all = FlowFilter::of(version, L4Proto::Udp);
                if one_pass_is_cheaper(of_version.len(), flows) {
                    return vec![all];
                }
                let one = |publish: &Publish| FlowFilter {
                    original_port: Some(publish.host_port.number()),
                    original_destination: publish.host_address,
                    ..all.clone()
                };
                of_version.iter().map(one).collect()
            },
            is_stale,
        );
    }
}

/// Whether all flows of a version are better listed once than those of each port by itself.
///
/// A pass over the kernel's table costs about 5 ms for its 262,144 buckets, 0.1 µs for each flow
/// that the kernel compares, and 0.9 µs for each that it hands out (Linux 6.18, 2 vCPU).
fn one_pass_is_cheaper(ports: usize, flows: u32) -> bool {
    const BUCKETS: u64 = 5_000_000;
    const COMPARED: u64 = 100;
    const LISTED: u64 = 900;
    let (ports, flows) = (ports as u64, u64::from(flows));
    BUCKETS + flows * LISTED < ports * (BUCKETS + flows * COMPARED)
}

/// Forgets flows through ports that are published no more.
pub(super) fn forget_after(host: &mut Host, publishes: &[Publish]) {
    let udp = udp_of(publishes);
    let containers: BTreeSet<IpAddr> = udp.iter().map(|publish| publish.container).collect();
    for container in containers {
        let mut filter = FlowFilter::of(IpVersion::of(container), L4Proto::Udp);
        filter.reply_source = Some(container);
        forget(
            host,
            |_| vec![filter.clone()],
            |flow| {
                udp.iter().any(|publish| is_to(flow, publish) && leads_to_container(flow, publish))
            },
        );
    }
}

fn udp_of(publishes: &[Publish]) -> Vec<Publish> {
    publishes.iter().filter(|publish| publish.proto == L4Proto::Udp).copied().collect()
}

/// Whether a flow was sent to a published port at first.
fn is_to(flow: &Flow, publish: &Publish) -> bool {
    flow.original.destination_port == publish.host_port.number()
        && publish.host_address.is_none_or(|address| address == flow.original.destination)
}

/// Whether a flow is answered by the port of the container that a published port leads to.
fn leads_to_container(flow: &Flow, publish: &Publish) -> bool {
    flow.reply.source == publish.container
        && flow.reply.source_port == publish.container_port.number()
}

/// Lists flows by the filters that are best for so many flows, and forgets those that are stale.
fn forget(
    host: &mut Host,
    filters: impl Fn(u32) -> Vec<FlowFilter>,
    is_stale: impl Fn(&Flow) -> bool,
) {
    match try_forget(host, filters, is_stale) {
        Ok(0) => {}
        Ok(count) => tracing::debug!(count, "forgot stale flows"),
        Err(error) => tracing::warn!(%error, "cannot forget stale UDP flows"),
    }
}

fn try_forget(
    host: &mut Host,
    filters: impl Fn(u32) -> Vec<FlowFilter>,
    is_stale: impl Fn(&Flow) -> bool,
) -> Result<usize, Error> {
    let conntrack = match &mut host.conntrack {
        Some(conntrack) => conntrack,
        none => none.insert(Conntrack::open()?),
    };
    let tracked = conntrack.count()?;
    if tracked == 0 {
        return Ok(0);
    }
    let mut stale = Vec::new();
    for filter in filters(tracked) {
        stale.extend(conntrack.list(&filter, &is_stale)?);
    }
    conntrack.delete(&stale)?;
    Ok(stale.len())
}

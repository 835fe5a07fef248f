//! Stale flows: UDP flows whose translation is that of before.
//!
//! The kernel translates the first packet of a flow and remembers. A client that keeps sending to
//! a port from before it was published, or after its container is gone, is answered by nobody
//! until the flow is forgotten. TCP notices by itself. That forgetting fails is no reason to
//! refuse a container its network: it is logged.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::host::Host;
use super::publish::has_version;
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
        // One pass over the table however many ports: with one port the kernel compares it too.
        let mut filter = FlowFilter::of(version, L4Proto::Udp);
        match of_version.as_slice() {
            [] => continue,
            [one] => {
                filter.original_port = Some(one.host_port.number());
                filter.original_destination = one.host_address;
            }
            [_, _, ..] => {}
        }
        forget(host, &filter, |flow| {
            of_version.iter().any(|publish| {
                is_to(flow, publish) && flow.reply.source != publish.container
            })
        });
    }
}

/// Forgets flows through ports that are published no more.
pub(super) fn forget_after(host: &mut Host, publishes: &[Publish]) {
    let udp = udp_of(publishes);
    let containers: BTreeSet<IpAddr> = udp.iter().map(|publish| publish.container).collect();
    for container in containers {
        let mut filter = FlowFilter::of(IpVersion::of(container), L4Proto::Udp);
        filter.reply_source = Some(container);
        forget(host, &filter, |flow| {
            udp.iter().any(|publish| publish.container == container && is_to(flow, publish))
        });
    }
}

fn udp_of(publishes: &[Publish]) -> Vec<Publish> {
    let udp: Vec<Publish> =
        publishes.iter().filter(|publish| publish.proto == L4Proto::Udp).copied().collect();
    debug_assert!(udp.is_empty() || IpVersion::BOTH.iter().any(|v| has_version(&udp, *v)));
    udp
}

/// Whether a flow was sent to a published port at first.
fn is_to(flow: &Flow, publish: &Publish) -> bool {
    flow.original.destination_port == publish.host_port.number()
        && publish.host_address.is_none_or(|address| address == flow.original.destination)
}

fn forget(host: &mut Host, filter: &FlowFilter, is_stale: impl Fn(&Flow) -> bool) {
    match try_forget(host, filter, is_stale) {
        Ok(0) => {}
        Ok(count) => tracing::debug!(count, "forgot stale flows"),
        Err(error) => tracing::warn!(%error, "cannot forget stale UDP flows"),
    }
}

fn try_forget(
    host: &mut Host,
    filter: &FlowFilter,
    is_stale: impl Fn(&Flow) -> bool,
) -> Result<usize, Error> {
    let conntrack = match &mut host.conntrack {
        Some(conntrack) => conntrack,
        none => none.insert(Conntrack::open()?),
    };
    if conntrack.count()? == 0 {
        return Ok(0);
    }
    let mut flows = conntrack.list(filter)?;
    flows.retain(is_stale);
    conntrack.delete(&flows)?;
    Ok(flows.len())
}

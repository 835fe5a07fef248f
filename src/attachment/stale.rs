//! Stale flows: what conntrack still sends the old way after a change.
//!
//! Only UDP needs it: a TCP client opens a new connection, a UDP client may keep its flow alive for
//! ever and never meet the new rules.
//!
//! Listing flows costs the kernel a pass over its whole table. Beside tens of thousands of flows
//! that is more than a container's start should wait for: what is expected to take longer than
//! [`PATIENCE`] is left to the child that closes the sockets, and done a moment after the caller
//! has its answer. Until then, as between the commit and any flush, an old flow goes the old way.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use super::host::Host;
use crate::conntrack::{Conntrack, Flow, FlowFilter};
use crate::firewall::Publish;
use crate::link::Links;
use crate::net::{IpVersion, L4Proto};
use crate::netlink::Error;

/// How long a caller waits for flows to be forgotten, as far as that can be foreseen.
const PATIENCE: Duration = Duration::from_millis(12);

/// Flows to forget, of one IP version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stale {
    /// Those to ports that are published now and that lead elsewhere.
    Elsewhere(IpVersion, Vec<Publish>),
    /// Those to a container through ports that are published no more.
    Unpublished(IpAddr, Vec<Publish>),
}

impl Stale {
    /// What makes flows stale when these ports come into force.
    fn after_publishing(publishes: &[Publish]) -> Vec<Stale> {
        let udp = udp_of(publishes);
        let of = |version| udp.iter().filter(|p| p.version() == version).copied().collect();
        let each = IpVersion::BOTH.map(|version| Stale::Elsewhere(version, of(version)));
        each.into_iter().filter(|stale| !stale.publishes().is_empty()).collect()
    }

    /// What makes flows stale when these ports are gone.
    fn after_unpublishing(publishes: &[Publish]) -> Vec<Stale> {
        let udp = udp_of(publishes);
        let containers: BTreeSet<IpAddr> = udp.iter().map(|publish| publish.container).collect();
        let of = |at| udp.iter().filter(|publish| publish.container == at).copied().collect();
        containers.into_iter().map(|at| Stale::Unpublished(at, of(at))).collect()
    }

    fn publishes(&self) -> &[Publish] {
        match self {
            Stale::Elsewhere(_, publishes) | Stale::Unpublished(_, publishes) => publishes,
        }
    }

    fn includes(&self, flow: &Flow) -> bool {
        let leads_to = |publish: &Publish| match self {
            Stale::Elsewhere(..) => !leads_to_container(flow, publish),
            Stale::Unpublished(..) => leads_to_container(flow, publish),
        };
        self.publishes().iter().any(|publish| is_to(flow, publish) && leads_to(publish))
    }

    /// What to have listed, for the fewest passes or the fewest flows, and about how long the
    /// kernel takes for it beside so many flows.
    fn search(&self, flows: u32) -> (Vec<FlowFilter>, Duration) {
        match self {
            Stale::Elsewhere(version, publishes) => {
                let all = FlowFilter::of(*version, L4Proto::Udp);
                let each = publishes.iter().map(|publish| FlowFilter {
                    original_port: Some(publish.host_port.number()),
                    original_destination: publish.host_address,
                    ..all.clone()
                });
                let (once, one_by_one) = (listing(flows), filtered(flows) * ports(publishes));
                if once < one_by_one {
                    (vec![all.clone()], once)
                } else {
                    (each.collect(), one_by_one)
                }
            }
            Stale::Unpublished(container, _) => {
                let mut filter = FlowFilter::of(IpVersion::of(*container), L4Proto::Udp);
                filter.reply_source = Some(*container);
                (vec![filter], filtered(flows))
            }
        }
    }
}

fn ports(publishes: &[Publish]) -> u32 {
    u32::try_from(publishes.len()).unwrap_or(u32::MAX)
}

/// What a pass over the kernel's table costs for its 262,144 buckets (Linux 6.18, 2 vCPU).
const BUCKETS: Duration = Duration::from_millis(5);

/// A pass in which the kernel compares all flows and hands out few.
fn filtered(flows: u32) -> Duration {
    BUCKETS + Duration::from_nanos(200) * flows
}

/// A pass that may hand out all flows.
fn listing(flows: u32) -> Duration {
    BUCKETS + Duration::from_nanos(900) * flows
}

/// Forgets flows to ports that are published now and that lead elsewhere.
pub(super) fn forget_before(host: &mut Host, publishes: &[Publish]) {
    forget(host, Stale::after_publishing(publishes));
}

/// Forgets flows through ports that are published no more.
pub(super) fn forget_after(host: &mut Host, publishes: &[Publish]) {
    forget(host, Stale::after_unpublishing(publishes));
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

/// Forgets flows now, or leaves them to the child that outlives this process if there are so many
/// that the caller would wait.
fn forget(host: &mut Host, all: Vec<Stale>) {
    if all.is_empty() {
        return;
    }
    let tracked = match open(&mut host.conntrack).and_then(Conntrack::count) {
        Ok(tracked) => tracked,
        Err(error) => return warn(&error),
    };
    if tracked == 0 {
        return;
    }
    let expected: Duration = all.iter().map(|stale| stale.search(tracked).1).sum();
    if expected > PATIENCE {
        tracing::debug!(tracked, ?expected, "stale flows are forgotten in the background");
        host.stale.extend(all);
        return;
    }
    forget_now(&mut host.conntrack, &all);
}

/// Forgets flows, however long it takes: a bounded number of passes over the kernel's table.
pub(super) fn forget_now(conntrack: &mut Option<Conntrack>, all: &[Stale]) {
    for stale in all {
        match try_forget(conntrack, stale) {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "forgot stale flows"),
            Err(error) => warn(&error),
        }
    }
}

fn warn(error: &Error) {
    tracing::warn!(%error, "cannot forget stale UDP flows");
}

fn try_forget(conntrack: &mut Option<Conntrack>, stale: &Stale) -> Result<usize, Error> {
    let conntrack = open(conntrack)?;
    let (filters, _) = stale.search(conntrack.count()?);
    let mut found = Vec::new();
    for filter in filters {
        found.extend(conntrack.list(&filter, |flow| stale.includes(flow))?);
    }
    // A flow that goes through this host to another one's port is none of ours.
    if found.iter().any(|flow| !is_translated(flow)) {
        let local = local_addresses();
        found.retain(|flow| is_translated(flow) || is_local(flow, &local));
    }
    conntrack.delete(&found)?;
    Ok(found.len())
}

/// Whether a flow is answered by somebody else than it was sent to.
fn is_translated(flow: &Flow) -> bool {
    flow.reply.source != flow.original.destination
}

fn is_local(flow: &Flow, local: &Option<BTreeSet<IpAddr>>) -> bool {
    let to = flow.original.destination;
    // Where they are not known a flow too many is forgotten rather than one too few.
    to.is_loopback() || local.as_ref().is_none_or(|local| local.contains(&to))
}

/// The addresses of this host: what published ports are looked up for.
fn local_addresses() -> Option<BTreeSet<IpAddr>> {
    match Links::open().and_then(|links| links.all_addresses()) {
        Ok(all) => Some(all.into_iter().collect()),
        Err(error) => {
            tracing::warn!(%error, "the addresses of this host are not known");
            None
        }
    }
}

fn open(conntrack: &mut Option<Conntrack>) -> Result<&mut Conntrack, Error> {
    match conntrack {
        Some(open) => Ok(open),
        none => Ok(none.insert(Conntrack::open()?)),
    }
}

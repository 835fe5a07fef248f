//! `portmap`: publishes a container's ports on the host.
//!
//! Keys: `snat`, `masqAll`, `markMasqBit`, `externalSetMarkChain`, `conditionsV4`, `conditionsV6`,
//! `backend`, and `portMappings` of `runtimeConfig`, as the CNI plugin of that name has them
//! (<https://www.cni.dev/plugins/current/meta/portmap/>).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::call::Call;
use super::error::Error;
use super::mappings::{self, Mapping};
use super::plugin::{Plugin, firewall_status};
use super::result::CniResult;
use super::version::CniVersion;
use crate::attachment::{self, Attachment, Host, Owner};
use crate::firewall::{Conditions, Hostports, MarkTarget, Masquerader, Masquerading, Rank};
use crate::net::{IpVersion, L4Proto, Mark, Subnet};

/// The plugin.
pub const PORTMAP: Plugin = Plugin {
    name: "portmap",
    versions: &CniVersion::ALL,
    add,
    del,
    check,
    gc,
    status: firewall_status,
};

/// The configuration.
#[derive(Debug)]
struct PortmapConf {
    masquerade: bool,
    masquerade_all: bool,
    mark: MarkChoice,
    conditions: [(&'static str, IpVersion, Vec<String>); 2],
    mappings: Vec<Mapping>,
    prev_result: Option<CniResult>,
}

/// How the mark is named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum MarkChoice {
    Bit(Mark),
    ExternalChain(String),
}

impl PortmapConf {
    fn parse(call: &Call) -> Result<Self, Error> {
        let root = call.config.root()?;
        let bit = root.integer("markMasqBit")?;
        let mark = match (root.filled_text("externalSetMarkChain")?, bit) {
            (Some(_), Some(_)) => return Err(Error::TwoMarks),
            (Some(chain), None) => MarkChoice::ExternalChain(chain.to_owned()),
            (None, Some(bit)) => {
                let mark = Mark::bit(bit).map_err(|error| root.invalid("markMasqBit", error))?;
                MarkChoice::Bit(mark)
            }
            (None, None) => MarkChoice::Bit(Mark::PORTMAP_DEFAULT),
        };
        match root.filled_text("backend")? {
            None | Some("iptables" | "nftables") => {}
            Some(other) => return Err(Error::Backend { backend: other.to_owned() }),
        }
        let words = |key: &'static str, version| -> Result<_, Error> {
            Ok((key, version, root.texts(key)?.unwrap_or_default()))
        };
        let prev_result = match call.config.prev_result()? {
            Some(value) => Some(CniResult::parse(value, call.version)?),
            None => None,
        };
        Ok(PortmapConf {
            masquerade: root.flag("snat")?.unwrap_or(true),
            masquerade_all: root.flag("masqAll")?.unwrap_or(false),
            mark,
            conditions: [
                words("conditionsV4", IpVersion::V4)?,
                words("conditionsV6", IpVersion::V6)?,
            ],
            mappings: Mapping::parse_all(&root)?,
            prev_result,
        })
    }

    /// What is to be published, if the container has an address.
    fn hostports(&self, owner: Owner, ifname: &str, mark: MarkTarget) -> Result<Hostports, Error> {
        let addresses = self
            .prev_result
            .as_ref()
            .map(|prev| prev.container_addresses(ifname))
            .unwrap_or_default();
        let hosts: Vec<IpAddr> = addresses.iter().map(|(host, _)| *host).collect();
        let subnets: Vec<Subnet> = addresses.iter().map(|(_, subnet)| *subnet).collect();
        let publishes = mappings::publishes(&self.mappings, &hosts)?;
        let protocols: BTreeSet<(IpVersion, L4Proto)> =
            publishes.iter().map(|publish| (publish.version(), publish.proto)).collect();
        Ok(Hostports {
            owner,
            rank: Rank::FIRST,
            masquerading: match (self.masquerade, self.masquerade_all) {
                (false, _) => Masquerading::Never,
                (true, true) => Masquerading::Always,
                (true, false) => Masquerading::Hairpin(subnets),
            },
            mark,
            conditions: self.conditions(&protocols)?,
            publishes,
        })
    }

    /// The conditions, translated for each protocol that is published: the words may speak of
    /// ports. They are checked even if nothing is published under them.
    fn conditions(
        &self,
        protocols: &BTreeSet<(IpVersion, L4Proto)>,
    ) -> Result<Vec<Conditions>, Error> {
        let mut all = Vec::new();
        for (key, version, words) in self.conditions.iter().filter(|(_, _, w)| !w.is_empty()) {
            let of_version: Vec<L4Proto> =
                protocols.iter().filter(|(v, _)| v == version).map(|(_, proto)| *proto).collect();
            let translate = |proto: L4Proto| {
                Conditions::from_words(words, *version, proto)
                    .map_err(|cause| Error::Conditions { key, cause: Box::new(cause) })
            };
            // Checked for every protocol that is mapped, and be there none at all.
            let mapped = self.mappings.iter().map(Mapping::proto);
            for proto in mapped.chain(self.mappings.is_empty().then_some(L4Proto::Tcp)) {
                translate(proto)?;
            }
            for proto in of_version {
                all.push(translate(proto)?);
            }
        }
        Ok(all)
    }

    /// The mark, which for an external chain must be asked for.
    fn mark(&self, host: &mut Host, ifname: &str) -> Result<MarkTarget, Error> {
        let chain = match &self.mark {
            MarkChoice::Bit(mark) => {
                return Ok(MarkTarget { mark: *mark, masquerader: Masquerader::Ours });
            }
            MarkChoice::ExternalChain(chain) => chain,
        };
        let has = |v4: bool| {
            let prev = self.prev_result.as_ref();
            prev.is_some_and(|prev| {
                prev.container_addresses(ifname).iter().any(|(host, _)| host.is_ipv4() == v4)
            })
        };
        let mut versions = Vec::new();
        versions.extend(has(true).then_some(IpVersion::V4));
        versions.extend(has(false).then_some(IpVersion::V6));
        let mark = attachment::external_mark(host, chain, &versions)?;
        let mark = mark.unwrap_or(Mark::PORTMAP_DEFAULT);
        Ok(MarkTarget { mark, masquerader: Masquerader::External })
    }
}

fn ifname(call: &Call) -> &str {
    call.container.as_ref().map_or("", |(_, ifname)| ifname)
}

/// What a call wants published, as far as its configuration alone says. Pure. The mark of an
/// `externalSetMarkChain` stands in that chain, so the default one is in its place.
///
/// # Errors
/// [`Error`] where the configuration is wrong.
pub fn portmap_intent(call: &Call) -> Result<Hostports, Error> {
    let conf = PortmapConf::parse(call)?;
    let mark = match &conf.mark {
        MarkChoice::Bit(mark) => *mark,
        MarkChoice::ExternalChain(_) => Mark::PORTMAP_DEFAULT,
    };
    let target = MarkTarget { mark, masquerader: Masquerader::Ours };
    conf.hostports(call.owner(), ifname(call), target)
}

fn add(call: &Call) -> Result<Value, Error> {
    let netns = call.open_netns()?;
    let conf = PortmapConf::parse(call)?;
    let Some(prev) = &conf.prev_result else {
        return Err(Error::NoPrevResult { command: "ADD" });
    };
    let result = prev.to_json(call.version);
    if conf.mappings.is_empty() {
        return Ok(result);
    }
    let mut host = Host::open()?;
    let mark = conf.mark(&mut host, ifname(call))?;
    let hostports = conf.hostports(call.owner(), ifname(call), mark)?;
    if hostports.publishes.is_empty() {
        tracing::warn!("no port mapping is for an address that the container has");
    }
    let attachment = Attachment { owner: call.owner(), netns: Some(netns) };
    attachment::publish(&mut host, &attachment, &hostports)?;
    Ok(result)
}

fn del(call: &Call) -> Result<(), Error> {
    // What is there goes whatever the configuration says now; what it says only tells where to
    // look first. A mapping that cannot be understood must not keep rules in force.
    let expected = portmap_intent(call);
    let mut host = Host::open()?;
    attachment::unpublish(&mut host, &call.owner(), expected.as_ref().ok())?;
    if let Err(error) = expected {
        tracing::warn!(%error, "the configuration of this DEL was not understood");
    }
    Ok(())
}

fn check(call: &Call) -> Result<(), Error> {
    let netns = call.open_netns()?;
    let conf = PortmapConf::parse(call)?;
    if conf.prev_result.is_none() {
        return Err(Error::NoPrevResult { command: "CHECK" });
    }
    if conf.mappings.is_empty() {
        return Ok(());
    }
    let mut host = Host::open()?;
    let mark = conf.mark(&mut host, ifname(call))?;
    let hostports = conf.hostports(call.owner(), ifname(call), mark)?;
    let attachment = Attachment { owner: call.owner(), netns: Some(netns) };
    Ok(attachment::check(&mut host, &attachment, &hostports)?)
}

fn gc(call: &Call) -> Result<(), Error> {
    let (prefix, valid) = call.valid_owners("cni")?;
    let mut host = Host::open()?;
    attachment::collect_garbage(&mut host, &prefix, &valid)?;
    Ok(())
}

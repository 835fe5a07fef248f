//! Published ports of one container on one network, as the content of the table.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::class::{Class, MarkClass, Masquerader, Scope, Source};
use super::rules;
use super::{names, rules::octets};
use crate::net::{IpVersion, L4Proto, Mark, Port, Subnet};
use crate::nft::expr::{Counter, Expr, Verdict};
use crate::nft::{
    AnyChain, BaseChain, Chain, ChainKind, DataType, Element, ElementData, Hook, Name, Policy,
    Rule, Set, SetData, Table, Userdata, concat,
};
use crate::ruleset::{Desired, DesiredChain, Owner};
pub use crate::xtables::Error as InvalidCondition;

/// Private entry of a conditional element: where the port leads, as address and port.
const TLV_TARGET: u8 = 0xE4;

/// One published port of one IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publish {
    /// The host's address that it is published on; `None` for all.
    pub host_address: Option<IpAddr>,
    /// The host's port.
    pub host_port: Port,
    /// The protocol.
    pub proto: L4Proto,
    /// The container's address.
    pub container: IpAddr,
    /// The container's port.
    pub container_port: Port,
}

impl Publish {
    /// IPv4 or IPv6: that of the container's address.
    #[must_use]
    pub fn version(&self) -> IpVersion {
        IpVersion::of(self.container)
    }

    fn scope(&self) -> Scope {
        if self.host_address.is_some() { Scope::HostAddress } else { Scope::AnyAddress }
    }
}

impl std::fmt::Display for Publish {
    /// The host's side: `8080/tcp`, `192.0.2.1:8080/tcp`, `[2001:db8::1]:8080/tcp`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host_address {
            Some(IpAddr::V4(address)) => write!(f, "{address}:")?,
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            None => {}
        }
        write!(f, "{}/{}", self.host_port, self.proto)
    }
}

/// Whose packets to the published ports are masqueraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masquerading {
    /// Nobody's (`snat: false`).
    Never,
    /// Those from the container's own networks, and from 127.0.0.1 of the host.
    Hairpin(Vec<Subnet>),
    /// Everybody's (`masqAll`).
    Always,
}

/// The mark by which packets are masqueraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkTarget {
    /// The mark.
    pub mark: Mark,
    /// Who masquerades packets that bear it.
    pub masquerader: Masquerader,
}

/// Under which conditions ports of one version and protocol are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The version that they are for.
    pub version: IpVersion,
    /// The protocol that they are for.
    pub proto: L4Proto,
    /// The matches.
    pub exprs: Vec<Expr>,
    /// The words that they were translated from.
    pub words: Vec<String>,
}

impl Conditions {
    /// Reads conditions in iptables words, e.g. `["!", "-s", "198.51.100.0/24"]`, as they stand
    /// behind `-p PROTO` in a rule.
    ///
    /// # Errors
    /// [`InvalidCondition`] naming the word that has no meaning or no native form.
    pub fn from_words(
        words: &[String],
        version: IpVersion,
        proto: L4Proto,
    ) -> Result<Self, InvalidCondition> {
        let exprs = crate::xtables::conditions_for(words, version, Some(proto))?;
        Ok(Conditions { version, proto, exprs, words: words.to_vec() })
    }
}

/// Published ports of one container on one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostports {
    /// Whose they are.
    pub owner: Owner,
    /// The ports.
    pub publishes: Vec<Publish>,
    /// Who is masqueraded.
    pub masquerading: Masquerading,
    /// How.
    pub mark: MarkTarget,
    /// Under which conditions; none for a version and protocol means always.
    pub conditions: Vec<Conditions>,
}

impl Hostports {
    fn conditions_of(&self, publish: &Publish) -> Option<&Conditions> {
        self.conditions.iter().find(|c| c.version == publish.version() && c.proto == publish.proto)
    }

    fn has_conditions(&self) -> bool {
        self.publishes.iter().any(|publish| self.conditions_of(publish).is_some())
    }

    /// The sources to be masqueraded on their way to a port; `None` stands for all.
    fn sources(&self, publish: &Publish) -> Vec<Option<Subnet>> {
        match &self.masquerading {
            Masquerading::Never => vec![],
            Masquerading::Always => vec![None],
            Masquerading::Hairpin(subnets) => {
                let own = subnets.iter().copied().filter(|s| s.version() == publish.version());
                let mut all: BTreeSet<Subnet> = own.collect();
                if publish.version() == IpVersion::V4 {
                    all.insert(Subnet::host(IpAddr::V4(Ipv4Addr::LOCALHOST)));
                }
                all.into_iter().map(Some).collect()
            }
        }
    }

    fn mark_class(&self, publish: &Publish, source: Option<Subnet>) -> MarkClass {
        MarkClass {
            version: publish.version(),
            scope: publish.scope(),
            source: source.map_or(Source::Any, |subnet| Source::Prefix(subnet.prefix())),
            mark: self.mark.mark,
            masquerader: self.mark.masquerader,
        }
    }

    /// The classes that these ports need.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<Class> {
        let mut classes = BTreeSet::new();
        for publish in &self.publishes {
            if self.conditions_of(publish).is_some() {
                classes.insert(Class::Conditional(publish.version(), publish.scope()));
                continue;
            }
            for source in self.sources(publish) {
                classes.insert(Class::Mark(self.mark_class(publish, source)));
            }
        }
        classes
    }

    /// The marks whose chains these ports need, with who masquerades.
    fn marks(&self) -> BTreeSet<(Mark, Masquerader)> {
        let wanted = self.publishes.iter().any(|publish| !self.sources(publish).is_empty());
        wanted.then_some((self.mark.mark, self.mark.masquerader)).into_iter().collect()
    }
}

/// The whole table as it should be with these ports, given the classes that exist in it.
///
/// `hostports` is `None` for the structure alone.
#[must_use]
pub fn desired(existing: &BTreeSet<Class>, hostports: Option<&Hostports>) -> Desired {
    let mut classes = existing.clone();
    let mut marks: BTreeSet<(Mark, Masquerader)> =
        [(Mark::PORTMAP_DEFAULT, Masquerader::Ours)].into();
    if let Some(hostports) = hostports {
        classes.extend(hostports.classes());
        marks.extend(hostports.marks());
    }
    marks.extend(classes.iter().filter_map(|class| match class {
        Class::Mark(class) => Some((class.mark, class.masquerader)),
        Class::Conditional(..) => None,
    }));
    let mut desired = Desired::new(Table::new(names::table()));
    desired.sets = sets(&classes);
    desired.chains = chains(&classes, &marks);
    if let Some(hostports) = hostports {
        if hostports.has_conditions() {
            desired.chains.extend(conditional_chains(hostports));
        }
        desired.elements = elements_of(hostports);
    }
    desired
}

/// All sets: the maps of published ports, and one for each class.
fn sets(classes: &BTreeSet<Class>) -> Vec<Set> {
    let mut sets = Vec::new();
    for version in IpVersion::BOTH {
        for scope in [Scope::HostAddress, Scope::AnyAddress] {
            sets.push(hostports_map(version, scope));
        }
    }
    sets.extend(classes.iter().map(|class| match class {
        Class::Conditional(version, scope) => conditional_map(*version, *scope),
        Class::Mark(class) => mark_set(class),
    }));
    sets
}

fn address_type(version: IpVersion) -> DataType {
    match version {
        IpVersion::V4 => DataType::Ipv4Addr,
        IpVersion::V6 => DataType::Ipv6Addr,
    }
}

/// The type of a port's key: address where there is one, protocol, port.
fn port_key(version: IpVersion, scope: Scope) -> Vec<DataType> {
    let port = [DataType::InetProto, DataType::InetService];
    match scope {
        Scope::HostAddress => [&[address_type(version)][..], &port].concat(),
        Scope::AnyAddress => port.to_vec(),
    }
}

fn hostports_map(version: IpVersion, scope: Scope) -> Set {
    let data = SetData::Value(vec![address_type(version), DataType::InetService]);
    Set::map(names::hostports(version, scope), port_key(version, scope), data)
        .with_expr(Counter::default().into())
}

fn conditional_map(version: IpVersion, scope: Scope) -> Set {
    let name = names::conditional_ports(version, scope);
    Set::map(name, port_key(version, scope), SetData::Verdict).with_expr(Counter::default().into())
}

fn mark_set(class: &MarkClass) -> Set {
    let mut key = port_key(class.version, class.scope);
    if let Source::Prefix(_) = class.source {
        key.insert(0, address_type(class.version));
    }
    Set::new(class.set_name(), key)
}

/// The fixed chains, called ones first.
fn chains(classes: &BTreeSet<Class>, marks: &BTreeSet<(Mark, Masquerader)>) -> Vec<DesiredChain> {
    let distinct: BTreeSet<Mark> = marks.iter().map(|(mark, _)| *mark).collect();
    let setmarks = distinct
        .into_iter()
        .map(|mark| structure(names::setmark(mark), vec![rules::set_mark(mark)]));
    let ours: BTreeSet<Mark> = marks
        .iter()
        .filter(|(_, masquerader)| *masquerader == Masquerader::Ours)
        .map(|(mark, _)| *mark)
        .collect();
    let masquerade = ours.into_iter().map(rules::masquerade).collect();
    let mut chains: Vec<DesiredChain> = setmarks.collect();
    chains.push(structure(names::dnat(), dnat_rules(classes)));
    chains.push(structure(names::masq(), masquerade));
    chains.push(nat_chain(names::prerouting(), Hook::Prerouting, -100, rules::local_to_dnat()));
    chains.push(nat_chain(names::output(), Hook::Output, -100, rules::local_to_dnat()));
    chains.push(nat_chain(names::postrouting(), Hook::Postrouting, 100, rules::to_masq()));
    chains
}

fn structure(name: Name, rules: Vec<Rule>) -> DesiredChain {
    DesiredChain { chain: AnyChain::Regular(Chain::new(name)), rules }
}

fn nat_chain(name: Name, hook: Hook, priority: i32, rule: Rule) -> DesiredChain {
    let chain = BaseChain {
        name,
        kind: ChainKind::Nat,
        hook,
        priority,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    DesiredChain { chain: AnyChain::Base(chain), rules: vec![rule] }
}

/// The more specific first: a port on one address before a port on all. For each the conditions,
/// then the marks, then the translation, which ends the chain for what it matches.
fn dnat_rules(classes: &BTreeSet<Class>) -> Vec<Rule> {
    let mut all = Vec::new();
    for scope in [Scope::HostAddress, Scope::AnyAddress] {
        for version in IpVersion::BOTH {
            if classes.contains(&Class::Conditional(version, scope)) {
                all.push(rules::to_conditional(version, scope));
            }
            let marks = classes.iter().filter_map(|class| match class {
                Class::Mark(class) => Some(class),
                Class::Conditional(..) => None,
            });
            let marks = marks.filter(|class| (class.version, class.scope) == (version, scope));
            all.extend(marks.map(rules::mark_sources));
            all.push(rules::translate_published(version, scope));
        }
    }
    all
}

/// The chains of a container with conditions: what they are, and what holds under them. The
/// translations come first in the listing, since the conditions jump to them.
fn conditional_chains(hostports: &Hostports) -> Vec<DesiredChain> {
    let owner = &hostports.owner;
    let under: Vec<Rule> = hostports
        .conditions
        .iter()
        .map(|conditions| rules::under_conditions(owner, conditions))
        .collect();
    let mut translations = Vec::new();
    for publish in hostports.publishes.iter().filter(|p| hostports.conditions_of(p).is_some()) {
        let published = (publish.host_address, publish.proto, publish.host_port);
        for source in hostports.sources(publish) {
            let (version, mark) = (publish.version(), hostports.mark.mark);
            translations.push(rules::mark_one(owner, version, source, published, mark));
        }
        let container = (publish.container, publish.container_port);
        translations.push(rules::translate_one(owner, published, container));
    }
    let chain = |name: Name, rules: Vec<Rule>| {
        let chain = Chain { name, userdata: owner.userdata() };
        DesiredChain { chain: AnyChain::Regular(chain), rules }
    };
    vec![chain(names::conditional(owner), translations), chain(names::conditions(owner), under)]
}

/// All elements of these ports, each with the set that it goes into.
#[must_use]
pub fn elements_of(hostports: &Hostports) -> Vec<(Set, Element)> {
    let owner = &hostports.owner;
    let userdata = owner.userdata();
    let mut elements = Vec::with_capacity(hostports.publishes.len() * 3);
    for publish in &hostports.publishes {
        let (version, scope) = (publish.version(), publish.scope());
        let key = published_key(publish, None);
        let container = octets(publish.container);
        let port = publish.container_port.number().to_be_bytes();
        if hostports.conditions_of(publish).is_some() {
            let target = [&container[..], &port].concat();
            let verdict = Verdict::Jump(names::conditions(owner));
            let element = Element::new(key)
                .with_data(ElementData::Verdict(verdict))
                .with_userdata(userdata.clone().with(TLV_TARGET, target));
            elements.push((conditional_map(version, scope), element));
            continue;
        }
        let element = Element::new(key)
            .with_data(ElementData::Value(concat(&[&container, &port])))
            .with_userdata(userdata.clone());
        elements.push((hostports_map(version, scope), element));
        for source in hostports.sources(publish) {
            let set = mark_set(&hostports.mark_class(publish, source));
            let key = published_key(publish, source);
            elements.push((set, Element::new(key).with_userdata(userdata.clone())));
        }
    }
    elements
}

/// `source . host address . protocol . port`, of which the first two may be absent.
fn published_key(publish: &Publish, source: Option<Subnet>) -> Vec<u8> {
    let source = source.map(|subnet| octets(subnet.address()));
    let address = publish.host_address.map(octets);
    let (proto, port) = ([publish.proto.number()], publish.host_port.number().to_be_bytes());
    let parts = source.as_deref().into_iter().chain(address.as_deref());
    concat(&parts.chain([&proto[..], &port[..]]).collect::<Vec<_>>())
}

/// Reads a published port back from an element of one of the maps; `None` for other elements.
#[must_use]
pub fn published(set: &Name, element: &Element) -> Option<Publish> {
    let (version, scope, is_conditional) = IpVersion::BOTH
        .into_iter()
        .flat_map(|v| [(v, Scope::HostAddress), (v, Scope::AnyAddress)])
        .find_map(|(v, s)| {
            let conditional = names::conditional_ports(v, s) == *set;
            (conditional || names::hostports(v, s) == *set).then_some((v, s, conditional))
        })?;
    let (host_address, rest) = match scope {
        Scope::HostAddress => {
            let (address, rest) = element.key.split_at_checked(version.address_len())?;
            (Some(parse_address(address)?), rest)
        }
        Scope::AnyAddress => (None, &element.key[..]),
    };
    let [proto, _, _, _, high, low, ..] = rest else { return None };
    let target = match &element.data {
        Some(ElementData::Value(value)) => value.as_slice(),
        _ if is_conditional => element.userdata.find(TLV_TARGET)?,
        _ => return None,
    };
    let (container, port) = target.split_at_checked(version.address_len())?;
    let [port_high, port_low, ..] = port else { return None };
    let port = |bytes: [u8; 2]| Port::try_from(i64::from(u16::from_be_bytes(bytes))).ok();
    Some(Publish {
        host_address,
        host_port: port([*high, *low])?,
        proto: L4Proto::from_number(*proto)?,
        container: parse_address(container)?,
        container_port: port([*port_high, *port_low])?,
    })
}

fn parse_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

//! What a container's place on a bridge means: masquerading outside its network, and frames with
//! no other source address than its own.
//!
//! ```text
//! table inet portcullis {
//!     set masquerade4 { type ipv4_addr }
//!     set unmasqueraded4_16 { type ipv4_addr . ipv4_addr }
//!     chain CNI-MASQ {
//!         type nat hook postrouting priority srcnat; policy accept;
//!         ip daddr 224.0.0.0/4 return
//!         ip saddr . ip daddr & 255.255.0.0 @unmasqueraded4_16 return
//!         ip saddr @masquerade4 masquerade
//!     }
//! }
//! table bridge portcullis {
//!     set checked_ports { type ifname }
//!     set port_addresses { type ifname . ether_addr }
//!     chain prerouting {
//!         type filter hook prerouting priority dstnat; policy accept;
//!         iifname @checked_ports iifname . ether saddr != @port_addresses drop
//!     }
//! }
//! ```
//!
//! A container costs two elements for each address and two for its port; rules come with the first
//! network of each length of prefix. The chains are the bridge's own, so that nobody who publishes
//! ports needs to know of them, nor the other way round.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::hostports::address_type;
use super::names;
use super::rules::{Key, destination_field, in_subnet, octets, of_version, ours, source_field};
use crate::net::{IfName, IpVersion, Mac, Subnet};
use crate::nft::expr::{Counter, Immediate, Lookup, Masquerade, MetaKey, Register, Verdict};
use crate::nft::{
    AnyChain, BaseChain, ChainKind, DataType, Element, Expr, Hook, Policy, Rule, Set, Table,
    Userdata, concat,
};
use crate::ruleset::{Desired, DesiredChain, Owner};

/// What a container on a bridge needs of the firewall.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeRules {
    /// Its addresses that are masqueraded, each with the network that it reaches as itself.
    pub masquerade: Vec<(IpAddr, Subnet)>,
    /// The port of the bridge that leads to it, and the only source address of its frames.
    pub spoof: Option<(IfName, Mac)>,
}

impl BridgeRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.masquerade.is_empty() && self.spoof.is_none()
    }
}

/// A length of prefix that masquerading looks at: a set and a rule exist for each in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasqueradePrefix {
    /// Of IPv4 or IPv6.
    pub version: IpVersion,
    /// In bits.
    pub prefix: u8,
}

impl MasqueradePrefix {
    /// The prefix whose set has this name, if it is one's.
    #[must_use]
    pub fn of_set(name: &str) -> Option<Self> {
        let (digit, prefix) = name.strip_prefix("unmasqueraded")?.split_once('_')?;
        let version = IpVersion::BOTH.into_iter().find(|v| digit == v.digit().to_string())?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= version.bits())?;
        let found = MasqueradePrefix { version, prefix };
        (found.set().name.as_str() == name).then_some(found)
    }

    fn set(self) -> Set {
        let address = address_type(self.version);
        Set::new(names::unmasqueraded(self.version, self.prefix), vec![address, address])
    }
}

/// All multicast addresses: nobody is masqueraded on the way there.
fn multicast(version: IpVersion) -> Option<Subnet> {
    match version {
        IpVersion::V4 => Subnet::containing(Ipv4Addr::new(224, 0, 0, 0).into(), 4),
        IpVersion::V6 => Subnet::containing(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).into(), 8),
    }
}

/// The table `inet portcullis`, as far as masquerading goes, with these addresses of an owner and
/// the prefixes that exist in it; `None` where no address is masqueraded.
#[must_use]
pub fn masquerading(
    existing: &BTreeSet<MasqueradePrefix>,
    owner: &Owner,
    rules: &BridgeRules,
) -> Option<Desired> {
    if rules.masquerade.is_empty() {
        return None;
    }
    let own = rules.masquerade.iter().map(|(_, subnet)| prefix_of(*subnet));
    let prefixes: BTreeSet<MasqueradePrefix> = existing.iter().copied().chain(own).collect();
    let mut desired = Desired::new(Table::new(names::table()));
    desired.sets = IpVersion::BOTH.into_iter().map(masqueraded).collect();
    desired.sets.extend(prefixes.iter().map(|prefix| prefix.set()));
    let chain = BaseChain {
        name: names::network_masq(),
        kind: ChainKind::Nat,
        hook: Hook::Postrouting,
        priority: 100,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    let rules_of = |version| masquerade_rules(version, &prefixes);
    desired.chains = vec![DesiredChain {
        chain: AnyChain::Base(chain),
        rules: IpVersion::BOTH.into_iter().flat_map(rules_of).collect(),
    }];
    for (address, subnet) in &rules.masquerade {
        let address = octets(*address);
        let network = concat(&[&address, &octets(subnet.address())]);
        let userdata = owner.userdata();
        let element = Element::new(address).with_userdata(userdata.clone());
        desired.elements.push((masqueraded(subnet.version()), element));
        let element = Element::new(network).with_userdata(userdata);
        desired.elements.push((prefix_of(*subnet).set(), element));
    }
    Some(desired)
}

fn prefix_of(subnet: Subnet) -> MasqueradePrefix {
    MasqueradePrefix { version: subnet.version(), prefix: subnet.prefix() }
}

fn masqueraded(version: IpVersion) -> Set {
    Set::new(names::masquerade(version), vec![address_type(version)])
}

fn masquerade_rules(version: IpVersion, prefixes: &BTreeSet<MasqueradePrefix>) -> Vec<Rule> {
    let first = Register::word(0);
    let mut rules = Vec::new();
    if let Some(subnet) = multicast(version) {
        let mut exprs = of_version(version).to_vec();
        exprs.extend(in_subnet(destination_field(version), subnet, first));
        exprs.push(verdict(Verdict::Return));
        rules.push(ours(exprs));
    }
    for prefix in prefixes.iter().filter(|prefix| prefix.version == version) {
        let key = Key::new().network(source_field(version));
        let key = key.masked(destination_field(version), version, prefix.prefix);
        let mut exprs = of_version(version).to_vec();
        exprs.extend(key.exprs);
        exprs.push(Lookup::in_set(prefix.set().name, first).into());
        exprs.push(verdict(Verdict::Return));
        rules.push(ours(exprs));
    }
    let mut exprs = of_version(version).to_vec();
    exprs.extend(Key::new().network(source_field(version)).exprs);
    exprs.push(Lookup::in_set(names::masquerade(version), first).into());
    exprs.push(Masquerade::default().into());
    rules.push(ours(exprs));
    rules
}

fn verdict(verdict: Verdict) -> Expr {
    Immediate::Verdict(verdict).into()
}

/// The table `bridge portcullis` with the port and address of an owner; `None` where none is
/// checked.
#[must_use]
pub fn spoof_check(owner: &Owner, rules: &BridgeRules) -> Option<Desired> {
    let (port, address) = rules.spoof.as_ref()?;
    let ports = Set::new(names::checked_ports(), vec![DataType::Ifname]).with_host_order_key();
    let pairs = vec![DataType::Ifname, DataType::EtherAddr];
    let addresses = Set::new(names::port_addresses(), pairs);
    let mut desired = Desired::new(Table::new(names::bridge_table()));
    let chain = BaseChain {
        name: names::prerouting(),
        kind: ChainKind::Filter,
        hook: Hook::Prerouting,
        priority: -300,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    desired.chains =
        vec![DesiredChain { chain: AnyChain::Base(chain), rules: vec![spoofed_frames()] }];
    let port = interface_name(port);
    let userdata = owner.userdata();
    let pair = concat(&[&port, &address.bytes()]);
    desired.elements = vec![
        (ports.clone(), Element::new(port).with_userdata(userdata.clone())),
        (addresses.clone(), Element::new(pair).with_userdata(userdata)),
    ];
    desired.sets = vec![ports, addresses];
    Some(desired)
}

/// `iifname @checked_ports iifname . ether saddr != @port_addresses counter drop`
fn spoofed_frames() -> Rule {
    let first = Register::word(0);
    let mut exprs = Key::new().meta(MetaKey::Iifname).exprs;
    exprs.push(Lookup::in_set(names::checked_ports(), first).into());
    exprs.extend(Key::new().meta(MetaKey::Iifname).ether_source().exprs);
    let pairs = Lookup::in_set(names::port_addresses(), first);
    exprs.push(Lookup { inverted: true, ..pairs }.into());
    exprs.push(Counter::default().into());
    exprs.push(verdict(Verdict::Drop));
    ours(exprs)
}

/// An interface's name as the kernel compares it: 16 bytes, filled with zeros.
pub(super) fn interface_name(name: &IfName) -> Vec<u8> {
    let mut bytes = name.as_str().as_bytes().to_vec();
    bytes.resize(DataType::Ifname.len(), 0);
    bytes
}

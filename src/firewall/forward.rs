//! Forwarding: packets from and to containers pass, and networks are apart from each other.
//!
//! ```text
//! chain forward {
//!     type filter hook forward priority filter - 10; policy accept;
//!     meta mark set meta mark | 0x00001000
//!     jump CNI-ISOLATION-STAGE-1
//!     jump CNI-FORWARD
//!     meta mark set meta mark & 0xffffefff
//! }
//! chain CNI-FORWARD {
//!     jump CNI-ADMIN
//!     ip daddr @forwarded4 ct state established,related accept
//!     ip daddr @forwarded4 ct status dnat accept
//!     ip saddr @forwarded4 accept
//! }
//! chain CNI-ISOLATION-STAGE-1 {
//!     iifname . oifname @closed_bridges drop
//!     iifname . oifname @same_bridge return
//!     iifname @isolated_bridges jump CNI-ISOLATION-STAGE-2
//! }
//! chain CNI-ISOLATION-STAGE-2 {
//!     oifname @isolated_bridges drop
//! }
//! ```
//!
//! What is accepted, be it by a rule of CNI-ADMIN, leaves with bit 12 of its mark set; from all
//! else the bit is taken. By it a rule at the head of another program's chain tells what to let
//! pass ([`accepted_before`]). Sets are of one table, a mark is the packet's.
//!
//! CNI-ADMIN is the user's: it is made, and never emptied or changed.

use std::net::IpAddr;

use super::bridge::interface_name;
use super::hostports::{address_type, structure};
use super::names;
use super::rules::{
    Key, destination_field, jump, octets, of_version, ours, set_mark, source_field,
};
use crate::net::{IfName, IpVersion, Mark, ZoneName};
use crate::nft::expr::{
    Bitwise, Cmp, Counter, Ct, CtKey, Immediate, Lookup, Meta, MetaKey, Register, Verdict,
};
use crate::nft::{
    AnyChain, BaseChain, ChainKind, DataType, Element, Expr, Hook, Listed, Name, Policy, Rule, Set,
    Table, Userdata, concat,
};
use crate::ruleset::{Desired, DesiredChain, Owner};

/// `filter - 10`: before the chains of iptables, and whoever else filters at the usual time.
pub const PRIORITY: i32 = -10;
/// `established,related`
const ESTABLISHED_OR_RELATED: u32 = 0b110;
/// `dnat`
const TRANSLATED: u32 = 1 << 5;

/// Who may send to a container besides those it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingress {
    /// Whoever gets as far as this.
    Open,
    /// Not those on other bridges that are so too.
    SameBridge(IfName),
    /// Not those on its own bridge either.
    Isolated(IfName),
}

/// What a container needs of forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Who may send to it.
    pub ingress: Ingress,
    /// The user's own chain, called first.
    pub admin: Name,
    /// The zone of firewalld that its addresses are in, where firewalld runs.
    pub zone: Option<ZoneName>,
}

/// Stands in a record between the policy and the zone.
const IN_ZONE: &str = " in zone ";

impl Forwarding {
    /// What a record says of it: policy, bridge, zone (`isolated cni0 in zone trusted`).
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match (self.ingress.note(), &self.zone) {
            (note, None) => note,
            (note, Some(zone)) => {
                Some(format!("{}{IN_ZONE}{zone}", note.as_deref().unwrap_or("open")))
            }
        }
    }

    /// The zone, by the note in a record.
    #[must_use]
    pub fn zone_of_note(note: Option<&str>) -> Option<ZoneName> {
        let (_, zone) = note?.split_once(IN_ZONE)?;
        ZoneName::new(zone).ok()
    }
}

/// The address of a container that an element stands for, if it is of the sets of such addresses.
#[must_use]
pub fn forwarded_address(set: &Name, element: &Element) -> Option<IpAddr> {
    let key = element.key.as_slice();
    if *set == names::forwarded(IpVersion::V4) {
        <[u8; 4]>::try_from(key).ok().map(IpAddr::from)
    } else if *set == names::forwarded(IpVersion::V6) {
        <[u8; 16]>::try_from(key).ok().map(IpAddr::from)
    } else {
        None
    }
}

/// Something that containers have together: it goes with the last of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shared {
    /// Rules in other programs' chains.
    Insertions,
    /// A bridge that is apart from others.
    Bridge(String),
    /// A bridge whose containers are apart from each other.
    ClosedBridge(String),
}

impl Shared {
    /// Who owns what stands for it.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            Shared::Insertions => Owner::shared("firewall", "forward", "accepted"),
            Shared::Bridge(name) => Owner::shared("firewall", "bridge", name),
            Shared::ClosedBridge(name) => Owner::shared("firewall", "closed", name),
        }
    }

    /// Its elements.
    #[must_use]
    pub fn elements(&self) -> Vec<(Set, Element)> {
        let userdata = self.owner().userdata();
        let name = |name: &str| IfName::new(name).map(|name| interface_name(&name));
        let pair =
            |name: &[u8]| Element::new(concat(&[name, name])).with_userdata(userdata.clone());
        match self {
            Shared::Insertions => vec![],
            Shared::Bridge(bridge) => name(bridge).map_or(vec![], |name| {
                let own = pair(&name);
                let one = Element::new(name).with_userdata(userdata.clone());
                vec![(isolated_bridges(), one), (pairs(names::same_bridge()), own)]
            }),
            Shared::ClosedBridge(bridge) => name(bridge)
                .map_or(vec![], |name| vec![(pairs(names::closed_bridges()), pair(&name))]),
        }
    }
}

impl Ingress {
    /// What a record says of it, to be read back by [`Ingress::shared_of_note`].
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self {
            Ingress::Open => None,
            Ingress::SameBridge(bridge) => Some(format!("same-bridge {}", bridge.as_str())),
            Ingress::Isolated(bridge) => Some(format!("isolated {}", bridge.as_str())),
        }
    }

    /// What a container has together with others, by the note in its record.
    #[must_use]
    pub fn shared_of_note(note: Option<&str>) -> Vec<Shared> {
        let mut shared = vec![Shared::Insertions];
        let note = note.map(|note| note.split_once(IN_ZONE).map_or(note, |(note, _)| note));
        match note.and_then(|note| note.split_once(' ')) {
            Some(("same-bridge", bridge)) => shared.push(Shared::Bridge(bridge.to_owned())),
            Some(("isolated", bridge)) => {
                let bridge = bridge.to_owned();
                shared.extend([Shared::Bridge(bridge.clone()), Shared::ClosedBridge(bridge)]);
            }
            Some(_) | None => {}
        }
        shared
    }

    /// What a container has together with others.
    #[must_use]
    pub fn shared(&self) -> Vec<Shared> {
        Ingress::shared_of_note(self.note().as_deref())
    }
}

/// A name that the user's own chain cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAdminChain {
    /// A chain of ours is called so.
    #[error("{name} is a chain of portcullis itself")]
    Reserved {
        /// The name.
        name: String,
    },
    /// nft could not read it back from its own listing.
    #[error("{name:?} is no name for a chain: expected a letter, then letters, digits and _ . / -")]
    NotAName {
        /// The name.
        name: String,
    },
}

/// The name of the user's own chain, checked.
///
/// # Errors
/// [`InvalidAdminChain`].
pub fn admin_chain(name: &str) -> Result<Name, InvalidAdminChain> {
    let not_a_name = || InvalidAdminChain::NotAName { name: name.to_owned() };
    let chain = Name::new(name).map_err(|_| not_a_name())?;
    if !chain.is_nft_identifier() {
        return Err(not_a_name());
    }
    let ours = [
        names::forward(),
        names::network_forward(),
        names::network_masq(),
        names::prerouting(),
        names::output(),
        names::postrouting(),
    ];
    let families = ["CNI-HOSTPORT-", "CNI-ISOLATION-", "CNI-CN-", "CNI-DN-"];
    if ours.contains(&chain) || families.iter().any(|family| name.starts_with(family)) {
        return Err(InvalidAdminChain::Reserved { name: name.to_owned() });
    }
    Ok(chain)
}

/// The users' chains that CNI-FORWARD calls already. Networks may name different ones.
#[must_use]
pub fn admin_chains(rules: &[Listed<Rule>]) -> Vec<Name> {
    let structure = Some(Owner::structure().key());
    let rules = rules.iter().map(|rule| &rule.value);
    let of_us = rules.filter(|rule| {
        Owner::key_of(&rule.userdata).is_none() || Owner::key_of(&rule.userdata) == structure
    });
    let called = of_us.filter_map(|rule| match rule.exprs.as_slice() {
        [Expr::Immediate(Immediate::Verdict(Verdict::Jump(chain)))] => Some(chain.clone()),
        _ => None,
    });
    called.collect()
}

/// The table `inet portcullis`, as far as forwarding goes, with an owner's addresses. `admins` are
/// the users' chains that are called already.
#[must_use]
pub fn forwarding(admins: &[Name], owner: &Owner, forwarding: &Forwarding) -> Desired {
    let mut admins = admins.to_vec();
    if !admins.contains(&forwarding.admin) {
        admins.push(forwarding.admin.clone());
    }
    let mut desired = Desired::new(Table::new(names::table()));
    desired.sets = IpVersion::BOTH.into_iter().map(forwarded).collect();
    desired.sets.extend([
        isolated_bridges(),
        pairs(names::same_bridge()),
        pairs(names::closed_bridges()),
    ]);
    desired.chains = admins.iter().map(|admin| structure(admin.clone(), vec![])).collect();
    let mut accept: Vec<Rule> = admins.into_iter().map(|admin| ours(vec![jump(admin)])).collect();
    accept.extend(IpVersion::BOTH.into_iter().flat_map(accept_containers));
    desired.chains.extend([
        structure(names::network_forward(), accept),
        structure(names::isolation_to(), vec![to_isolated()]),
        structure(names::isolation_from(), from_isolated()),
        hook(),
    ]);
    for address in &forwarding.addresses {
        let element = Element::new(octets(*address)).with_userdata(owner.userdata());
        desired.elements.push((forwarded(IpVersion::of(*address)), element));
    }
    desired
}

fn forwarded(version: IpVersion) -> Set {
    Set::new(names::forwarded(version), vec![address_type(version)])
}

fn isolated_bridges() -> Set {
    Set::new(names::isolated_bridges(), vec![DataType::Ifname]).with_host_order_key()
}

fn pairs(name: Name) -> Set {
    Set::new(name, vec![DataType::Ifname, DataType::Ifname])
}

fn hook() -> DesiredChain {
    let chain = BaseChain {
        name: names::forward(),
        kind: ChainKind::Filter,
        hook: Hook::Forward,
        priority: PRIORITY,
        policy: Policy::Accept,
        device: None,
        userdata: Userdata::new(),
    };
    let rules = vec![
        set_mark(Mark::ACCEPTED),
        ours(vec![jump(names::isolation_from())]),
        ours(vec![jump(names::network_forward())]),
        clear_mark(Mark::ACCEPTED),
    ];
    DesiredChain { chain: AnyChain::Base(chain), rules }
}

/// `meta mark set meta mark & 0xffffefff`
fn clear_mark(mark: Mark) -> Rule {
    let register = Register::word(0);
    ours(vec![
        Meta::load(MetaKey::Mark, register).into(),
        Bitwise::and(register, (!mark.bits()).to_ne_bytes().to_vec()).into(),
        Meta::Set { key: MetaKey::Mark, sreg: register }.into(),
    ])
}

/// Answers to a container, what was translated to it, and all that comes from it.
fn accept_containers(version: IpVersion) -> Vec<Rule> {
    let first = Register::word(0);
    let address = |field| {
        let mut exprs = of_version(version).to_vec();
        exprs.extend(Key::new().network(field).exprs);
        exprs.push(Lookup::in_set(names::forwarded(version), first).into());
        exprs
    };
    let to = destination_field(version);
    let mut answers = address(to);
    answers.extend(flow_has(CtKey::State, ESTABLISHED_OR_RELATED));
    let mut translated = address(to);
    translated.extend(flow_has(CtKey::Status, TRANSLATED));
    let rules = [answers, translated, address(source_field(version))];
    rules
        .into_iter()
        .map(|mut exprs| {
            exprs.push(verdict(Verdict::Accept));
            ours(exprs)
        })
        .collect()
}

/// `ct state established,related`: whether any of the bits is set.
fn flow_has(key: CtKey, bits: u32) -> [Expr; 3] {
    let register = Register::word(0);
    [
        Ct::load(key, register).into(),
        Bitwise::and(register, bits.to_ne_bytes().to_vec()).into(),
        Cmp::neq(register, 0u32.to_ne_bytes()).into(),
    ]
}

/// `iifname . oifname @closed_bridges drop`, …
fn from_isolated() -> Vec<Rule> {
    let first = Register::word(0);
    let pair_in = |set: Name, end: Expr| {
        let mut exprs = Key::new().meta(MetaKey::Iifname).meta(MetaKey::Oifname).exprs;
        exprs.push(Lookup::in_set(set, first).into());
        exprs.push(end);
        ours(exprs)
    };
    let mut exprs = Key::new().meta(MetaKey::Iifname).exprs;
    exprs.push(Lookup::in_set(names::isolated_bridges(), first).into());
    exprs.push(jump(names::isolation_to()));
    vec![
        pair_in(names::closed_bridges(), verdict(Verdict::Drop)),
        pair_in(names::same_bridge(), verdict(Verdict::Return)),
        ours(exprs),
    ]
}

/// `oifname @isolated_bridges drop`
fn to_isolated() -> Rule {
    let mut exprs = Key::new().meta(MetaKey::Oifname).exprs;
    exprs.push(Lookup::in_set(names::isolated_bridges(), Register::word(0)).into());
    exprs.push(verdict(Verdict::Drop));
    ours(exprs)
}

fn verdict(verdict: Verdict) -> Expr {
    Immediate::Verdict(verdict).into()
}

/// `meta mark & 0x1000 == 0x1000 counter accept`, for chains of others: expression for expression
/// what iptables-nft makes of `-m mark --mark 0x1000/0x1000 -j ACCEPT`, so that it can list it.
#[must_use]
pub fn accepted_before() -> Rule {
    let register = Register::R1;
    let bits = Mark::ACCEPTED.bits().to_ne_bytes();
    Rule {
        exprs: vec![
            Meta::load(MetaKey::Mark, register).into(),
            Bitwise::and(register, bits.to_vec()).into(),
            Cmp::eq(register, bits).into(),
            Counter::default().into(),
            verdict(Verdict::Accept),
        ],
        userdata: Shared::Insertions.owner().userdata(),
    }
}

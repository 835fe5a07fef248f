//! The rules, written once for both IP versions.

use std::net::IpAddr;

use super::class::{MarkClass, Place, Reach, Source};
use super::intent::Conditions;
use super::names;
use crate::net::{IpVersion, L4Proto, Mark, Port, Subnet};
use crate::nft::expr::{
    Bitwise, Cmp, Expr, Fib, FibResult, Immediate, Lookup, Masquerade, Meta, MetaKey, Nat,
    NatFlags, NatKind, Payload, PayloadBase, Register, Verdict,
};
use crate::nft::{Family, Name, Rule};
use crate::ruleset::Owner;

/// `RTN_LOCAL` of linux/rtnetlink.h: an address of this host.
const ADDRESS_LOCAL: u32 = 2;

/// A rule of the structure.
pub(super) fn ours(exprs: Vec<Expr>) -> Rule {
    Rule { exprs, userdata: Owner::structure().silent_userdata() }
}

/// `fib daddr type local jump CNI-HOSTPORT-DNAT`
pub(super) fn local_to_dnat() -> Rule {
    let register = Register::word(0);
    ours(vec![
        Fib { dreg: register, result: FibResult::AddrType, flags: Fib::DADDR }.into(),
        Cmp::eq(register, ADDRESS_LOCAL.to_ne_bytes()).into(),
        jump(names::dnat()),
    ])
}

/// `jump CNI-HOSTPORT-MASQ`
pub(super) fn to_masq() -> Rule {
    ours(vec![jump(names::masq())])
}

/// `meta mark & 0x2000 == 0x2000 masquerade`
pub(super) fn masquerade(mark: Mark) -> Rule {
    let register = Register::word(0);
    let bits = mark.bits().to_ne_bytes();
    ours(vec![
        Meta::load(MetaKey::Mark, register).into(),
        Bitwise::and(register, bits.to_vec()).into(),
        Cmp::eq(register, bits).into(),
        Masquerade::default().into(),
    ])
}

/// `meta mark set meta mark | 0x2000`
pub(super) fn set_mark(mark: Mark) -> Rule {
    let register = Register::word(0);
    ours(vec![
        Meta::load(MetaKey::Mark, register).into(),
        Bitwise::or_u32(register, mark.bits()).into(),
        Meta::Set { key: MetaKey::Mark, sreg: register }.into(),
    ])
}

/// `meta nfproto ipv4`
pub(super) fn of_version(version: IpVersion) -> [Expr; 2] {
    let register = Register::word(0);
    [
        Meta::load(MetaKey::Nfproto, register).into(),
        Cmp::eq(register, [version.family_number()]).into(),
    ]
}

/// Loads parts of a key one behind the other, each into as many 4-byte words as it needs.
pub(super) struct Key {
    pub(super) exprs: Vec<Expr>,
    next: u32,
}

impl Key {
    pub(super) fn new() -> Self {
        Key { exprs: Vec::new(), next: 0 }
    }

    pub(super) fn network(mut self, field: (u32, u32)) -> Self {
        self.exprs.push(Payload::network(field, Register::word(self.next)).into());
        self.next += field.1.div_ceil(4);
        self
    }

    /// `meta …`, of so many bytes
    pub(super) fn meta(mut self, key: MetaKey) -> Self {
        self.exprs.push(Meta::load(key, Register::word(self.next)).into());
        self.next += (key.data_type().len() as u32).div_ceil(4);
        self
    }

    /// `ether saddr`
    pub(super) fn ether_source(mut self) -> Self {
        let dreg = Register::word(self.next);
        self.exprs.push(Payload { dreg, base: PayloadBase::Link, offset: 6, len: 6 }.into());
        self.next += 2;
        self
    }

    /// `ip saddr & 255.255.0.0`
    fn masked_source(self, version: IpVersion, prefix: u8) -> Self {
        self.masked(source_field(version), version, prefix)
    }

    /// `ip daddr & 255.255.0.0`
    pub(super) fn masked(mut self, field: (u32, u32), version: IpVersion, prefix: u8) -> Self {
        let at = Register::word(self.next);
        self = self.network(field);
        if prefix < version.bits() {
            self.exprs.push(Bitwise::and(at, Subnet::netmask(version, prefix)).into());
        }
        self
    }

    /// `ip daddr`, where the port is published on one address only
    fn destination(self, version: IpVersion, reach: Reach) -> Self {
        match reach {
            Reach::OneAddress => self.network(destination_field(version)),
            Reach::AnyAddress => self,
        }
    }

    /// `meta l4proto . th dport`
    fn port(mut self) -> Self {
        self.exprs.push(Meta::load(MetaKey::L4proto, Register::word(self.next)).into());
        let port = Register::word(self.next + 1);
        self.exprs.push(Payload::transport(Payload::TH_DPORT, port).into());
        self.next += 2;
        self
    }
}

pub(super) fn source_field(version: IpVersion) -> (u32, u32) {
    match version {
        IpVersion::V4 => Payload::IP_SADDR,
        IpVersion::V6 => Payload::IP6_SADDR,
    }
}

pub(super) fn destination_field(version: IpVersion) -> (u32, u32) {
    match version {
        IpVersion::V4 => Payload::IP_DADDR,
        IpVersion::V6 => Payload::IP6_DADDR,
    }
}

/// `ip saddr & 255.255.0.0 . meta l4proto . th dport @hairpin4_16 jump CNI-HOSTPORT-SETMARK`
pub(super) fn mark_sources(class: &MarkClass) -> Rule {
    let key = match class.source {
        Source::Prefix(prefix) => Key::new().masked_source(class.version, prefix),
        Source::Any => Key::new(),
    };
    let key = key.destination(class.version, class.place.reach).port();
    let mut exprs = of_version(class.version).to_vec();
    exprs.extend(key.exprs);
    exprs.push(Lookup::in_set(class.set_name(), Register::word(0)).into());
    exprs.push(jump(names::setmark(class.mark)));
    ours(exprs)
}

/// `dnat ip to meta l4proto . th dport map @hostports4`
///
/// The family is tested first: a packet of the other one must not count as a hit of the element.
pub(super) fn translate_published(version: IpVersion, place: Place) -> Rule {
    let first = Register::word(0);
    let mut exprs = of_version(version).to_vec();
    exprs.extend(Key::new().destination(version, place.reach).port().exprs);
    exprs.push(Lookup::in_map(names::hostports(version, place), first, first).into());
    let port = Register::word(version.address_len() as u32 / 4);
    exprs.push(Nat::dnat(Family::of(version), first, Some(port)).into());
    ours(exprs)
}

/// `meta nfproto ipv4 meta l4proto . th dport vmap @conditional_ports4`
pub(super) fn to_conditional(version: IpVersion, place: Place) -> Rule {
    let first = Register::word(0);
    let mut exprs = of_version(version).to_vec();
    exprs.extend(Key::new().destination(version, place.reach).port().exprs);
    let map = names::conditional_ports(version, place);
    exprs.push(Lookup::in_map(map, first, Register::VERDICT).into());
    ours(exprs)
}

/// Conditions, then `jump CNI-DN-…`.
pub(super) fn under_conditions(owner: &Owner, conditions: &Conditions) -> Rule {
    let mut exprs = match_protocol(conditions.proto).to_vec();
    exprs.extend_from_slice(&conditions.exprs);
    exprs.push(jump(names::conditional(owner)));
    let words = conditions.words.join("\0");
    Rule { exprs, userdata: owner.userdata_of_content(words.as_bytes()) }
}

/// `meta l4proto tcp`
fn match_protocol(proto: L4Proto) -> [Expr; 2] {
    let register = Register::word(0);
    [Meta::load(MetaKey::L4proto, register).into(), Cmp::eq(register, [proto.number()]).into()]
}

/// What the rules of one published port begin with: its address, if on one only, and its port.
fn match_published(
    version: IpVersion,
    host_address: Option<IpAddr>,
    proto: L4Proto,
    port: Port,
) -> Vec<Expr> {
    let register = Register::word(0);
    let mut exprs = Vec::new();
    if let Some(address) = host_address {
        exprs.push(Payload::network(destination_field(version), register).into());
        exprs.push(Cmp::eq(register, octets(address)).into());
    }
    exprs.extend(match_protocol(proto));
    exprs.push(Payload::transport(Payload::TH_DPORT, register).into());
    exprs.push(Cmp::eq(register, port.number().to_be_bytes()).into());
    exprs
}

/// `ip saddr 10.88.0.0/16`, as nft writes it: a prefix of whole bytes is a shorter load.
pub(super) fn in_subnet(field: (u32, u32), subnet: Subnet, register: Register) -> Vec<Expr> {
    let ((offset, len), version) = (field, subnet.version());
    let address = octets(subnet.address());
    if subnet.prefix().is_multiple_of(8) && subnet.prefix() > 0 {
        let bytes = usize::from(subnet.prefix() / 8);
        let field = (offset, u32::from(subnet.prefix() / 8));
        return vec![
            Payload::network(field, register).into(),
            Cmp::eq(register, &address[..bytes]).into(),
        ];
    }
    vec![
        Payload::network((offset, len), register).into(),
        Bitwise::and(register, Subnet::netmask(version, subnet.prefix())).into(),
        Cmp::eq(register, address).into(),
    ]
}

/// `ip saddr 10.88.0.0/16 tcp dport 8080 jump CNI-HOSTPORT-SETMARK`; without a source for all.
pub(super) fn mark_one(
    owner: &Owner,
    version: IpVersion,
    source: Option<Subnet>,
    published: (Option<IpAddr>, L4Proto, Port),
    mark: Mark,
) -> Rule {
    let register = Register::word(0);
    let mut exprs = of_version(version).to_vec();
    if let Some(subnet) = source {
        exprs.extend(in_subnet(source_field(version), subnet, register));
    }
    exprs.extend(match_published(version, published.0, published.1, published.2));
    exprs.push(jump(names::setmark(mark)));
    Rule { exprs, userdata: owner.silent_userdata() }
}

/// `tcp dport 8080 dnat ip to 10.88.0.2:80`
pub(super) fn translate_one(
    owner: &Owner,
    published: (Option<IpAddr>, L4Proto, Port),
    container: (IpAddr, Port),
) -> Rule {
    let version = IpVersion::of(container.0);
    // The second long register, as nft does it, for either version.
    let (address, port) = (Register::word(0), Register::word(4));
    let mut exprs = of_version(version).to_vec();
    exprs.extend(match_published(version, published.0, published.1, published.2));
    exprs.push(Immediate::value(address, octets(container.0)).into());
    exprs.push(Immediate::value(port, container.1.number().to_be_bytes()).into());
    let flags = NatFlags(NatFlags::MAP_IPS | NatFlags::PROTO_SPECIFIED);
    exprs.push(
        Nat {
            kind: NatKind::Dnat,
            family: Family::of(version),
            addr_min: Some(address),
            addr_max: Some(address),
            proto_min: Some(port),
            proto_max: Some(port),
            flags,
        }
        .into(),
    );
    Rule { exprs, userdata: owner.silent_userdata() }
}

/// An address as it goes over the wire.
pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

pub(super) fn jump(chain: Name) -> Expr {
    Immediate::Verdict(Verdict::Jump(chain)).into()
}

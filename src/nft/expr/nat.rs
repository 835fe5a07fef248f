//! `nat`: translates a flow's source or destination.

use super::{Expression, Fields, Register, kernel_numbers, put_maybe};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;
use crate::nft::{DataType, Family};

const NFTA_NAT_TYPE: u16 = 1;
const NFTA_NAT_FAMILY: u16 = 2;
const NFTA_NAT_REG_ADDR_MIN: u16 = 3;
const NFTA_NAT_REG_ADDR_MAX: u16 = 4;
const NFTA_NAT_REG_PROTO_MIN: u16 = 5;
const NFTA_NAT_REG_PROTO_MAX: u16 = 6;
const NFTA_NAT_FLAGS: u16 = 7;

kernel_numbers! {
    /// Which end (`NFT_NAT_*`).
    NatKind {
        /// The source.
        Snat = 0 "snat",
        /// The destination.
        Dnat = 1 "dnat",
    }
}

/// How to choose (`NF_NAT_RANGE_*` of linux/netfilter/nf_nat.h).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NatFlags(pub u32);

impl NatFlags {
    /// An address is given; the kernel fills this in.
    pub const MAP_IPS: u32 = 1;
    /// A port is given; the kernel fills this in.
    pub const PROTO_SPECIFIED: u32 = 2;
    /// `random`.
    pub const RANDOM: u32 = 4;
    /// `persistent`.
    pub const PERSISTENT: u32 = 8;
    /// `fully-random`.
    pub const FULLY_RANDOM: u32 = 16;
    /// `prefix`: a network maps to a network.
    pub const NETMAP: u32 = 64;

    /// nft's words for the flags that users give.
    pub(super) fn words(self) -> Vec<&'static str> {
        [
            (NatFlags::RANDOM, "random"),
            (NatFlags::FULLY_RANDOM, "fully-random"),
            (NatFlags::PERSISTENT, "persistent"),
        ]
        .into_iter()
        .filter(|(bit, _)| self.0 & bit != 0)
        .map(|(_, word)| word)
        .collect()
    }
}

/// `dnat ip to 10.88.0.2:80`, `snat to …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    /// Which end.
    pub kind: NatKind,
    /// Of packets of this family; others pass unchanged.
    pub family: Family,
    /// Lowest address.
    pub addr_min: Option<Register>,
    /// Highest address.
    pub addr_max: Option<Register>,
    /// Lowest port.
    pub proto_min: Option<Register>,
    /// Highest port.
    pub proto_max: Option<Register>,
    /// How to choose.
    pub flags: NatFlags,
}

impl Nat {
    /// `dnat FAMILY to ADDRESS:PORT` with one address and one port in registers.
    ///
    /// The bounds and flags that the kernel would fill in are given, so that what it lists equals
    /// what was asked for.
    #[must_use]
    pub fn dnat(family: Family, addr: Register, proto: Option<Register>) -> Self {
        let port = if proto.is_some() { NatFlags::PROTO_SPECIFIED } else { 0 };
        Nat {
            kind: NatKind::Dnat,
            family,
            addr_min: Some(addr),
            addr_max: Some(addr),
            proto_min: proto,
            proto_max: proto,
            flags: NatFlags(NatFlags::MAP_IPS | port),
        }
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let address = match self.family {
            Family::Ip6 => DataType::Ipv6Addr,
            _ => DataType::Ipv4Addr,
        };
        let mut words = vec![self.kind.word().to_owned()];
        if listing.is_dual_stack() && self.addr_min.is_some() {
            words.push(self.family.to_string());
        }
        if self.flags.0 & NatFlags::NETMAP != 0 {
            words.push("prefix".to_owned());
        }
        words.push("to".to_owned());
        words.push(nat_target(
            listing,
            self.addr_min.map(|min| (min, self.addr_max.unwrap_or(min), address)),
            self.proto_min.map(|min| (min, self.proto_max.unwrap_or(min))),
        ));
        words.extend([self.flags.words().join(",")].into_iter().filter(|word| !word.is_empty()));
        listing.word(words.join(" "));
    }
}

/// `10.88.0.2:80`, `[fd00:88::2]:80`, `:1024-2048`, or the map that both come from.
pub(super) fn nat_target(
    listing: &mut RuleListing<'_>,
    address: Option<(Register, Register, DataType)>,
    port: Option<(Register, Register)>,
) -> String {
    let mut text = String::new();
    if let Some((min, max, data_type)) = address {
        if let Some(map) = listing.map_in(min) {
            return map;
        }
        let brackets = data_type == DataType::Ipv6Addr && port.is_some();
        let close = |text: String| if brackets { format!("[{text}]") } else { text };
        text = match listing.prefix_between(min, max, data_type) {
            Some(prefix) => prefix,
            None if min == max => close(listing.value(min, data_type)),
            None => {
                let low = close(listing.value(min, data_type));
                format!("{low}-{}", close(listing.value(max, data_type)))
            }
        };
    }
    if let Some((min, max)) = port {
        let low = listing.value(min, DataType::InetService);
        let high = listing.value(max, DataType::InetService);
        let range = if min == max || low == high { low } else { format!("{low}-{high}") };
        text = format!("{text}:{range}");
    }
    text
}

impl Expression for Nat {
    const NAME: &'static str = "nat";
    const KNOWN: &'static [u16] = &[
        NFTA_NAT_TYPE,
        NFTA_NAT_FAMILY,
        NFTA_NAT_REG_ADDR_MIN,
        NFTA_NAT_REG_ADDR_MAX,
        NFTA_NAT_REG_PROTO_MIN,
        NFTA_NAT_REG_PROTO_MAX,
        NFTA_NAT_FLAGS,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_be32(NFTA_NAT_TYPE, self.kind.number());
        message.put_be32(NFTA_NAT_FAMILY, u32::from(self.family.number()));
        put_maybe(message, NFTA_NAT_REG_ADDR_MIN, self.addr_min);
        put_maybe(message, NFTA_NAT_REG_ADDR_MAX, self.addr_max);
        put_maybe(message, NFTA_NAT_REG_PROTO_MIN, self.proto_min);
        put_maybe(message, NFTA_NAT_REG_PROTO_MAX, self.proto_max);
        if self.flags != NatFlags::default() {
            message.put_be32(NFTA_NAT_FLAGS, self.flags.0);
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let family = attributes.need_be32(NFTA_NAT_FAMILY)?;
        Ok(Nat {
            kind: NatKind::from_number(attributes.need_be32(NFTA_NAT_TYPE)?),
            family: Family::from_number(u8::try_from(family).unwrap_or(0)),
            addr_min: attributes.maybe_register(NFTA_NAT_REG_ADDR_MIN)?,
            addr_max: attributes.maybe_register(NFTA_NAT_REG_ADDR_MAX)?,
            proto_min: attributes.maybe_register(NFTA_NAT_REG_PROTO_MIN)?,
            proto_max: attributes.maybe_register(NFTA_NAT_REG_PROTO_MAX)?,
            flags: NatFlags(attributes.maybe_be32(NFTA_NAT_FLAGS)?.unwrap_or(0)),
        })
    }
}

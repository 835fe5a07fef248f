//! Flows and what selects them.

use std::net::IpAddr;

use crate::net::{IpVersion, L4Proto};
use crate::netlink::{Attributes, Malformed, Message, MessageBuilder};

pub(super) const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ZONE: u16 = 18;
pub(super) const CTA_ID: u16 = 12;
const CTA_FILTER: u16 = 25;
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;
const CTA_IP_V6_SRC: u16 = 3;
const CTA_IP_V6_DST: u16 = 4;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_SRC_PORT: u16 = 2;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_FILTER_ORIG_FLAGS: u16 = 1;
const CTA_FILTER_REPLY_FLAGS: u16 = 2;

/// `CTA_FILTER_FLAG(…)` of the kernel's internal header: which parts of a tuple must be equal.
const F_IP_SRC: u32 = 1 << 0;
const F_IP_DST: u32 = 1 << 1;
const F_PROTO_NUM: u32 = 1 << 3;
const F_PROTO_DST_PORT: u32 = 1 << 5;

/// One direction of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuple {
    /// Who sends.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// `IPPROTO_*`.
    pub proto: u8,
    /// The sender's port; 0 for protocols without.
    pub source_port: u16,
    /// The receiver's port; 0 for protocols without.
    pub destination_port: u16,
}

/// A tracked flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// As its first packet went.
    pub original: Tuple,
    /// As its answers go: from whom it was really delivered to.
    pub reply: Tuple,
    /// What names it to the kernel: the attributes of its original tuple, its zone and its id.
    /// Filled in for flows that are kept; most are looked at and dropped.
    pub(super) identity: Vec<(u16, Vec<u8>)>,
}

/// What flows to list. The kernel compares, so that only these are handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowFilter {
    /// Of this IP version.
    pub version: IpVersion,
    /// Of this protocol.
    pub proto: L4Proto,
    /// Sent to this address at first.
    pub original_destination: Option<IpAddr>,
    /// Sent to this port at first.
    pub original_port: Option<u16>,
    /// Answered by this address.
    pub reply_source: Option<IpAddr>,
}

impl FlowFilter {
    /// All flows of a version and protocol.
    #[must_use]
    pub fn of(version: IpVersion, proto: L4Proto) -> Self {
        FlowFilter {
            version,
            proto,
            original_destination: None,
            original_port: None,
            reply_source: None,
        }
    }

    pub(super) fn family(&self) -> u8 {
        self.version.family_number()
    }

    /// Whether a flow is selected: the kernel's comparison, for kernels that ignore the filter.
    #[must_use]
    pub fn selects(&self, flow: &Flow) -> bool {
        flow.original.proto == self.proto.number()
            && self.original_destination.is_none_or(|to| to == flow.original.destination)
            && self.original_port.is_none_or(|port| port == flow.original.destination_port)
            && self.reply_source.is_none_or(|from| from == flow.reply.source)
    }

    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        let mut original = F_PROTO_NUM;
        let tuple = message.nest(CTA_TUPLE_ORIG);
        // IPv6 addresses are left to `selects`: Linux before 6.12 compares them the wrong way round
        // and lists every flow but those that are asked for (seen on 5.10 and 6.1).
        if let Some(address @ IpAddr::V4(_)) = self.original_destination {
            original |= F_IP_DST;
            put_address(message, address, CTA_IP_V4_DST, CTA_IP_V6_DST);
        }
        let proto = message.nest(CTA_TUPLE_PROTO);
        message.put_u8(CTA_PROTO_NUM, self.proto.number());
        if let Some(port) = self.original_port {
            original |= F_PROTO_DST_PORT;
            message.put_be16(CTA_PROTO_DST_PORT, port);
        }
        message.end(proto);
        message.end(tuple);
        let mut reply = 0;
        if let Some(address @ IpAddr::V4(_)) = self.reply_source {
            reply |= F_IP_SRC;
            let tuple = message.nest(CTA_TUPLE_REPLY);
            put_address(message, address, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
            message.end(tuple);
        }
        let filter = message.nest(CTA_FILTER);
        message.put(CTA_FILTER_ORIG_FLAGS, &original.to_ne_bytes());
        message.put(CTA_FILTER_REPLY_FLAGS, &reply.to_ne_bytes());
        message.end(filter);
    }
}

fn put_address(message: &mut MessageBuilder, address: IpAddr, v4: u16, v6: u16) {
    let ip = message.nest(CTA_TUPLE_IP);
    match address {
        IpAddr::V4(address) => message.put(v4, &address.octets()),
        IpAddr::V6(address) => message.put(v6, &address.octets()),
    }
    message.end(ip);
}

impl Flow {
    pub(super) fn decode(message: &Message<'_>) -> Result<Self, Malformed> {
        let attributes = message.attributes();
        let original = attributes.need(CTA_TUPLE_ORIG, "flow without an original tuple")?;
        let reply = attributes.need(CTA_TUPLE_REPLY, "flow without a reply tuple")?;
        Ok(Flow {
            original: tuple(original.nested())?,
            reply: tuple(reply.nested())?,
            identity: Vec::new(),
        })
    }

    /// Takes over what names the flow to the kernel from the message that it was decoded from.
    pub(super) fn identify(&mut self, message: &Message<'_>) {
        let attributes = message.attributes();
        self.identity = [CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID]
            .into_iter()
            .filter_map(|kind| attributes.find(kind))
            .map(|attribute| (attribute.kind, attribute.value.to_vec()))
            .collect();
    }
}

fn tuple(attributes: Attributes<'_>) -> Result<Tuple, Malformed> {
    let ip = attributes.need(CTA_TUPLE_IP, "tuple without addresses")?.nested();
    let proto = attributes.need(CTA_TUPLE_PROTO, "tuple without a protocol")?.nested();
    let port = |kind| proto.find(kind).map_or(Ok(0), |port| port.be16());
    Ok(Tuple {
        source: address(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC)?,
        destination: address(ip, CTA_IP_V4_DST, CTA_IP_V6_DST)?,
        proto: proto.need(CTA_PROTO_NUM, "tuple without a protocol number")?.u8()?,
        source_port: port(CTA_PROTO_SRC_PORT)?,
        destination_port: port(CTA_PROTO_DST_PORT)?,
    })
}

fn address(ip: Attributes<'_>, v4: u16, v6: u16) -> Result<IpAddr, Malformed> {
    let bytes = match ip.find(v4) {
        Some(address) => address,
        None => ip.need(v6, "tuple without an address")?,
    };
    let malformed =
        Malformed { what: "expected an address", kind: bytes.kind, length: bytes.value.len() };
    match bytes.value.len() {
        4 => <[u8; 4]>::try_from(bytes.value).map(IpAddr::from).map_err(|_| malformed),
        _ => <[u8; 16]>::try_from(bytes.value).map(IpAddr::from).map_err(|_| malformed),
    }
}

//! Stateful objects of connection tracking: helpers, timeouts and expectations.

use super::Family;
use crate::netlink::{Attributes, Malformed, MessageBuilder};

const NFTA_CT_HELPER_NAME: u16 = 1;
const NFTA_CT_HELPER_L3PROTO: u16 = 2;
const NFTA_CT_HELPER_L4PROTO: u16 = 3;
const NFTA_CT_TIMEOUT_L3PROTO: u16 = 1;
const NFTA_CT_TIMEOUT_L4PROTO: u16 = 2;
const NFTA_CT_TIMEOUT_DATA: u16 = 3;
const NFTA_CT_EXPECT_L3PROTO: u16 = 1;
const NFTA_CT_EXPECT_L4PROTO: u16 = 2;
const NFTA_CT_EXPECT_DPORT: u16 = 3;
const NFTA_CT_EXPECT_TIMEOUT: u16 = 4;
const NFTA_CT_EXPECT_SIZE: u16 = 5;

/// `ct helper NAME { type "ftp" protocol tcp; l3proto inet; }`: what `ct helper set` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtHelper {
    /// The kernel's name of the helper: `ftp`, `tftp`, `sip`, …
    pub helper: String,
    /// `inet` for both; the table's where it is left out on the command line.
    pub l3proto: Family,
    /// Transport protocol.
    pub l4proto: u8,
}

/// `ct timeout NAME { protocol tcp; policy = { established : 100 }; }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtTimeout {
    /// As of [`CtHelper`].
    pub l3proto: Family,
    /// Transport protocol.
    pub l4proto: u8,
    /// Seconds by state: `CTA_TIMEOUT_TCP_*`, `CTA_TIMEOUT_UDP_*`, …; the kernel lists all.
    pub seconds: Vec<(u16, u32)>,
}

/// `ct expectation NAME { protocol tcp; dport 5432; timeout 1h; size 12; }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtExpectation {
    /// As of [`CtHelper`].
    pub l3proto: Family,
    /// Transport protocol.
    pub l4proto: u8,
    /// The port of the expected flows.
    pub dport: u16,
    /// How long they are expected, in milliseconds.
    pub timeout: u32,
    /// How many of them at a time.
    pub size: u8,
}

impl CtHelper {
    pub(super) fn put(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_CT_HELPER_NAME, &self.helper);
        message.put_u8(NFTA_CT_HELPER_L4PROTO, self.l4proto);
        message.put_be16(NFTA_CT_HELPER_L3PROTO, u16::from(self.l3proto.number()));
    }

    pub(super) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        Ok(CtHelper {
            helper: attributes
                .need(NFTA_CT_HELPER_NAME, "helper without a name")?
                .text()?
                .to_owned(),
            l3proto: family(attributes, NFTA_CT_HELPER_L3PROTO)?,
            l4proto: attributes.need(NFTA_CT_HELPER_L4PROTO, "helper without protocol")?.u8()?,
        })
    }
}

impl CtTimeout {
    pub(super) fn put(&self, message: &mut MessageBuilder) {
        message.put_u8(NFTA_CT_TIMEOUT_L4PROTO, self.l4proto);
        message.put_be16(NFTA_CT_TIMEOUT_L3PROTO, u16::from(self.l3proto.number()));
        let data = message.nest(NFTA_CT_TIMEOUT_DATA);
        for (state, seconds) in &self.seconds {
            message.put_be32(*state, *seconds);
        }
        message.end(data);
    }

    pub(super) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let mut seconds = Vec::new();
        let data = attributes.find(NFTA_CT_TIMEOUT_DATA);
        for state in data.into_iter().flat_map(|data| data.nested()) {
            let state = state?;
            seconds.push((state.kind, state.be32()?));
        }
        Ok(CtTimeout {
            l3proto: family(attributes, NFTA_CT_TIMEOUT_L3PROTO)?,
            l4proto: attributes.need(NFTA_CT_TIMEOUT_L4PROTO, "timeout without protocol")?.u8()?,
            seconds,
        })
    }
}

impl CtExpectation {
    pub(super) fn put(&self, message: &mut MessageBuilder) {
        message.put_be16(NFTA_CT_EXPECT_L3PROTO, u16::from(self.l3proto.number()));
        message.put_u8(NFTA_CT_EXPECT_L4PROTO, self.l4proto);
        message.put_be16(NFTA_CT_EXPECT_DPORT, self.dport);
        // The kernel reads and writes it in host order.
        message.put(NFTA_CT_EXPECT_TIMEOUT, &self.timeout.to_ne_bytes());
        message.put_u8(NFTA_CT_EXPECT_SIZE, self.size);
    }

    pub(super) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let need = |kind| attributes.need(kind, "expectation lacks a number");
        let timeout = need(NFTA_CT_EXPECT_TIMEOUT)?;
        let host: [u8; 4] = timeout.value.try_into().map_err(|_| Malformed {
            what: "expected a number",
            kind: timeout.kind,
            length: timeout.value.len(),
        })?;
        Ok(CtExpectation {
            l3proto: family(attributes, NFTA_CT_EXPECT_L3PROTO)?,
            l4proto: need(NFTA_CT_EXPECT_L4PROTO)?.u8()?,
            dport: need(NFTA_CT_EXPECT_DPORT)?.be16()?,
            timeout: u32::from_ne_bytes(host),
            size: need(NFTA_CT_EXPECT_SIZE)?.u8()?,
        })
    }
}

fn family(attributes: Attributes<'_>, kind: u16) -> Result<Family, Malformed> {
    let number = attributes.need(kind, "object without a network protocol")?.be16()?;
    Ok(Family::from_number(u8::try_from(number).unwrap_or(0)))
}

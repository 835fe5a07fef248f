//! `objref`: a stateful object, by name or through a map.

use super::{Expression, Fields, Register, SetRef, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::Name;
use crate::nft::listing::RuleListing;
use crate::nft::object::type_word;

const NFTA_OBJREF_IMM_TYPE: u16 = 1;
const NFTA_OBJREF_IMM_NAME: u16 = 2;
const NFTA_OBJREF_SET_SREG: u16 = 3;
const NFTA_OBJREF_SET_NAME: u16 = 4;
const NFTA_OBJREF_SET_ID: u16 = 5;

/// `counter name "…"`, `counter name ip saddr map @objects`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objref {
    /// By name.
    Named {
        /// `NFT_OBJECT_*`.
        kind: u32,
        /// Its name.
        name: Name,
    },
    /// Through a map of objects.
    Mapped {
        /// The key.
        sreg: Register,
        /// The map; one of the rule's own has the type of its objects in it.
        set: SetRef,
    },
}

impl Objref {
    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        let text = match self {
            Objref::Named { kind, name } => {
                format!("{} {} \"{name}\"", type_word(*kind), verb(*kind))
            }
            Objref::Mapped { sreg, set } => {
                let (kind, key, map) = listing.object_map(set, *sreg);
                format!("{} {} {key} map {map}", type_word(kind), verb(kind))
            }
        };
        listing.word(text);
    }
}

/// What nft writes between the type of an object and its name: some are given to the flow, the
/// others are asked.
fn verb(kind: u32) -> &'static str {
    match type_word(kind) {
        "ct helper" | "ct timeout" | "ct expectation" => "set",
        _ => "name",
    }
}

impl Expression for Objref {
    const NAME: &'static str = "objref";
    const KNOWN: &'static [u16] = &[
        NFTA_OBJREF_IMM_TYPE,
        NFTA_OBJREF_IMM_NAME,
        NFTA_OBJREF_SET_SREG,
        NFTA_OBJREF_SET_NAME,
        NFTA_OBJREF_SET_ID,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        match self {
            Objref::Named { kind, name } => {
                message.put_str(NFTA_OBJREF_IMM_NAME, name.as_str());
                message.put_be32(NFTA_OBJREF_IMM_TYPE, *kind);
            }
            Objref::Mapped { sreg, set } => {
                put_register(message, NFTA_OBJREF_SET_SREG, *sreg);
                message.put_str(NFTA_OBJREF_SET_NAME, set.name().as_str());
                if let SetRef::Anonymous { id, .. } = set {
                    message.put_be32(NFTA_OBJREF_SET_ID, *id);
                }
            }
        }
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        match attributes.find(NFTA_OBJREF_IMM_NAME) {
            Some(name) => Ok(Objref::Named {
                kind: attributes.need_be32(NFTA_OBJREF_IMM_TYPE)?,
                name: crate::nft::rule::name(name.text()?)?,
            }),
            None => {
                let set = attributes.need(NFTA_OBJREF_SET_NAME, "objref without a name")?;
                Ok(Objref::Mapped {
                    sreg: attributes.need_register(NFTA_OBJREF_SET_SREG)?,
                    set: SetRef::Named(crate::nft::rule::name(set.text()?)?),
                })
            }
        }
    }
}

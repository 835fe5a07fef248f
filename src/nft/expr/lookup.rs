//! `lookup`: is a register in a set, and what does a map hold for it.

use super::{Expression, Fields, Register, put_maybe, put_register};
use crate::netlink::{Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;
use crate::nft::{Element, Name, Set};

const NFTA_LOOKUP_SET: u16 = 1;
const NFTA_LOOKUP_SREG: u16 = 2;
const NFTA_LOOKUP_DREG: u16 = 3;
const NFTA_LOOKUP_SET_ID: u16 = 4;
const NFTA_LOOKUP_FLAGS: u16 = 5;

/// The set that a rule looks into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetRef {
    /// By name: `@set`. As listed by the kernel also `__set3`, a set that belongs to the rule.
    Named(Name),
    /// One that is made with the rule: `{ 80, 443 }`. The id ties both together in a batch.
    Anonymous {
        /// The set.
        set: Box<Set>,
        /// What is in it.
        elements: Vec<Element>,
        /// Its number in the batch; given by the transaction.
        id: u32,
    },
}

impl SetRef {
    /// A set that belongs to one rule.
    #[must_use]
    pub fn anonymous(set: Set, elements: Vec<Element>) -> Self {
        SetRef::Anonymous { set: Box::new(set), elements, id: 0 }
    }

    /// The name as it goes over netlink.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            SetRef::Named(name) => name,
            SetRef::Anonymous { set, .. } => &set.name,
        }
    }

    /// Whether both are one: of those that belong to a rule only that they do, since the kernel
    /// numbers them.
    pub(super) fn is_same(&self, other: &SetRef) -> bool {
        match (self.is_anonymous(), other.is_anonymous()) {
            (true, true) => true,
            (false, false) => self.name() == other.name(),
            (true, false) | (false, true) => false,
        }
    }

    /// Whether the set belongs to the rule: made with it, or named by the kernel's counter.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        match self {
            SetRef::Named(name) => {
                ["__set", "__map", "__objmap"].iter().any(|own| name.as_str().starts_with(own))
            }
            SetRef::Anonymous { .. } => true,
        }
    }
}

/// `… @set`, `… != @set`, `… map @map`, `… vmap @map`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Where.
    pub set: SetRef,
    /// What.
    pub sreg: Register,
    /// Where a map's value goes; [`Register::VERDICT`] for a verdict map.
    pub dreg: Option<Register>,
    /// Whether it must not be there.
    pub inverted: bool,
}

impl Lookup {
    /// `@set`.
    #[must_use]
    pub fn in_set(set: Name, sreg: Register) -> Self {
        Lookup { set: SetRef::Named(set), sreg, dreg: None, inverted: false }
    }

    /// `map @map` into a register, or `vmap @map` into the verdict.
    #[must_use]
    pub fn in_map(map: Name, sreg: Register, dreg: Register) -> Self {
        Lookup { set: SetRef::Named(map), sreg, dreg: Some(dreg), inverted: false }
    }

    pub(super) fn is_same(&self, other: &Lookup) -> bool {
        self.set.is_same(&other.set)
            && self.sreg == other.sreg
            && self.dreg == other.dreg
            && self.inverted == other.inverted
    }

    pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
        listing.lookup(self);
    }
}

impl Expression for Lookup {
    const NAME: &'static str = "lookup";
    const KNOWN: &'static [u16] = &[
        NFTA_LOOKUP_SET,
        NFTA_LOOKUP_SREG,
        NFTA_LOOKUP_DREG,
        NFTA_LOOKUP_SET_ID,
        NFTA_LOOKUP_FLAGS,
    ];

    fn encode(&self, message: &mut MessageBuilder) {
        message.put_str(NFTA_LOOKUP_SET, self.set.name().as_str());
        put_register(message, NFTA_LOOKUP_SREG, self.sreg);
        put_maybe(message, NFTA_LOOKUP_DREG, self.dreg);
        if let SetRef::Anonymous { id, .. } = &self.set {
            message.put_be32(NFTA_LOOKUP_SET_ID, *id);
        }
        message.put_be32(NFTA_LOOKUP_FLAGS, u32::from(self.inverted));
    }

    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let set = attributes.need(NFTA_LOOKUP_SET, "lookup without a set")?.text()?;
        Ok(Lookup {
            set: SetRef::Named(crate::nft::rule::name(set)?),
            sreg: attributes.need_register(NFTA_LOOKUP_SREG)?,
            dreg: attributes.maybe_register(NFTA_LOOKUP_DREG)?,
            inverted: attributes.maybe_be32(NFTA_LOOKUP_FLAGS)?.unwrap_or(0) & 1 != 0,
        })
    }
}

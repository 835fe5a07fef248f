//! Expressions: the instructions of a rule, one file for each.
//!
//! Each type encodes, decodes and lists itself. A known expression with an attribute that its
//! type has no place for, and an expression without a type here, is kept whole as
//! [`Expr::Other`]. Attribute numbers are `NFTA_<NAME>_*` of `linux/netfilter/nf_tables.h`; the
//! order of attributes is the kernel's own, so that a decoded rule encodes to the same bytes.

mod bitwise;
mod byteorder;
mod cmp;
mod counter;
mod ct;
mod dynset;
mod fib;
mod immediate;
mod limit;
mod log;
mod lookup;
mod masquerade;
mod meta;
mod nat;
mod notrack;
mod numgen;
mod objref;
mod payload;
mod range;
mod redirect;
mod register;
mod reject;
mod verdict;

pub use bitwise::{Bitwise, BitwiseOp};
pub use byteorder::{Byteorder, ByteorderOp};
pub use cmp::{Cmp, CmpOp};
pub use counter::Counter;
pub use ct::{Ct, CtDirection, CtKey};
pub use dynset::{Dynset, DynsetOp};
pub(in crate::nft) use dynset::listing_time;
pub use fib::{Fib, FibResult};
pub use immediate::Immediate;
pub use limit::{Limit, LimitKind};
pub use log::{Log, LogTarget};
pub use lookup::{Lookup, SetRef};
pub use masquerade::Masquerade;
pub use meta::{Meta, MetaKey};
pub use nat::{Nat, NatFlags, NatKind};
pub use notrack::Notrack;
pub use numgen::{Numgen, NumgenKind};
pub use objref::Objref;
pub use payload::{Checksum, Payload, PayloadBase, PayloadWrite};
pub use range::Range;
pub use redirect::Redirect;
pub use register::Register;
pub use reject::{Reject, RejectKind};
pub use verdict::Verdict;

use super::listing::RuleListing;
use crate::netlink::{Attribute, Attributes, Malformed, MessageBuilder};

const NFTA_LIST_ELEM: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expr {
    /// Loads bytes of the packet.
    Payload(Payload),
    /// Writes bytes of the packet.
    PayloadWrite(PayloadWrite),
    /// Reads or sets what the kernel knows of the packet: mark, interface, protocol, …
    Meta(Meta),
    /// Compares a register.
    Cmp(Cmp),
    /// Compares a register with a range.
    Range(Range),
    /// Masks, xors or shifts a register.
    Bitwise(Bitwise),
    /// Swaps bytes between host and network order.
    Byteorder(Byteorder),
    /// Looks a register up in a set or map.
    Lookup(Lookup),
    /// Loads a constant into a register, or gives a verdict.
    Immediate(Immediate),
    /// Reads or sets what connection tracking knows of the flow.
    Ct(Ct),
    /// Asks the routing table.
    Fib(Fib),
    /// Translates source or destination.
    Nat(Nat),
    /// Translates the source to the outgoing interface's address.
    Masquerade(Masquerade),
    /// Translates the destination to this host.
    Redirect(Redirect),
    /// Excludes the packet from connection tracking.
    Notrack(Notrack),
    /// Counts.
    Counter(Counter),
    /// Logs.
    Log(Log),
    /// Refuses with an answer.
    Reject(Reject),
    /// Matches up to a rate.
    Limit(Limit),
    /// Adds to, updates in, or deletes from a set.
    Dynset(Dynset),
    /// Refers to a stateful object.
    Objref(Objref),
    /// Makes numbers.
    Numgen(Numgen),
    /// Any other, kept whole.
    Other(Opaque),
}

/// An expression that has no type here: its name and its attributes as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// The kernel's name for it.
    pub name: String,
    /// The attributes inside `NFTA_EXPR_DATA`.
    pub data: Vec<u8>,
}

/// What each expression's type can do.
trait Expression: Sized {
    /// The kernel's name for it.
    const NAME: &'static str;
    /// The attributes that the type has a place for. Padding (of 64-bit values) is none.
    const KNOWN: &'static [u16];
    /// Puts its attributes.
    fn encode(&self, message: &mut MessageBuilder);
    /// Reads its attributes.
    fn decode(attributes: Attributes<'_>) -> Result<Self, Malformed>;
}

macro_rules! dispatch {
    ($($variant:ident($kind:ty)),+ $(,)?) => {
        impl Expr {
            /// The kernel's name of the expression.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Expr::$variant(_) => <$kind>::NAME,)+
                    Expr::Other(opaque) => &opaque.name,
                }
            }

            fn encode_attributes(&self, message: &mut MessageBuilder) {
                match self {
                    $(Expr::$variant(expr) => expr.encode(message),)+
                    Expr::Other(_) => {}
                }
            }

            /// Lists it as nft would, given what came before in the rule.
            pub(super) fn list(&self, listing: &mut RuleListing<'_>) {
                match self {
                    $(Expr::$variant(expr) => expr.list(listing),)+
                    Expr::Other(opaque) => listing.word(format!("# unknown {}", opaque.name)),
                }
            }
        }

        $(impl From<$kind> for Expr {
            fn from(expr: $kind) -> Self {
                Expr::$variant(expr)
            }
        })+
    };
}

dispatch! {
    Payload(Payload), PayloadWrite(PayloadWrite), Meta(Meta), Cmp(Cmp), Range(Range),
    Bitwise(Bitwise), Byteorder(Byteorder), Lookup(Lookup), Immediate(Immediate), Ct(Ct),
    Fib(Fib), Nat(Nat), Masquerade(Masquerade), Redirect(Redirect), Notrack(Notrack),
    Counter(Counter), Log(Log), Reject(Reject), Limit(Limit), Dynset(Dynset), Objref(Objref),
    Numgen(Numgen),
}

impl Expr {
    /// Puts the expression as an element of a list.
    pub(super) fn encode(&self, message: &mut MessageBuilder) {
        self.encode_as(message, NFTA_LIST_ELEM);
    }

    /// Puts the expression as an attribute of its own.
    pub(super) fn encode_as(&self, message: &mut MessageBuilder, kind: u16) {
        let element = message.nest(kind);
        message.put_str(NFTA_EXPR_NAME, self.name());
        if let Expr::Other(opaque) = self {
            message.put(NFTA_EXPR_DATA, &opaque.data);
        } else {
            let data = message.nest(NFTA_EXPR_DATA);
            self.encode_attributes(message);
            message.end(data);
        }
        message.end(element);
    }

    /// Reads an element of a list of expressions.
    pub(super) fn decode(element: Attribute<'_>) -> Result<Self, Malformed> {
        let name = element.nested().need(NFTA_EXPR_NAME, "expression without a name")?.text()?;
        let data = element.nested().find(NFTA_EXPR_DATA).map_or(&[][..], |data| data.value);
        let attributes = Attributes::new(data);
        let typed = match name {
            PayloadWrite::NAME if attributes.find(payload::NFTA_PAYLOAD_SREG).is_some() => {
                decode::<PayloadWrite>(attributes)?
            }
            Payload::NAME => decode::<Payload>(attributes)?,
            Meta::NAME => decode::<Meta>(attributes)?,
            Cmp::NAME => decode::<Cmp>(attributes)?,
            Range::NAME => decode::<Range>(attributes)?,
            Bitwise::NAME => decode::<Bitwise>(attributes)?,
            Byteorder::NAME => decode::<Byteorder>(attributes)?,
            Lookup::NAME => decode::<Lookup>(attributes)?,
            Immediate::NAME => decode::<Immediate>(attributes)?,
            Ct::NAME => decode::<Ct>(attributes)?,
            Fib::NAME => decode::<Fib>(attributes)?,
            Nat::NAME => decode::<Nat>(attributes)?,
            Masquerade::NAME => decode::<Masquerade>(attributes)?,
            Redirect::NAME => decode::<Redirect>(attributes)?,
            Notrack::NAME => decode::<Notrack>(attributes)?,
            Counter::NAME => decode::<Counter>(attributes)?,
            Log::NAME => decode::<Log>(attributes)?,
            Reject::NAME => decode::<Reject>(attributes)?,
            Limit::NAME => decode::<Limit>(attributes)?,
            Dynset::NAME => decode::<Dynset>(attributes)?,
            Objref::NAME => decode::<Objref>(attributes)?,
            Numgen::NAME => decode::<Numgen>(attributes)?,
            _ => None,
        };
        Ok(typed.unwrap_or_else(|| {
            Expr::Other(Opaque { name: name.to_owned(), data: data.to_vec() })
        }))
    }

    /// Whether two expressions do the same: counts are not compared, and of anonymous sets only
    /// that they are anonymous, since the kernel numbers them.
    #[must_use]
    pub fn is_same(&self, other: &Expr) -> bool {
        match (self, other) {
            (Expr::Counter(_), Expr::Counter(_)) => true,
            (Expr::Lookup(ours), Expr::Lookup(theirs)) => ours.is_same(theirs),
            (ours, theirs) => ours == theirs,
        }
    }
}

/// Decodes one type; `None` if there is an attribute that it has no place for.
fn decode<T: Expression + Into<Expr>>(
    attributes: Attributes<'_>,
) -> Result<Option<Expr>, Malformed> {
    for attribute in attributes {
        if !T::KNOWN.contains(&attribute?.kind) {
            return Ok(None);
        }
    }
    Ok(Some(T::decode(attributes)?.into()))
}

/// Shorthands of the decoders.
trait Fields<'a> {
    fn need_be32(self, kind: u16) -> Result<u32, Malformed>;
    fn maybe_be32(self, kind: u16) -> Result<Option<u32>, Malformed>;
    fn need_register(self, kind: u16) -> Result<Register, Malformed>;
    fn maybe_register(self, kind: u16) -> Result<Option<Register>, Malformed>;
    fn need_data(self, kind: u16) -> Result<Vec<u8>, Malformed>;
}

impl Fields<'_> for Attributes<'_> {
    fn need_be32(self, kind: u16) -> Result<u32, Malformed> {
        self.need(kind, "expression lacks a number")?.be32()
    }

    fn maybe_be32(self, kind: u16) -> Result<Option<u32>, Malformed> {
        self.find(kind).map(|found| found.be32()).transpose()
    }

    fn need_register(self, kind: u16) -> Result<Register, Malformed> {
        Ok(Register(self.need(kind, "expression lacks a register")?.be32()?))
    }

    fn maybe_register(self, kind: u16) -> Result<Option<Register>, Malformed> {
        Ok(self.maybe_be32(kind)?.map(Register))
    }

    fn need_data(self, kind: u16) -> Result<Vec<u8>, Malformed> {
        let data = self.need(kind, "expression lacks data")?;
        Ok(data.nested().need(NFTA_DATA_VALUE, "data without a value")?.value.to_vec())
    }
}

/// Puts bytes as `NFTA_DATA_VALUE` in a nest.
fn put_data(message: &mut MessageBuilder, kind: u16, value: &[u8]) {
    let data = message.nest(kind);
    message.put(NFTA_DATA_VALUE, value);
    message.end(data);
}

/// Puts a register number.
fn put_register(message: &mut MessageBuilder, kind: u16, register: Register) {
    message.put_be32(kind, register.0);
}

/// Puts a register number if there is one.
fn put_maybe(message: &mut MessageBuilder, kind: u16, register: Option<Register>) {
    if let Some(register) = register {
        put_register(message, kind, register);
    }
}

/// An enum of the kernel's numbers: named ones, and `Other` for those that came later.
macro_rules! kernel_numbers {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A number without a name here.
            Other(u32),
        }

        impl $name {
            /// The kernel's number.
            #[must_use]
            pub fn number(self) -> u32 {
                match self {
                    $($name::$variant => $number,)+
                    $name::Other(number) => number,
                }
            }

            /// The value with that number.
            #[must_use]
            pub fn from_number(number: u32) -> Self {
                match number {
                    $($number => $name::$variant,)+
                    number => $name::Other(number),
                }
            }

            /// nft's word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                    $name::Other(_) => "unknown",
                }
            }
        }
    };
}
use kernel_numbers;

#[cfg(test)]
mod tests;

//! [`Expr`]: all types of expressions as one, and what has no type kept whole.

use super::fields::{Expression, NFTA_LIST_ELEM};
use super::payload::NFTA_PAYLOAD_SREG;
use super::{
    Bitwise, Byteorder, Cmp, Connlimit, Counter, Ct, Dup, Dynset, Exthdr, Fib, Fwd, Hash,
    Immediate, Last, Limit, Log, Lookup, Masquerade, Meta, Nat, Notrack, Numgen, Objref, Osf,
    Payload, PayloadWrite, Queue, Quota, Range, Redirect, Reject, Rt, SetRef, Socket, Synproxy,
    Tproxy, Xfrm,
};
use crate::netlink::{Attribute, Attributes, Malformed, MessageBuilder};
use crate::nft::listing::RuleListing;

const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;

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
    /// Matches up to so many flows at a time.
    Connlimit(Connlimit),
    /// Sends a copy elsewhere.
    Dup(Dup),
    /// Reads or writes extension headers and options.
    Exthdr(Exthdr),
    /// Sends the packet out of another interface.
    Fwd(Fwd),
    /// Makes a number of bytes or of a flow.
    Hash(Hash),
    /// Remembers when a packet last came.
    Last(Last),
    /// Guesses the sender's operating system.
    Osf(Osf),
    /// Hands packets to a process.
    Queue(Queue),
    /// Matches up to so many bytes.
    Quota(Quota),
    /// Reads what routing found.
    Rt(Rt),
    /// Reads what the socket is that a packet is for.
    Socket(Socket),
    /// Answers a SYN itself.
    Synproxy(Synproxy),
    /// Hands the packet to a listening socket.
    Tproxy(Tproxy),
    /// Reads how IPsec handled the packet.
    Xfrm(Xfrm),
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
            pub(in crate::nft) fn list(&self, listing: &mut RuleListing<'_>) {
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
    Numgen(Numgen), Connlimit(Connlimit), Dup(Dup), Exthdr(Exthdr), Fwd(Fwd), Hash(Hash), Last(Last), Osf(Osf), Queue(Queue), Quota(Quota), Rt(Rt), Socket(Socket), Synproxy(Synproxy), Tproxy(Tproxy), Xfrm(Xfrm),
}

impl Expr {
    /// Puts the expression as an element of a list.
    pub(in crate::nft) fn encode(&self, message: &mut MessageBuilder) {
        self.encode_as(message, NFTA_LIST_ELEM);
    }

    /// Puts the expression as an attribute of its own.
    pub(in crate::nft) fn encode_as(&self, message: &mut MessageBuilder, kind: u16) {
        let element = message.nest(kind);
        message.put_str(NFTA_EXPR_NAME, self.name());
        if let Expr::Other(opaque) = self {
            message.put(NFTA_EXPR_DATA, &opaque.data);
        } else if !matches!(self, Expr::Notrack(_)) {
            // The kernel lists no data for an expression without attributes.
            let data = message.nest(NFTA_EXPR_DATA);
            self.encode_attributes(message);
            message.end(data);
        }
        message.end(element);
    }

    /// Reads an element of a list of expressions.
    pub(in crate::nft) fn decode(element: Attribute<'_>) -> Result<Self, Malformed> {
        let name = element.nested().need(NFTA_EXPR_NAME, "expression without a name")?.text()?;
        let data = element.nested().find(NFTA_EXPR_DATA).map_or(&[][..], |data| data.value);
        let attributes = Attributes::new(data);
        let typed = match name {
            PayloadWrite::NAME if attributes.find(NFTA_PAYLOAD_SREG).is_some() => {
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
            Connlimit::NAME => decode::<Connlimit>(attributes)?,
            Dup::NAME => decode::<Dup>(attributes)?,
            Exthdr::NAME => decode::<Exthdr>(attributes)?,
            Fwd::NAME => decode::<Fwd>(attributes)?,
            Hash::NAME => decode::<Hash>(attributes)?,
            Last::NAME => decode::<Last>(attributes)?,
            Osf::NAME => decode::<Osf>(attributes)?,
            Queue::NAME => decode::<Queue>(attributes)?,
            Quota::NAME => decode::<Quota>(attributes)?,
            Rt::NAME => decode::<Rt>(attributes)?,
            Socket::NAME => decode::<Socket>(attributes)?,
            Synproxy::NAME => decode::<Synproxy>(attributes)?,
            Tproxy::NAME => decode::<Tproxy>(attributes)?,
            Xfrm::NAME => decode::<Xfrm>(attributes)?,
            _ => None,
        };
        Ok(typed
            .unwrap_or_else(|| Expr::Other(Opaque { name: name.to_owned(), data: data.to_vec() })))
    }

    /// Whether two expressions do the same: counts are not compared, and of anonymous sets only
    /// that they are anonymous, since the kernel numbers them.
    #[must_use]
    pub fn is_same(&self, other: &Expr) -> bool {
        match (self, other) {
            (Expr::Counter(_), Expr::Counter(_)) | (Expr::Last(_), Expr::Last(_)) => true,
            (Expr::Quota(ours), Expr::Quota(theirs)) => {
                Quota { used: theirs.used, ..*ours } == *theirs
            }
            (Expr::Lookup(ours), Expr::Lookup(theirs)) => ours.is_same(theirs),
            (
                Expr::Objref(Objref::Mapped { sreg, set }),
                Expr::Objref(Objref::Mapped { sreg: of_theirs, set: theirs }),
            ) => sreg == of_theirs && set.is_same(theirs),
            (ours, theirs) => ours == theirs,
        }
    }

    /// The set that it looks into, if it may be one of the rule's own.
    #[must_use]
    pub fn set_ref(&self) -> Option<&SetRef> {
        match self {
            Expr::Lookup(Lookup { set, .. }) | Expr::Objref(Objref::Mapped { set, .. }) => {
                Some(set)
            }
            _ => None,
        }
    }

    pub(in crate::nft) fn set_ref_mut(&mut self) -> Option<&mut SetRef> {
        match self {
            Expr::Lookup(Lookup { set, .. }) | Expr::Objref(Objref::Mapped { set, .. }) => {
                Some(set)
            }
            _ => None,
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

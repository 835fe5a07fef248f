//! Ports: one, a range, a list of both.

use super::Error;
use super::field::{between, transport};
use super::module::Context;
use super::number::number16;
use super::service;
use super::test::{Test, transport_field};
use super::words::Given;
use crate::nft::Expr;
use crate::nft::expr::{CmpOp, Payload};

/// Which port of a transport header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `--sport`
    Source,
    /// `--dport`
    Destination,
}

impl Side {
    /// The port of this side, in the register of single values.
    pub(super) fn field(self) -> Expr {
        transport(match self {
            Side::Source => Payload::TH_SPORT,
            Side::Destination => Payload::TH_DPORT,
        })
    }
}

/// `--dport 80`, `--dport 80:90`, `--dport :90`, `--dport 80:`: `th dport 80-90`.
pub(super) fn port_match(
    given: &Given<'_>,
    side: Side,
    context: Context,
) -> Result<Vec<Expr>, Error> {
    // As iptables does, all but the ports at one end are those at the other.
    Ok(match (range(given, given.value(), context)?, given.negated) {
        ((0, u16::MAX), false) => Vec::new(),
        ((0, last), true) if last < u16::MAX => {
            between(side.field(), false, bytes(last + 1), bytes(u16::MAX))
        }
        ((first, last), negated) => between(side.field(), negated, bytes(first), bytes(last)),
    })
}

/// Whose port an expression loads.
pub(super) fn side_of(field: &Expr) -> Option<Side> {
    match transport_field(field)? {
        Payload::TH_SPORT => Some(Side::Source),
        Payload::TH_DPORT => Some(Side::Destination),
        _ => None,
    }
}

/// Which port, and `80`, `80:90`, `:90` or `80:` as iptables-save prints them, from a comparison.
pub(super) fn read_ports(field: &Expr, test: &Test<'_>) -> Option<(Side, bool, String)> {
    let side = side_of(field)?;
    let port = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
    let (negated, first, last) = match test {
        Test::Equal { negated, value } => (*negated, port(value)?, port(value)?),
        Test::Between { negated, first, last } => (*negated, port(first)?, port(last)?),
        Test::Compared { op: CmpOp::Lte, value } => (false, 0, port(value)?),
        Test::Compared { op: CmpOp::Lt, value } => (false, 0, port(value)?.checked_sub(1)?),
        Test::Compared { op: CmpOp::Gte, value } => (false, port(value)?, u16::MAX),
        Test::Compared { op: CmpOp::Gt, value } => (false, port(value)?.checked_add(1)?, u16::MAX),
        Test::Masked { .. } | Test::Compared { .. } | Test::In { .. } => return None,
    };
    let text = if first == last { first.to_string() } else { format!("{first}:{last}") };
    Some((side, negated, text))
}

/// Reads a port or a range of ports: numbers, or names of services of the rule's protocol.
pub(super) fn range(given: &Given<'_>, text: &str, context: Context) -> Result<(u16, u16), Error> {
    let bad = || Error::BadPort { word: given.word.to_owned(), value: text.to_owned() };
    let port = |text: &str| number16(text).or_else(|| service::port(text, context.protocol));
    let (first, last) = match text.split_once(':') {
        Some((first, last)) => (
            if first.is_empty() { Some(0) } else { port(first) },
            if last.is_empty() { Some(u16::MAX) } else { port(last) },
        ),
        None => (port(text), port(text)),
    };
    let (first, last) = (first.ok_or_else(bad)?, last.ok_or_else(bad)?);
    if first > last {
        return Err(given.bad(text, "a range: its first port is above its last"));
    }
    Ok((first, last))
}

pub(super) fn bytes(port: u16) -> Vec<u8> {
    port.to_be_bytes().to_vec()
}

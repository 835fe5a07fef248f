//! `-m addrtype`: what the routing table calls an address.

use crate::net::IpVersion;
use crate::nft::expr::{Fib, FibResult};
use crate::nft::{DataType, Expr};
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, data_type};
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::interval::{Interval, in_set, one_of};
use crate::xtables::module::{Module, Options, conflict};
use crate::xtables::words::{Given, OptionSpec};

/// `fib daddr type local`, `fib daddr . iif type local`.
pub(super) static ADDRTYPE: Module = Module::new(
    "addrtype",
    &[
        OptionSpec::value(&["src-type"]),
        OptionSpec::value(&["dst-type"]),
        OptionSpec::flag(&["limit-iface-in"]),
        OptionSpec::flag(&["limit-iface-out"]),
    ],
    build,
);

/// `RTN_*` of linux/rtnetlink.h.
const NAMES: [(&str, u32); 9] = [
    ("UNSPEC", UNSPEC),
    ("UNICAST", UNICAST),
    ("LOCAL", 2),
    ("BROADCAST", 3),
    ("ANYCAST", 4),
    ("MULTICAST", MULTICAST),
    ("BLACKHOLE", 6),
    ("UNREACHABLE", UNREACHABLE),
    ("PROHIBIT", 8),
];
const UNSPEC: u32 = 0;
const UNICAST: u32 = 1;
const MULTICAST: u32 = 5;
const UNREACHABLE: u32 = 7;

fn build(addrtype: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let interface = match (addrtype.find("limit-iface-in"), addrtype.find("limit-iface-out")) {
        (Some(first), Some(second)) => return Err(conflict(second, first)),
        (Some(_), None) => Fib::IIF,
        (None, Some(_)) => Fib::OIF,
        (None, None) => 0,
    };
    let mut exprs = Vec::new();
    let sides = [("src-type", Side::Source), ("dst-type", Side::Destination)];
    for (name, side) in sides {
        let Some(given) = addrtype.find(name) else { continue };
        let types = types(given)?;
        exprs.extend(match addrtype.context.version {
            IpVersion::V4 => fib_match(given, side, interface, &types),
            IpVersion::V6 => ipv6_match(given, side, interface, &types)?,
        });
    }
    if exprs.is_empty() {
        return Err(addrtype.incomplete("--src-type or --dst-type"));
    }
    Ok(exprs)
}

fn types(given: &Given<'_>) -> Result<Vec<u32>, Error> {
    const EXPECTED: &str = "a list of UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, UNSPEC, \
                            BLACKHOLE, UNREACHABLE or PROHIBIT";
    let mut types = Vec::new();
    for word in given.value().split(',') {
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let (_, number) = known.ok_or_else(|| given.bad(word, EXPECTED))?;
        if !types.contains(number) {
            types.push(*number);
        }
    }
    Ok(types)
}

fn fib_match(given: &Given<'_>, side: Side, interface: u32, types: &[u32]) -> Vec<Expr> {
    let address = match side {
        Side::Source => Fib::SADDR,
        Side::Destination => Fib::DADDR,
    };
    let flags = address | interface;
    let fib = Fib { dreg: REGISTER, result: FibResult::AddrType, flags }.into();
    match types {
        [one] => equal(fib, given.negated, one.to_ne_bytes()),
        list => {
            let values = list.iter().map(|number| number.to_ne_bytes().to_vec()).collect();
            one_of(fib, given.negated, DataType::FibAddrType, values)
        }
    }
}

/// For IPv6, xtables asks the routing table only for LOCAL, ANYCAST and UNREACHABLE. UNICAST,
/// MULTICAST and UNSPEC are ranges of addresses: one's own address is UNICAST too, where
/// `fib daddr type` calls it local. A list of both kinds means both at once.
fn ipv6_match(
    given: &Given<'_>,
    side: Side,
    interface: u32,
    types: &[u32],
) -> Result<Vec<Expr>, Error> {
    let routed = |number: &u32| matches!(number, 2 | 4 | 7);
    if types.iter().all(routed) {
        let mut types = types.to_vec();
        if types.contains(&UNREACHABLE) {
            // nftables tells these apart, xtables does not. It has a fourth, throw (9), which
            // nft 1.0.6 lists as another number, and which no lookup ends with.
            types.extend([6, 8]);
        }
        return Ok(fib_match(given, side, interface, &types));
    }
    let field = Place::Packet(side).load(IpVersion::V6, 16);
    let ranges = |ranges: &[(u128, u32)], negated| {
        let intervals = ranges.iter().map(|(first, prefix)| {
            let host = u128::MAX.checked_shr(*prefix).unwrap_or(0);
            Interval { first: *first, last: first | host }
        });
        in_set(field.clone(), negated, data_type(IpVersion::V6), intervals.collect())
    };
    let multicast = (0xff << 120, 8);
    match types {
        [UNSPEC] => Ok(ranges(&[(0, 128)], given.negated)),
        [MULTICAST] => Ok(equal(Place::Packet(side).load(IpVersion::V6, 1), given.negated, [0xff])),
        // All but `::`, IPv4 addresses in IPv6 form, and multicast.
        [UNICAST] => Ok(ranges(&[(0, 128), (0xffff << 32, 96), multicast], !given.negated)),
        [_] => Err(given.unsupported("ip6tables knows no such type for IPv6")),
        _ => Err(given.unsupported("ip6tables asks for all types of this list at once")),
    }
}

//! `-m addrtype`: what the routing table calls an address.

use crate::net::IpVersion;
use crate::nft::expr::{Fib, FibResult, Lookup, SetRef};
use crate::nft::{DataType, Expr};
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, data_type};
use crate::xtables::field::{REGISTER, equal};
use crate::xtables::interval::{Interval, in_set, one_of};
use crate::xtables::module::{Module, Options, Span, conflict};
use crate::xtables::setting::{Setting, Style, not};
use crate::xtables::test::{Test, host_u32, tests};
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
)
.noted_by(note)
.read_by(10, read, list);

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
    types.sort_unstable();
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
        _ if given.negated => Err(given.unsupported(
            "ip6tables asks for all types of this list at once, and one rule cannot say that they \
             are not",
        )),
        list => {
            let (routed, ranges): (Vec<u32>, Vec<u32>) = list.iter().partition(|kind| routed(kind));
            let mut exprs = Vec::new();
            for kind in ranges {
                exprs.extend(ipv6_match(given, side, interface, &[kind])?);
            }
            if !routed.is_empty() {
                exprs.extend(ipv6_match(given, side, interface, &routed)?);
            }
            Ok(exprs)
        }
    }
}

/// The types of a list, which are in a set; for IPv6 of all, as they are ranges of addresses: for
/// each option its side (1: destination), whether it is negated, and the types as bits.
fn note(addrtype: &Options<'_>) -> Vec<u8> {
    let sides = [("src-type", 0), ("dst-type", 1)];
    let given = sides.iter().filter_map(|(name, side)| Some((addrtype.find(name)?, *side)));
    let options: Vec<(u8, bool, u16)> = given
        .map(|(given, side)| {
            let types = types(given).unwrap_or_default();
            (side, given.negated, types.iter().fold(0, |bits, kind| bits | 1 << kind))
        })
        .collect();
    let is_plain = |(_, _, types): &(u8, bool, u16)| types.is_power_of_two();
    if addrtype.context.version == IpVersion::V4 && options.iter().all(is_plain) {
        return Vec::new();
    }
    let bytes = |(side, negated, types): &(u8, bool, u16)| {
        let [high, low] = types.to_be_bytes();
        [*side, u8::from(*negated), high, low]
    };
    options.iter().flat_map(bytes).collect()
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let interface = span.exprs.iter().find_map(|expr| match expr {
        Expr::Fib(fib) => Some(fib.flags & (Fib::IIF | Fib::OIF)),
        _ => None,
    });
    let mut settings = match span.note {
        [] => read_plain(span)?,
        note => read_note(note)?,
    };
    match interface {
        Some(Fib::IIF) => settings.push(Setting::flag("limit-iface-in")),
        Some(Fib::OIF) => settings.push(Setting::flag("limit-iface-out")),
        Some(_) | None => {}
    }
    Some(settings)
}

fn read_plain(span: &Span<'_>) -> Option<Vec<Setting>> {
    let tests = tests(span.exprs)?;
    let mut interfaces = Vec::new();
    let mut one = |(field, test): &(&Expr, Test<'_>)| {
        let Expr::Fib(Fib { result: FibResult::AddrType, flags, .. }) = field else { return None };
        interfaces.push(flags & (Fib::IIF | Fib::OIF));
        let name = match flags & !(Fib::IIF | Fib::OIF) {
            Fib::SADDR => "src-type",
            Fib::DADDR => "dst-type",
            _ => return None,
        };
        let (negated, values) = match test {
            Test::Equal { negated, value } => (*negated, vec![host_u32(value)?]),
            Test::In { lookup } => (lookup.inverted, set_values(lookup)?),
            Test::Masked { .. } | Test::Between { .. } | Test::Compared { .. } => return None,
        };
        let known = |kind: &u32| match span.context.version {
            IpVersion::V4 => NAMES.iter().any(|(_, number)| number == kind),
            IpVersion::V6 => matches!(kind, 2 | 4),
        };
        let bits = values.iter().filter(|kind| known(kind)).fold(0, |bits, kind| bits | 1 << kind);
        values.iter().all(known).then(|| Setting::new(name, names(bits)).negated(negated))
    };
    let settings: Vec<Setting> = tests.iter().map(&mut one).collect::<Option<_>>()?;
    let differ = settings.len() == 2 && settings.first()?.name == settings.last()?.name;
    let same = interfaces.iter().all(|interface| Some(interface) == interfaces.first());
    (matches!(settings.len(), 1 | 2) && !differ && same).then_some(settings)
}

fn set_values(lookup: &Lookup) -> Option<Vec<u32>> {
    let SetRef::Anonymous { elements, .. } = &lookup.set else { return None };
    elements.iter().map(|element| host_u32(&element.key)).collect()
}

fn read_note(note: &[u8]) -> Option<Vec<Setting>> {
    let setting = |bytes: &[u8]| match *bytes {
        [side, negated, high, low] => {
            let name = if side == 0 { "src-type" } else { "dst-type" };
            let types = names(u16::from_be_bytes([high, low]));
            Some(Setting::new(name, types).negated(negated != 0))
        }
        _ => None,
    };
    note.chunks(4).map(setting).collect()
}

/// `LOCAL,MULTICAST`.
fn names(types: u16) -> String {
    let names = NAMES.iter().filter(|(_, kind)| types >> kind & 1 != 0).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(",")
}

/// `ADDRTYPE match dst-type !LOCAL limit-in`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let word = |setting: &Setting| match setting.name {
        "limit-iface-in" => "limit-in".to_owned(),
        "limit-iface-out" => "limit-out".to_owned(),
        name => format!("{name} {}{}", not(setting), setting.value()),
    };
    let words: Vec<String> = settings.iter().map(word).collect();
    format!("ADDRTYPE match {}", words.join(" "))
}

//! `-m hashlimit`: a rate for each address or port.

use crate::net::{IpVersion, Subnet};
use crate::nft::expr::{
    Bitwise, Dynset, DynsetOp, Limit, LimitKind, Payload, PayloadBase, Register,
};
use crate::nft::{DataType, Expr, Name, Set, SetFlags};
use crate::xtables::Error;
use crate::xtables::address::data_type;
use crate::xtables::companion::Companion;
use crate::xtables::module::{Module, NEEDS_PORTS, Options, Span, WITH_PORTS, conflict};
use crate::xtables::number::{number8, number32};
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::words::{Given, OptionSpec};

const TABLE: &str = "nf_tables sizes and cleans its sets itself";
const MATCHED: &str = "nf_tables has no rate that it takes from what matched";

/// `update @hashlimit-NAME-srcip { ip saddr timeout 1m limit rate over 5/minute burst 5 packets }`.
///
/// Rules of one name share a set, as they share a table in iptables, if they ask for the same
/// addresses and ports. The set holds 65,535 of them.
pub(super) static HASHLIMIT: Module = Module::new(
    "hashlimit",
    &[
        OptionSpec::value(&["hashlimit-upto", "hashlimit"]),
        OptionSpec::value(&["hashlimit-above"]),
        OptionSpec::setting(&["hashlimit-burst"]),
        OptionSpec::setting(&["hashlimit-mode"]),
        OptionSpec::setting(&["hashlimit-name"]),
        OptionSpec::refused(&["hashlimit-htable-size"], TABLE),
        OptionSpec::refused(&["hashlimit-htable-max"], TABLE),
        OptionSpec::refused(&["hashlimit-htable-gcinterval"], TABLE),
        OptionSpec::setting(&["hashlimit-htable-expire"]),
        OptionSpec::setting(&["hashlimit-srcmask"]),
        OptionSpec::setting(&["hashlimit-dstmask"]),
        OptionSpec::refused(&["hashlimit-rate-match"], MATCHED),
        OptionSpec::refused(&["hashlimit-rate-interval"], MATCHED),
    ],
    build,
)
.beside(|hashlimit| Ok(vec![Companion::Set(set(hashlimit)?)]))
.noted_by(|hashlimit| hashlimit.find("hashlimit-name").map_or(Vec::new(), |n| n.value().into()))
.read_by(86, read, list);

/// The kernel asks for a size; this is what nft takes for one.
const SIZE: u32 = 65_535;
const BURST: u32 = 5;
/// Units of a rate in seconds, the longest first.
const UNITS: [(&str, u64); 4] = [("day", 86_400), ("hour", 3_600), ("min", 60), ("sec", 1)];
/// The kernel keeps the time between two packets in microseconds.
const MICROSECONDS: u64 = 1_000_000;

/// A part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Srcip,
    Srcport,
    Dstip,
    Dstport,
}

/// In the order in which iptables prints them.
const PARTS: [(&str, Part); 4] = [
    ("srcip", Part::Srcip),
    ("srcport", Part::Srcport),
    ("dstip", Part::Dstip),
    ("dstport", Part::Dstport),
];

impl Part {
    fn place(self, version: IpVersion) -> (PayloadBase, (u32, u32)) {
        match (self, version) {
            (Part::Srcip, IpVersion::V4) => (PayloadBase::Network, Payload::IP_SADDR),
            (Part::Srcip, IpVersion::V6) => (PayloadBase::Network, Payload::IP6_SADDR),
            (Part::Dstip, IpVersion::V4) => (PayloadBase::Network, Payload::IP_DADDR),
            (Part::Dstip, IpVersion::V6) => (PayloadBase::Network, Payload::IP6_DADDR),
            (Part::Srcport, _) => (PayloadBase::Transport, Payload::TH_SPORT),
            (Part::Dstport, _) => (PayloadBase::Transport, Payload::TH_DPORT),
        }
    }

    fn data_type(self, version: IpVersion) -> DataType {
        match self {
            Part::Srcip | Part::Dstip => data_type(version),
            Part::Srcport | Part::Dstport => DataType::InetService,
        }
    }
}

/// What is counted: the parts and how many bits of the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    parts: Vec<Part>,
    source: u8,
    destination: u8,
}

impl Key {
    fn of(hashlimit: &Options<'_>) -> Result<Self, Error> {
        let version = hashlimit.context.version;
        let mode = hashlimit.need("hashlimit-mode", "--hashlimit-mode: for all, use -m limit")?;
        let mut parts = Vec::new();
        for word in mode.value().split(',') {
            let known = PARTS.iter().find(|(name, _)| *name == word);
            let expected = "a list of srcip, srcport, dstip, dstport";
            let (_, part) = known.ok_or_else(|| mode.bad(word, expected))?;
            parts.push(*part);
        }
        parts.sort_unstable();
        parts.dedup();
        let with_ports = parts.iter().any(|part| matches!(part, Part::Srcport | Part::Dstport));
        let protocol = hashlimit.context.protocol;
        if with_ports && !protocol.is_some_and(|number| WITH_PORTS.contains(&number)) {
            let name = hashlimit.name.to_owned();
            return Err(Error::NeedsProtocol { name, needs: NEEDS_PORTS });
        }
        let bits = |name| match hashlimit.find(name) {
            None => Ok(version.bits()),
            Some(given) => number8(given.value())
                .filter(|bits| *bits <= version.bits())
                .ok_or_else(|| given.bad(given.value(), "the length of a prefix")),
        };
        let (source, destination) = (bits("hashlimit-srcmask")?, bits("hashlimit-dstmask")?);
        Ok(Key { parts, source, destination })
    }

    fn bits(&self, part: Part) -> u8 {
        if part == Part::Srcip { self.source } else { self.destination }
    }

    /// Loads the parts, each in the registers behind the one before.
    fn exprs(&self, version: IpVersion) -> Vec<Expr> {
        let (mut exprs, mut word) = (Vec::new(), 0);
        for part in &self.parts {
            let (base, (offset, len)) = part.place(version);
            let dreg = Register::word(word);
            exprs.push(Payload { dreg, base, offset, len }.into());
            let bits = self.bits(*part);
            if matches!(part, Part::Srcip | Part::Dstip) && bits < version.bits() {
                exprs.push(Bitwise::and(dreg, Subnet::netmask(version, bits)).into());
            }
            word += len.div_ceil(4);
        }
        exprs
    }

    /// Reads what [`Key::exprs`] makes.
    fn read(exprs: &[Expr], version: IpVersion) -> Option<Self> {
        let all = version.bits();
        let mut key = Key { parts: Vec::new(), source: all, destination: all };
        for expr in exprs {
            match expr {
                Expr::Payload(Payload { base, offset, len, .. }) => {
                    let is_here = |part: &Part| part.place(version) == (*base, (*offset, *len));
                    key.parts.push(PARTS.iter().map(|(_, part)| *part).find(is_here)?);
                }
                Expr::Bitwise(Bitwise { op, .. }) => {
                    let crate::nft::expr::BitwiseOp::MaskXor { mask, .. } = op else {
                        return None;
                    };
                    let bits = crate::xtables::address::prefix_len(mask)?;
                    let bits = u8::try_from(bits).ok()?;
                    match key.parts.last()? {
                        Part::Srcip => key.source = bits,
                        Part::Dstip => key.destination = bits,
                        Part::Srcport | Part::Dstport => return None,
                    }
                }
                _ => return None,
            }
        }
        (key.exprs(version) == exprs).then_some(key)
    }

    fn mode(&self, between: &str) -> String {
        let named = |part: &Part| PARTS.iter().find(|(_, known)| known == part);
        let names: Vec<&str> = self.parts.iter().filter_map(named).map(|(name, _)| *name).collect();
        names.join(between)
    }
}

fn set(hashlimit: &Options<'_>) -> Result<Set, Error> {
    let key = Key::of(hashlimit)?;
    let version = hashlimit.context.version;
    let types = key.parts.iter().map(|part| part.data_type(version)).collect();
    let mut set = Set::new(set_name(hashlimit, &key)?, types);
    set.flags = SetFlags::EVAL.and(SetFlags::TIMEOUT);
    set.size = Some(SIZE);
    Ok(set)
}

/// The name with the parts of the key, as rules of the same name may differ in these.
fn set_name(hashlimit: &Options<'_>, key: &Key) -> Result<Name, Error> {
    let given = hashlimit.need("hashlimit-name", "--hashlimit-name")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bad = || given.bad(given.value(), "a name of letters, digits, \"-\", \"_\" and \".\"");
    if given.value().is_empty() || given.value().len() > 64 || !given.value().bytes().all(allowed) {
        return Err(bad());
    }
    let mut name = format!("hashlimit-{}-{}", given.value(), key.mode("-"));
    let masked = |bits: u8| bits < hashlimit.context.version.bits();
    if masked(key.source) || masked(key.destination) {
        name.push_str(&format!("-{}-{}", key.source, key.destination));
    }
    Name::new(name).map_err(|_| bad())
}

fn build(hashlimit: &Options<'_>) -> Result<Vec<Expr>, Error> {
    let (given, over) = match (hashlimit.find("hashlimit-upto"), hashlimit.find("hashlimit-above"))
    {
        (Some(first), Some(second)) => return Err(conflict(second, first)),
        (Some(upto), None) => (upto, upto.negated),
        (None, Some(above)) => (above, !above.negated),
        (None, None) => return Err(hashlimit.incomplete("--hashlimit-upto or --hashlimit-above")),
    };
    let (period, given_unit) = period(given)?;
    let (rate, unit) = canonical(period);
    let count = |name, default| match hashlimit.find(name) {
        None => Ok(default),
        Some(given) => number32(given.value())
            .filter(|number| *number > 0)
            .ok_or_else(|| given.bad(given.value(), "a number, 1 or more")),
    };
    let burst = count("hashlimit-burst", BURST)?;
    // Without the option, an address is forgotten after the unit of the rate.
    let default = u32::try_from(given_unit * 1000).unwrap_or(u32::MAX);
    let expire = count("hashlimit-htable-expire", default)?;
    let key = Key::of(hashlimit)?;
    let limit = Limit { rate, unit, burst, kind: LimitKind::Packets, over };
    let mut exprs = key.exprs(hashlimit.context.version);
    exprs.push(
        Dynset {
            set: set_name(hashlimit, &key)?,
            op: DynsetOp::Update,
            key: Register::R1,
            data: None,
            timeout: Some(expire.into()),
            flags: None,
            exprs: vec![limit.into()],
        }
        .into(),
    );
    Ok(exprs)
}

/// `5/min`, `5/m`, `5`: the time between two packets, and the unit.
fn period(given: &Given<'_>) -> Result<(u64, u64), Error> {
    let value = given.value();
    let bad = || given.bad(value, "a rate of packets: expected NUMBER/sec, /min, /hour or /day");
    let (number, unit) = value.split_once('/').unwrap_or((value, "sec"));
    if number.trim_end_matches(|c: char| c.is_ascii_digit()).is_empty() {
        let named = UNITS.iter().rfind(|(name, _)| {
            let long = if *name == "sec" {
                "second"
            } else if *name == "min" {
                "minute"
            } else {
                name
            };
            !unit.is_empty() && long.starts_with(&unit.to_ascii_lowercase())
        });
        let (_, seconds) = named.ok_or_else(bad)?;
        let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(bad)?;
        let period = seconds * MICROSECONDS / number;
        if period == 0 {
            return Err(given.bad(value, "a rate of at most 1000000/sec"));
        }
        return Ok((period, *seconds));
    }
    Err(given.unsupported("rates of bytes are counted otherwise in nf_tables"))
}

/// The rate in the longest unit that iptables prints a time between two packets in.
fn canonical(period: u64) -> (u64, u64) {
    let mut found = UNITS[0].1;
    for (_, seconds) in &UNITS[1..] {
        let unit = seconds * MICROSECONDS;
        if period > unit || unit / period < unit % period {
            break;
        }
        found = *seconds;
    }
    (found * MICROSECONDS / period, found)
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let (Expr::Dynset(dynset), key) = span.exprs.split_last()? else { return None };
    let [Expr::Limit(Limit { rate, unit, burst, kind: LimitKind::Packets, over })] =
        dynset.exprs.as_slice()
    else {
        return None;
    };
    let version = span.context.version;
    let key = Key::read(key, version)?;
    let (name, _) = UNITS.iter().find(|(_, seconds)| seconds == unit)?;
    let option = if *over { "hashlimit-above" } else { "hashlimit-upto" };
    let own = std::str::from_utf8(span.note).ok().filter(|name| !name.is_empty());
    let mut settings = vec![
        Setting::new(option, format!("{rate}/{name}")),
        Setting::new("hashlimit-burst", burst.to_string()),
        Setting::new("hashlimit-mode", key.mode(",")),
        Setting::new("hashlimit-name", own.unwrap_or(dynset.set.as_str())),
    ];
    if dynset.op != DynsetOp::Update || dynset.data.is_some() {
        return None;
    }
    let expire = dynset.timeout?;
    if expire != unit * 1000 {
        settings.push(Setting::new("hashlimit-htable-expire", expire.to_string()));
    }
    for (option, bits) in
        [("hashlimit-srcmask", key.source), ("hashlimit-dstmask", key.destination)]
    {
        if bits != version.bits() {
            settings.push(Setting::new(option, bits.to_string()));
        }
    }
    Some(settings)
}

/// `limit: above 5/min burst 7 mode srcip-dstport srcmask 24`.
fn list(settings: &[Setting], _style: &Style) -> String {
    let mut words = vec!["limit:".to_owned()];
    let rates = [("hashlimit-upto", "up to"), ("hashlimit-above", "above")];
    for (option, word) in rates {
        words.extend(find(settings, option).map(|rate| format!("{word} {}", rate.value())));
    }
    let rest = ["burst", "mode", "htable-expire", "srcmask", "dstmask"];
    for word in rest {
        let option = settings.iter().find(|s| s.name.strip_prefix("hashlimit-") == Some(word));
        words.extend(option.map(|option| format!("{word} {}", option.value().replace(',', "-"))));
    }
    words.join(" ")
}

//! `-m recent`: addresses that were seen, in lists that rules share by name.

use crate::net::IpVersion;
use crate::nft::expr::{Bitwise, BitwiseOp, Dynset, DynsetOp, Lookup, SetRef};
use crate::nft::{Expr, Name, Set, SetFlags};
use crate::xtables::Error;
use crate::xtables::address::{Place, Side, data_type};
use crate::xtables::base_read::to_ip;
use crate::xtables::companion::{Age, Companion};
use crate::xtables::field::REGISTER;
use crate::xtables::module::{Module, Options, Span};
use crate::xtables::number::number32;
use crate::xtables::setting::{Setting, Style, find};
use crate::xtables::test::network_field;
use crate::xtables::words::{Given, OptionSpec};

/// `--set`: `update @recent-NAME { ip saddr }`; `--rcheck`: `ip saddr @recent-NAME`; `--update`:
/// both.
///
/// An element of a set ends by itself after a time, which is that of the whole set: `--seconds` is
/// exact where all rules of a list that ask agree. The set holds 65,535 addresses; no more are added.
pub(super) static RECENT: Module = Module::new(
    "recent",
    &[
        OptionSpec::flag(&["set"]).negatable(),
        OptionSpec::flag(&["rcheck"]).negatable(),
        OptionSpec::flag(&["update"]).negatable(),
        OptionSpec::refused(&["remove"], REMOVE),
        OptionSpec::setting(&["seconds"]),
        OptionSpec::flag(&["reap"]),
        OptionSpec::refused(&["hitcount"], "a set remembers the last time only, not how often"),
        OptionSpec::refused(&["rttl"], "a set remembers addresses, not what else came with them"),
        OptionSpec::setting(&["name"]),
        OptionSpec::setting(&["mask"]),
        OptionSpec::flag(&["rsource"]),
        OptionSpec::flag(&["rdest"]),
    ],
    |recent| Ok(Entry::of(recent)?.exprs(recent.context.version)),
)
.beside(|recent| {
    let entry = Entry::of(recent)?;
    let mut set = Set::new(entry.list, vec![data_type(recent.context.version)]);
    set.flags = SetFlags::EVAL;
    set.size = Some(SIZE);
    Ok(vec![Companion::List { set, age: entry.age }])
})
.noted_by(|recent| Entry::of(recent).map(|entry| entry.note()).unwrap_or_default())
.read_by(89, read, list);

/// What the name of a list's set begins with.
const PREFIX: &str = "recent-";
/// Seen on Linux 6.18: what rules delete stays in the set, dead, until it is cleaned a second later,
/// and its hash table takes no more than 16 elements of one key.
const REMOVE: &str = "what a rule deletes stays in the set's hash table until that is cleaned, and \
                      may keep the same address from being added again";
/// The kernel asks for a size; this is what nft takes for one.
const SIZE: u32 = 65_535;

/// What a rule does with its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Set = 0,
    Check = 1,
    Update = 2,
}

/// All of it, as options and `-L` call it.
const DEEDS: [(Deed, &str, &str); 3] = [
    (Deed::Set, "set", "SET"),
    (Deed::Check, "rcheck", "CHECK"),
    (Deed::Update, "update", "UPDATE"),
];

/// A rule of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    deed: Deed,
    negated: bool,
    /// The set's name.
    list: Name,
    age: Age,
    reap: bool,
    side: Side,
    mask: Vec<u8>,
}

impl Entry {
    fn of(recent: &Options<'_>) -> Result<Self, Error> {
        let found = DEEDS.iter().filter_map(|(deed, name, _)| Some((*deed, recent.find(name)?)));
        let found: Vec<(Deed, &Given<'_>)> = found.collect();
        let (deed, given) = match found.as_slice() {
            [] => return Err(recent.incomplete("--set, --rcheck or --update")),
            [only] => *only,
            [(_, first), (_, second), ..] => {
                return Err(crate::xtables::module::conflict(second, first));
            }
        };
        let negated = given.negated;
        let seconds = recent.find("seconds").map(seconds).transpose()?;
        let age = match (deed, seconds) {
            (Deed::Set, Some(_)) => {
                return Err(recent.incomplete("--rcheck or --update for --seconds"));
            }
            (Deed::Set, None) => Age::Any,
            (Deed::Check | Deed::Update, None) => Age::Endless,
            (Deed::Check | Deed::Update, Some(seconds)) => Age::Seconds(seconds),
        };
        let reap = recent.find("reap").is_some();
        if reap && seconds.is_none() {
            return Err(recent.incomplete("--seconds for --reap"));
        }
        let refused = match (negated, deed, seconds) {
            (true, Deed::Set, _) => Some("it never matches, and adds the address all the same"),
            (true, Deed::Update, Some(_)) => {
                Some("an address that is too old would have to be renewed, which is gone by then")
            }
            (_, _, _) => None,
        };
        if let Some(reason) = refused {
            let word = format!("! {}", given.word);
            return Err(Error::UnsupportedOption { word, reason });
        }
        let side = if recent.find("rdest").is_some() { Side::Destination } else { Side::Source };
        let mask = mask(recent)?;
        let list = set_name(recent, &mask)?;
        Ok(Entry { deed, negated, list, age, reap, side, mask })
    }

    /// The address, masked, in the first register.
    fn key(&self, version: IpVersion) -> Vec<Expr> {
        let load = Place::Packet(self.side).load(version, version.address_len() as u32);
        let mut exprs = vec![load];
        if self.mask.iter().any(|byte| *byte != 255) {
            exprs.push(Bitwise::and(REGISTER, self.mask.clone()).into());
        }
        exprs
    }

    fn exprs(&self, version: IpVersion) -> Vec<Expr> {
        let key = || self.key(version);
        let mut exprs = Vec::new();
        if self.deed != Deed::Set {
            exprs.extend(key());
            let lookup = Lookup::in_set(self.list.clone(), REGISTER);
            exprs.push(Lookup { inverted: self.negated, ..lookup }.into());
        }
        let op = match (self.deed, self.negated) {
            (Deed::Set | Deed::Update, false) => Some(DynsetOp::Update),
            // What is not there is not renewed.
            (Deed::Check, _) | (_, true) => None,
        };
        if let Some(op) = op {
            exprs.extend(key());
            let (set, key) = (self.list.clone(), REGISTER);
            let (data, timeout, flags, of_element) = (None, None, None, Vec::new());
            let dynset = Dynset { set, op, key, data, timeout, flags, exprs: of_element };
            exprs.push(dynset.into());
        }
        exprs
    }

    /// What the expressions do not say: what `--update` is where it changes nothing, and the time,
    /// which is that of the set.
    fn note(&self) -> Vec<u8> {
        let seconds = match self.age {
            Age::Seconds(seconds) => seconds,
            Age::Any | Age::Endless => 0,
        };
        let mut note = vec![self.deed as u8, u8::from(self.reap)];
        note.extend(seconds.to_be_bytes());
        note
    }
}

fn seconds(given: &Given<'_>) -> Result<u32, Error> {
    number32(given.value())
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| given.bad(given.value(), "a number of seconds, 1 or more"))
}

/// A mask, which need not be a prefix.
fn mask(recent: &Options<'_>) -> Result<Vec<u8>, Error> {
    let version = recent.context.version;
    let Some(given) = recent.find("mask") else { return Ok(vec![255; version.address_len()]) };
    let bytes = match given.value().parse() {
        Ok(std::net::IpAddr::V4(mask)) => mask.octets().to_vec(),
        Ok(std::net::IpAddr::V6(mask)) => mask.octets().to_vec(),
        Err(_) => Vec::new(),
    };
    if bytes.len() != version.address_len() {
        return Err(given.bad(given.value(), "a mask, written as an address"));
    }
    Ok(bytes)
}

/// `recent-NAME`, `recent-NAME/ffffff00`, which nft can read. Masked otherwise it is another list,
/// where xtables masks the addresses of all rules as the first of them says.
fn set_name(recent: &Options<'_>, mask: &[u8]) -> Result<Name, Error> {
    let masked = suffix(mask);
    let Some(given) = recent.find("name") else {
        let name = format!("{PREFIX}DEFAULT{masked}");
        return Name::new(name).map_err(|_| recent.incomplete("--name"));
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = !given.value().is_empty() && given.value().bytes().all(allowed);
    let name = Name::new(format!("{PREFIX}{}{masked}", given.value())).ok();
    // A name that ends so is one that is still to be completed.
    let name =
        name.filter(|name| is_name && name.as_str().len() < 200 && !given.value().ends_with('-'));
    name.ok_or_else(|| {
        given.bad(given.value(), "a name of letters, digits, \"-\", \"_\" and \".\"")
    })
}

/// What a mask that leaves something out adds to the name of the set.
fn suffix(mask: &[u8]) -> String {
    if mask.iter().all(|byte| *byte == 255) {
        return String::new();
    }
    mask.iter().fold("/".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Reads what [`Entry::key`] makes, from the front.
fn read_key(exprs: &[Expr], version: IpVersion) -> Option<(Side, Vec<u8>)> {
    let (offset, _) = network_field(exprs.first()?)?;
    let side = match (version, offset) {
        (IpVersion::V4, 12) | (IpVersion::V6, 8) => Side::Source,
        (IpVersion::V4, 16) | (IpVersion::V6, 24) => Side::Destination,
        _ => return None,
    };
    let mask = match exprs.get(1)? {
        Expr::Bitwise(Bitwise { op: BitwiseOp::MaskXor { mask, .. }, .. }) => mask.clone(),
        _ => vec![255; version.address_len()],
    };
    Some((side, mask))
}

fn read(span: &Span<'_>) -> Option<Vec<Setting>> {
    let [number, reap, seconds @ ..] = span.note else { return None };
    let seconds = u32::from_be_bytes(seconds.try_into().ok()?);
    let (deed, name, _) = *DEEDS.get(usize::from(*number))?;
    let (list, negated) = span.exprs.iter().find_map(|expr| match expr {
        Expr::Lookup(Lookup { set: SetRef::Named(set), inverted, .. }) => Some((set, *inverted)),
        Expr::Dynset(dynset) => Some((&dynset.set, false)),
        _ => None,
    })?;
    let version = span.context.version;
    let (side, mask) = read_key(span.exprs, version)?;
    let age = match (deed, seconds) {
        (Deed::Set, _) => Age::Any,
        (Deed::Check | Deed::Update, 0) => Age::Endless,
        (Deed::Check | Deed::Update, seconds) => Age::Seconds(seconds),
    };
    let reap = *reap != 0;
    let entry = Entry { deed, negated, list: list.clone(), age, reap, side, mask };
    // What is said is all that is done.
    let same = |(ours, theirs): (&Expr, &Expr)| match (ours, theirs) {
        // The kernel lists flags where it was given none.
        (Expr::Dynset(ours), Expr::Dynset(theirs)) => {
            *ours == Dynset { flags: None, ..theirs.clone() } && theirs.flags.unwrap_or(0) == 0
        }
        (ours, theirs) => ours == theirs,
    };
    let expected = entry.exprs(version);
    if expected.len() != span.exprs.len() || !expected.iter().zip(span.exprs).all(same) {
        return None;
    }
    let mut settings = vec![Setting::flag(name).negated(negated)];
    settings.extend((seconds > 0).then(|| Setting::new("seconds", seconds.to_string())));
    settings.extend(reap.then(|| Setting::flag("reap")));
    let name = list.as_str().strip_prefix(PREFIX)?.strip_suffix(&suffix(&entry.mask))?;
    settings.push(Setting::new("name", name));
    settings.push(Setting::new("mask", to_ip(&entry.mask)?.to_string()));
    settings.push(Setting::flag(match side {
        Side::Source => "rsource",
        Side::Destination => "rdest",
    }));
    Some(settings)
}

/// `recent: UPDATE seconds: 60 reap name: X side: dest mask: 255.255.255.0`
fn list(settings: &[Setting], _style: &Style) -> String {
    let value = |name| find(settings, name).map_or("", Setting::value);
    let deed = DEEDS.iter().find_map(|(_, name, shown)| Some((find(settings, name)?, shown)));
    let Some((setting, shown)) = deed else { return String::new() };
    let mut text = if setting.negated { "! recent:".to_owned() } else { "recent:".to_owned() };
    text.push_str(&format!(" {shown}"));
    if !value("seconds").is_empty() {
        text.push_str(&format!(" seconds: {}", value("seconds")));
    }
    if find(settings, "reap").is_some() {
        text.push_str(" reap");
    }
    let side = if find(settings, "rdest").is_some() { "dest" } else { "source" };
    format!("{text} name: {} side: {side} mask: {}", value("name"), value("mask"))
}

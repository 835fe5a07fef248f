//! Options that iptables has without a match: addresses, interfaces, protocol, fragments.

use super::Error;
use super::address::{Place, Side, address_list_match};
use super::base_read::NEVER;
use super::field::{equal, masked, meta, network};
use super::protocol;
use super::words::{Given, OptionSpec};
use crate::net::{IfName, IpVersion};
use crate::nft::Expr;
use crate::nft::expr::MetaKey;

/// What a general option is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// `-s`: `ip saddr`.
    Source,
    /// `-d`: `ip daddr`.
    Destination,
    /// `-i`: `iifname`.
    In,
    /// `-o`: `oifname`.
    Out,
    /// `-p`: `meta l4proto`.
    Protocol,
    /// `-f`: `ip frag-off & 0x1fff != 0`.
    Fragment,
    /// `-m`.
    Match,
    /// `-j`, `-g`: no condition.
    Target,
    /// Any other: no condition.
    Command,
}

impl Base {
    /// Where iptables-save prints it: `-s -d -i -o -p -f`.
    pub(super) fn place(self) -> usize {
        match self {
            Base::Source => 0,
            Base::Destination => 1,
            Base::In => 2,
            Base::Out => 3,
            Base::Protocol => 4,
            Base::Fragment => 5,
            Base::Match | Base::Target | Base::Command => 6,
        }
    }

    /// Its word in iptables-save; none for what is no condition.
    pub(super) fn word(self) -> &'static str {
        match self {
            Base::Source => "-s",
            Base::Destination => "-d",
            Base::In => "-i",
            Base::Out => "-o",
            Base::Protocol => "-p",
            Base::Fragment => "-f",
            Base::Match | Base::Target | Base::Command => "",
        }
    }
}

/// A general option, its letter and its names.
#[derive(Debug)]
pub(super) struct BaseOption {
    pub(super) base: Base,
    pub(super) letter: Option<char>,
    pub(super) spec: OptionSpec,
}

const fn option(base: Base, letter: char, spec: OptionSpec) -> BaseOption {
    BaseOption { base, letter: Some(letter), spec }
}

const fn command(letter: char, names: &'static [&'static str]) -> BaseOption {
    option(Base::Command, letter, OptionSpec::flag(names))
}

const fn long_command(names: &'static [&'static str]) -> BaseOption {
    BaseOption { base: Base::Command, letter: None, spec: OptionSpec::flag(names) }
}

/// All of them, as iptables(8) lists them.
pub(super) static OPTIONS: [BaseOption; 35] = [
    option(Base::Source, 's', OptionSpec::value(&["source", "src"])),
    option(Base::Destination, 'd', OptionSpec::value(&["destination", "dst"])),
    option(Base::Protocol, 'p', OptionSpec::value(&["protocol", "proto"])),
    option(Base::In, 'i', OptionSpec::value(&["in-interface"])),
    option(Base::Out, 'o', OptionSpec::value(&["out-interface"])),
    option(Base::Fragment, 'f', OptionSpec::flag(&["fragment", "fragments"]).negatable()),
    option(Base::Match, 'm', OptionSpec::setting(&["match"])),
    option(Base::Target, 'j', OptionSpec::setting(&["jump"])),
    option(Base::Target, 'g', OptionSpec::setting(&["goto"])),
    command('A', &["append"]),
    command('C', &["check"]),
    command('D', &["delete"]),
    command('I', &["insert"]),
    command('R', &["replace"]),
    command('L', &["list"]),
    command('S', &["list-rules"]),
    command('F', &["flush"]),
    command('Z', &["zero"]),
    command('N', &["new-chain"]),
    command('X', &["delete-chain"]),
    command('P', &["policy"]),
    command('E', &["rename-chain"]),
    option(Base::Command, 't', OptionSpec::setting(&["table"])),
    command('v', &["verbose"]),
    command('n', &["numeric"]),
    command('x', &["exact"]),
    command('w', &["wait"]),
    command('W', &["wait-interval"]),
    option(Base::Command, 'c', OptionSpec::setting(&["set-counters"]).two_values()),
    option(Base::Command, 'M', OptionSpec::setting(&["modprobe"])),
    command('V', &["version"]),
    command('h', &["help"]),
    command('4', &["ipv4"]),
    command('6', &["ipv6"]),
    long_command(&["line-numbers"]),
];

/// The expressions of `-s`, `-d`, `-i`, `-o`, `-p`, `-f`; none for the others.
pub(super) fn base_match(
    base: Base,
    given: &Given<'_>,
    version: IpVersion,
) -> Result<Vec<Expr>, Error> {
    match base {
        Base::Source => address_list_match(given, Place::Packet(Side::Source), version),
        Base::Destination => address_list_match(given, Place::Packet(Side::Destination), version),
        Base::In => interface(given, MetaKey::Iifname),
        Base::Out => interface(given, MetaKey::Oifname),
        Base::Fragment => match version {
            IpVersion::V4 => Ok(masked(network((6, 2)), [0x1f, 0xff], !given.negated, [0, 0])),
            IpVersion::V6 => Err(Error::OtherFamilyFragments { word: given.word.to_owned() }),
        },
        Base::Protocol => Ok(protocol_match(given)),
        Base::Match | Base::Target | Base::Command => Ok(Vec::new()),
    }
}

/// `-p tcp`: `meta l4proto tcp`. Not the protocol field of the header, which is another one where
/// IPv6 extension headers follow. That the protocol is one was seen when the option was read.
fn protocol_match(given: &Given<'_>) -> Vec<Expr> {
    match protocol::protocol(given.value()) {
        None | Some(0) => Vec::new(),
        Some(number) => equal(meta(MetaKey::L4proto), given.negated, [number]),
    }
}

/// `-i eth0`: `iifname "eth0"`; `-i eth+`: `iifname "eth*"`; `-i +`: any.
fn interface(given: &Given<'_>, key: MetaKey) -> Result<Vec<Expr>, Error> {
    let value = given.value();
    let valid = |name: &str| {
        let bad = || Error::BadInterface { word: given.word.to_owned(), value: value.to_owned() };
        IfName::check(name).map_err(|_| bad())
    };
    if value == "+" {
        // No interface: as iptables does, the comparison is with a name that none can have.
        let mut never = NEVER.to_vec();
        never.resize(16, 0);
        return Ok(if given.negated { equal(meta(key), false, never) } else { Vec::new() });
    }
    // The wildcard counts too.
    valid(value)?;
    let mut name = Vec::with_capacity(16);
    name.extend(value.bytes());
    if name.pop_if(|last| *last == b'+').is_none() {
        // With the zeros behind it: else it were a prefix.
        name.resize(16, 0);
    }
    Ok(equal(meta(key), given.negated, name))
}

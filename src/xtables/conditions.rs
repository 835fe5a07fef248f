//! From words to expressions: reads the options, finds their matches, puts all in order.

use super::base::{self, Base};
use super::error::Error;
use super::field::{equal, meta};
use super::matches::{self, Context, Match, Module};
use super::protocol;
use super::words::{Given, OptionSpec, Token, Words};
use crate::net::{IpVersion, L4Proto};
use crate::nft::Expr;
use crate::nft::expr::MetaKey;

/// The expressions that match what iptables (or ip6tables) matches with these words, for a rule
/// of an inet table: `! -s 198.51.100.0/24` is
/// `meta nfproto ipv4 ip saddr != 198.51.100.0/24`.
///
/// # Errors
/// [`Error`], naming the word, for what is no condition or has no native form.
pub fn conditions(words: &[String], version: IpVersion) -> Result<Vec<Expr>, Error> {
    conditions_for(words, version, None)
}

/// The same for a rule whose protocol is known, as if `-p PROTO` stood in front of the words. The
/// protocol is tested (`meta l4proto`) where a word needs it or repeats it.
///
/// # Errors
/// [`Error`], as [`conditions`]; also [`Error::OtherProtocol`] for `-p` with another protocol.
pub fn conditions_for(
    words: &[String],
    version: IpVersion,
    proto: Option<L4Proto>,
) -> Result<Vec<Expr>, Error> {
    let mut conditions = Conditions::new(version, proto);
    let mut words = Words::new(words);
    while let Some(token) = words.token()? {
        conditions.read(token, &mut words)?;
    }
    conditions.finish()
}

/// A match on its way: which, and the options that it was given.
#[derive(Debug)]
struct Loaded<'a> {
    module: &'static Module,
    name: &'a str,
    given: Vec<Given<'a>>,
}

/// What a word turned out to be.
enum Found {
    Base(Base, &'static OptionSpec),
    /// Of a match that was loaded, by its place.
    Loaded(usize, &'static OptionSpec),
    /// Of the match that `-p` brings along.
    Implied(&'static Module, &'static OptionSpec),
}

/// The condition so far.
#[derive(Debug)]
struct Conditions<'a> {
    version: IpVersion,
    known: Option<L4Proto>,
    /// The protocol that `-p` asks for; not a negated one.
    protocol: Option<u8>,
    base: Vec<Expr>,
    once: Vec<Base>,
    loaded: Vec<Loaded<'a>>,
}

impl<'a> Conditions<'a> {
    fn new(version: IpVersion, known: Option<L4Proto>) -> Self {
        let protocol = known.map(L4Proto::number);
        let (base, once, loaded) = (Vec::new(), Vec::new(), Vec::new());
        Conditions { version, known, protocol, base, once, loaded }
    }

    fn read(&mut self, token: Token<'a>, words: &mut Words<'a>) -> Result<(), Error> {
        let (place, spec) = match self.find(token)? {
            Found::Base(base, spec) => return self.read_base(base, spec, token, words),
            Found::Loaded(place, spec) => (place, spec),
            Found::Implied(module, spec) => {
                self.loaded.push(Loaded { module, name: module.name, given: Vec::new() });
                (self.loaded.len() - 1, spec)
            }
        };
        let given = words.given(token, spec)?;
        if let Some(loaded) = self.loaded.get_mut(place) {
            if loaded.given.iter().any(|before| before.spec.name() == spec.name()) {
                return Err(Error::Repeated { word: given.word.to_owned() });
            }
            loaded.given.push(given);
        }
        Ok(())
    }

    fn read_base(
        &mut self,
        base: Base,
        spec: &'static OptionSpec,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<(), Error> {
        let word = || token.word.to_owned();
        match base {
            Base::Target => return Err(Error::Target { word: word() }),
            Base::Command => return Err(Error::Command { word: word() }),
            Base::Match => {
                let given = words.given(token, spec)?;
                let name = given.value();
                let module = matches::find(name, self.version)?;
                self.loaded.push(Loaded { module, name, given: Vec::new() });
                return Ok(());
            }
            Base::Source
            | Base::Destination
            | Base::In
            | Base::Out
            | Base::Protocol
            | Base::Fragment => {}
        }
        if self.once.contains(&base) {
            return Err(Error::Repeated { word: word() });
        }
        self.once.push(base);
        let given = words.given(token, spec)?;
        let exprs = match base {
            Base::Protocol => self.protocol_match(&given)?,
            other => base::base_match(other, &given, self.version)?,
        };
        self.base.extend(exprs);
        Ok(())
    }

    /// `-p tcp`: `meta l4proto tcp`. Not the protocol field of the header, which is another one
    /// where IPv6 extension headers follow.
    fn protocol_match(&mut self, given: &Given<'_>) -> Result<Vec<Expr>, Error> {
        let value = given.value();
        let expected = "a protocol: expected its number or one of the usual names";
        let number = protocol::protocol(value).ok_or_else(|| given.bad(value, expected))?;
        if let Some(known) = self.known
            && (known.number() != number || given.negated)
        {
            let (word, value) = (given.word.to_owned(), value.to_owned());
            return Err(Error::OtherProtocol { word, value, known });
        }
        match (number, given.negated) {
            (0, true) => return Err(given.never()),
            (0, false) => return Ok(Vec::new()),
            (_, true) => {}
            (_, false) => self.protocol = Some(number),
        }
        Ok(equal(meta(MetaKey::L4proto), given.negated, [number]))
    }

    /// Which option a word is. General options come first, then those of the matches, the last
    /// one first; then abbreviations of all these; then the match of the protocol.
    fn find(&self, token: Token<'a>) -> Result<Found, Error> {
        let unknown = || Error::UnknownOption { word: token.word.to_owned() };
        let Some(name) = token.long() else {
            let letter = token.short();
            let option = base::OPTIONS.iter().find(|option| option.letter == letter);
            return option.map(|option| Found::Base(option.base, &option.spec)).ok_or_else(unknown);
        };
        let candidates = || {
            let base = base::OPTIONS.iter().map(|o| Found::Base(o.base, &o.spec));
            let loaded = self.loaded.iter().enumerate().rev().flat_map(|(place, loaded)| {
                loaded.module.options.iter().map(move |spec| Found::Loaded(place, spec))
            });
            base.chain(loaded)
        };
        if let Some(found) = candidates().find(|found| found.spec().names.contains(&name)) {
            return Ok(found);
        }
        if let Some(found) = abbreviated(candidates(), token.word, name)? {
            return Ok(found);
        }
        let implied = self.protocol.and_then(protocol::match_name);
        let module = implied.and_then(|name| matches::find(name, self.version).ok());
        let Some(module) = module else { return Err(unknown()) };
        let candidates = || module.options.iter().map(|spec| Found::Implied(module, spec));
        match candidates().find(|found| found.spec().names.contains(&name)) {
            Some(found) => Ok(found),
            None => abbreviated(candidates(), token.word, name)?.ok_or_else(unknown),
        }
    }

    /// All expressions: the family, the general options, then the matches in their order, as the
    /// order counts for those with a state of their own.
    fn finish(self) -> Result<Vec<Expr>, Error> {
        let family = match self.version {
            IpVersion::V4 => 2,
            IpVersion::V6 => 10,
        };
        let mut exprs = equal(meta(MetaKey::Nfproto), false, [family]);
        exprs.extend(self.base);
        let mut tested = self.once.contains(&Base::Protocol);
        for loaded in self.loaded {
            let Loaded { module, name, given } = loaded;
            let of_ports = given.iter().any(|given| given.spec.reads_ports);
            let (protocols, needs) = match of_ports {
                true => (matches::WITH_PORTS, matches::NEEDS_PORTS),
                false => (module.protocols, module.needs),
            };
            if !protocols.is_empty() {
                let protocol = self.protocol.filter(|number| protocols.contains(number));
                let missing = || Error::NeedsProtocol { name: name.to_owned(), needs };
                let number = protocol.ok_or_else(missing)?;
                if !tested {
                    exprs.extend(equal(meta(MetaKey::L4proto), false, [number]));
                    tested = true;
                }
            }
            let context = Context { version: self.version };
            exprs.extend((module.build)(&Match { name, context, given })?);
        }
        Ok(exprs)
    }
}

impl Found {
    fn spec(&self) -> &'static OptionSpec {
        match self {
            Found::Base(_, spec) | Found::Loaded(_, spec) | Found::Implied(_, spec) => spec,
        }
    }
}

/// The one option that a word is short for.
fn abbreviated(
    candidates: impl Iterator<Item = Found>,
    word: &str,
    prefix: &str,
) -> Result<Option<Found>, Error> {
    let is_prefix = |found: &Found| found.spec().names.iter().any(|name| name.starts_with(prefix));
    let mut only: Option<Found> = None;
    for found in candidates.filter(is_prefix) {
        match &only {
            None => only = Some(found),
            Some(before) if std::ptr::eq(before.spec(), found.spec()) => {}
            Some(before) => {
                let (first, second) = (before.spec().name(), found.spec().name());
                return Err(Error::AmbiguousOption { word: word.to_owned(), first, second });
            }
        }
    }
    Ok(only)
}

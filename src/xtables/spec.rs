//! A rule as its words say it: general options, matches and the target, not yet compiled.

use super::base::{self, Base, BaseOption};
use super::error::Error;
use super::module::{Context, Module, Options};
use super::words::{Given, OptionSpec, Token, Words};
use super::{matches, protocol, targets};
use crate::net::IpVersion;
use crate::nft::Name;
use crate::nft::expr::NatKind;

/// A match or target on its way: which, and the options that it was given.
#[derive(Debug)]
pub(super) struct Loaded<'a> {
    pub(super) module: &'static Module,
    pub(super) name: &'a str,
    pub(super) given: Vec<Given<'a>>,
}

/// What `-j` or `-g` leads to.
#[derive(Debug)]
pub(super) enum Jump<'a> {
    /// `ACCEPT`, `DROP`, `RETURN`, or a chain of the user's.
    Verdict(crate::nft::expr::Verdict),
    /// A target with options.
    Extension(Loaded<'a>),
}

/// What a word turned out to be.
enum Found {
    Base(&'static BaseOption),
    /// Of a match or target that was loaded, by its place in the order of loading.
    Loaded(usize, &'static OptionSpec),
    /// Of the match that `-p` brings along.
    Implied(&'static Module, &'static OptionSpec),
}

/// Whose options a place of [`Found::Loaded`] means.
#[derive(Debug, Clone, Copy)]
enum Place {
    Match(usize),
    Target,
}

/// The rule so far.
#[derive(Debug)]
pub(super) struct Spec<'a> {
    pub(super) version: IpVersion,
    /// The chain that it is for, where there is one.
    pub(super) chain: Option<&'a str>,
    /// The protocol that `-p` asks for; not a negated one.
    pub(super) protocol: Option<u8>,
    /// Each general option once.
    pub(super) base: Vec<(Base, Given<'a>)>,
    pub(super) matches: Vec<Loaded<'a>>,
    pub(super) jump: Option<Jump<'a>>,
    /// In which order matches and the target were loaded.
    order: Vec<Place>,
}

impl<'a> Spec<'a> {
    pub(super) fn new(version: IpVersion) -> Self {
        let (base, matches, order) = (Vec::new(), Vec::new(), Vec::new());
        Spec { version, chain: None, protocol: None, base, matches, jump: None, order }
    }

    /// Takes an option with its values. One that is about the command and not about the rule is
    /// given back, its values not taken.
    pub(super) fn read(
        &mut self,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<Option<&'static BaseOption>, Error> {
        let (place, spec) = match self.find(token)? {
            Found::Base(option) if option.base == Base::Command => return Ok(Some(option)),
            Found::Base(option) => {
                self.read_base(option, token, words)?;
                return Ok(None);
            }
            Found::Loaded(place, spec) => (place, spec),
            Found::Implied(module, spec) => {
                self.load(module, module.name);
                (self.order.len() - 1, spec)
            }
        };
        let given = words.given(token, spec)?;
        let loaded = match self.order.get(place) {
            Some(Place::Match(at)) => self.matches.get_mut(*at),
            Some(Place::Target) | None => match &mut self.jump {
                Some(Jump::Extension(loaded)) => Some(loaded),
                Some(Jump::Verdict(_)) | None => None,
            },
        };
        if let Some(loaded) = loaded {
            if loaded.given.iter().any(|before| before.spec.name() == spec.name()) {
                return Err(Error::Repeated { word: given.word.to_owned() });
            }
            loaded.given.push(given);
        }
        Ok(None)
    }

    /// The words of the options that say what the rule is.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> + '_ {
        let base = self.base.iter().map(|(_, given)| given.word);
        base.chain(self.jump.is_some().then_some("-j"))
    }

    /// The match or the target, where there is one of either.
    pub(super) fn only_extension(&self) -> Option<&Loaded<'a>> {
        match (self.matches.as_slice(), &self.jump) {
            ([only], None) => Some(only),
            ([], Some(Jump::Extension(only))) => Some(only),
            _ => None,
        }
    }

    /// The matches and targets are built with this.
    pub(super) fn context(&self) -> Context {
        let translates = match self.chain {
            Some("PREROUTING" | "OUTPUT") => Some(NatKind::Dnat),
            Some("INPUT" | "POSTROUTING") => Some(NatKind::Snat),
            Some(_) | None => None,
        };
        Context { version: self.version, protocol: self.protocol, translates }
    }

    fn load(&mut self, module: &'static Module, name: &'a str) {
        self.order.push(Place::Match(self.matches.len()));
        self.matches.push(Loaded { module, name, given: Vec::new() });
    }

    fn read_base(
        &mut self,
        option: &'static BaseOption,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<(), Error> {
        let given = words.given(token, &option.spec)?;
        match option.base {
            Base::Match => {
                let name = given.value();
                self.load(matches::find(name, self.version)?, name);
                return Ok(());
            }
            Base::Target => return self.read_jump(&given),
            Base::Protocol => self.read_protocol(&given)?,
            Base::Source
            | Base::Destination
            | Base::In
            | Base::Out
            | Base::Fragment
            | Base::Command => {}
        }
        if self.base.iter().any(|(before, _)| *before == option.base) {
            return Err(Error::Repeated { word: token.word.to_owned() });
        }
        self.base.push((option.base, given));
        Ok(())
    }

    fn read_protocol(&mut self, given: &Given<'a>) -> Result<(), Error> {
        let value = given.value();
        let bad = || {
            let (word, value) = (given.word.to_owned(), value.to_owned());
            Error::BadProtocol { word, value }
        };
        match protocol::protocol(value).ok_or_else(bad)? {
            0 if given.negated => Err(given.never()),
            number => {
                self.protocol = (number > 0 && !given.negated).then_some(number);
                Ok(())
            }
        }
    }

    fn read_jump(&mut self, given: &Given<'a>) -> Result<(), Error> {
        use crate::nft::expr::Verdict;
        if self.jump.is_some() {
            return Err(Error::Repeated { word: given.word.to_owned() });
        }
        let value = given.value();
        let chain = || {
            let valid = value.len() < 29 && !value.contains(char::is_whitespace);
            let (word, value) = (given.word.to_owned(), value.to_owned());
            let name = Name::new(value.as_str()).ok().filter(|_| valid);
            name.ok_or(Error::BadTarget { word, value })
        };
        let goto = given.spec.name() == "goto";
        self.jump = Some(match value {
            _ if goto => Jump::Verdict(Verdict::Goto(chain()?)),
            "ACCEPT" => Jump::Verdict(Verdict::Accept),
            "DROP" => Jump::Verdict(Verdict::Drop),
            "RETURN" => Jump::Verdict(Verdict::Return),
            name => match targets::find(name, self.version)? {
                Some(module) => Jump::Extension(Loaded { module, name, given: Vec::new() }),
                None => Jump::Verdict(Verdict::Jump(chain()?)),
            },
        });
        self.order.push(Place::Target);
        Ok(())
    }

    fn module(&self, place: Place) -> Option<&'static Module> {
        match (place, &self.jump) {
            (Place::Match(at), _) => self.matches.get(at).map(|loaded| loaded.module),
            (Place::Target, Some(Jump::Extension(loaded))) => Some(loaded.module),
            (Place::Target, Some(Jump::Verdict(_)) | None) => None,
        }
    }

    /// Which option a word is. General options come first, then those of the matches and of the
    /// target, the last one first; then abbreviations of all these; then the match of the
    /// protocol.
    fn find(&self, token: Token<'a>) -> Result<Found, Error> {
        let unknown = || Error::UnknownOption { word: token.word.to_owned() };
        let Some(name) = token.long() else {
            let letter = token.short();
            let option = base::OPTIONS.iter().find(|option| option.letter == letter);
            return option.map(Found::Base).ok_or_else(unknown);
        };
        let candidates = || {
            let base = base::OPTIONS.iter().map(Found::Base);
            let loaded = self.order.iter().enumerate().rev().flat_map(|(at, place)| {
                let options = self.module(*place).map_or(&[][..], |module| module.options);
                options.iter().map(move |spec| Found::Loaded(at, spec))
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
}

impl<'a> Loaded<'a> {
    /// What its module builds from: the options in the order of the module's table, which is that
    /// of iptables-save, so that rules are the same however they were typed.
    pub(super) fn options(&self, context: Context) -> Options<'a> {
        let place = |given: &Given<'_>| {
            self.module.options.iter().position(|spec| spec.name() == given.spec.name())
        };
        let mut given = self.given.clone();
        given.sort_by_key(place);
        Options { name: self.name, context, given }
    }

    /// The protocols that its options need in front of them, and how to say so.
    pub(super) fn protocols(&self) -> (&'static [u8], &'static str) {
        if self.given.iter().any(|given| given.spec.reads_ports) {
            (super::module::WITH_PORTS, super::module::NEEDS_PORTS)
        } else {
            (self.module.protocols, self.module.needs)
        }
    }
}

impl Found {
    fn spec(&self) -> &'static OptionSpec {
        match self {
            Found::Base(option) => &option.spec,
            Found::Loaded(_, spec) | Found::Implied(_, spec) => spec,
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

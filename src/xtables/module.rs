//! What a match or target is: its options, how they become expressions, and how those are read.

use super::Error;
use super::companion::Companion;
use super::setting::{Setting, Style};
use super::words::{Given, OptionSpec};
use crate::net::IpVersion;
use crate::nft::Expr;
use crate::nft::expr::NatKind;

/// The protocols that have ports.
pub(super) const WITH_PORTS: &[u8] = &[6, 17, 33, 132, 136];
/// What to write in front of ports.
pub(super) const NEEDS_PORTS: &str = "\"-p\" with tcp, udp, udplite, sctp or dccp in the rule";

/// A match or target of iptables.
///
/// The expressions are the rule; words are read from them. So what iptables-save prints is
/// whatever [`Module::read`] makes of [`Module::build`], and no text is kept beside the rule.
#[derive(Debug)]
pub(super) struct Module {
    /// Its name, as in `-m NAME` or `-j NAME`.
    pub(super) name: &'static str,
    /// Its number in the shape of a rule ([`super::shape`]), never given to another; 0 where it
    /// cannot be read back.
    pub(super) id: u8,
    /// The family that it is for; both if none.
    pub(super) version: Option<IpVersion>,
    /// The protocols whose header it reads; none if it reads no transport header.
    pub(super) protocols: &'static [u8],
    /// What to write in front, where it reads one.
    pub(super) needs: &'static str,
    /// Its options.
    pub(super) options: &'static [OptionSpec],
    /// Makes its expressions.
    pub(super) build: fn(&Options<'_>) -> Result<Vec<Expr>, Error>,
    /// What must be in the table before its expressions.
    pub(super) companions: fn(&Options<'_>) -> Result<Vec<Companion>, Error>,
    /// What the expressions do not say and `read` needs, such as the order of a list.
    pub(super) note: fn(&Options<'_>) -> Vec<u8>,
    /// Reads expressions that `build` could have made: all of them, or it is none of its.
    pub(super) read: fn(&Span<'_>) -> Option<Vec<Setting>>,
    /// What `iptables -L` prints for it.
    pub(super) list: fn(&[Setting], &Style) -> String,
}

impl Module {
    /// A match of both families that reads no transport header.
    pub(super) const fn new(
        name: &'static str,
        options: &'static [OptionSpec],
        build: fn(&Options<'_>) -> Result<Vec<Expr>, Error>,
    ) -> Self {
        Module {
            name,
            id: 0,
            version: None,
            protocols: &[],
            needs: "",
            options,
            build,
            companions: |_| Ok(Vec::new()),
            note: |_| Vec::new(),
            read: |_| None,
            list: |_, _| String::new(),
        }
    }

    /// The same, with its number and the way back: from expressions, and into a listing.
    pub(super) const fn read_by(
        mut self,
        id: u8,
        read: fn(&Span<'_>) -> Option<Vec<Setting>>,
        list: fn(&[Setting], &Style) -> String,
    ) -> Self {
        self.id = id;
        self.read = read;
        self.list = list;
        self
    }

    /// The same with a note, of at most 255 bytes, kept with the rule.
    pub(super) const fn noted_by(mut self, note: fn(&Options<'_>) -> Vec<u8>) -> Self {
        self.note = note;
        self
    }

    /// The same with sets or objects that it refers to by name.
    pub(super) const fn beside(
        mut self,
        companions: fn(&Options<'_>) -> Result<Vec<Companion>, Error>,
    ) -> Self {
        self.companions = companions;
        self
    }

    /// The same for one family.
    pub(super) const fn only(mut self, version: IpVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// The same where the protocol must be one of these.
    pub(super) const fn after(mut self, protocols: &'static [u8], needs: &'static str) -> Self {
        self.protocols = protocols;
        self.needs = needs;
        self
    }
}

/// What the rule around a match or target says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The family.
    pub(super) version: IpVersion,
    /// The protocol that `-p` asks for; none if it is negated or not there.
    pub(super) protocol: Option<u8>,
    /// What nat rules of the chain translate, where its name tells.
    pub(super) translates: Option<NatKind>,
}

/// A match or target with the options that it was given.
#[derive(Debug)]
pub(super) struct Options<'a> {
    /// Its name as given.
    pub(super) name: &'a str,
    /// The rest of the rule.
    pub(super) context: Context,
    /// Its options in order, each once.
    pub(super) given: Vec<Given<'a>>,
}

impl<'a> Options<'a> {
    /// An option by its first name.
    pub(super) fn find(&self, name: &str) -> Option<&Given<'a>> {
        self.given.iter().find(|given| given.spec.name() == name)
    }

    /// An option that must be there.
    pub(super) fn need(&self, name: &str, needs: &'static str) -> Result<&Given<'a>, Error> {
        self.find(name).ok_or_else(|| self.incomplete(needs))
    }

    /// The error for an option that must be there.
    pub(super) fn incomplete(&self, needs: &'static str) -> Error {
        Error::NeedsOption { name: self.name.to_owned(), needs }
    }

    /// The only option; more exclude each other.
    pub(super) fn only(&self, needs: &'static str) -> Result<&Given<'a>, Error> {
        match self.given.as_slice() {
            [] => Err(self.incomplete(needs)),
            [only] => Ok(only),
            [first, second, ..] => Err(conflict(second, first)),
        }
    }
}

/// The error for two options that exclude each other.
pub(super) fn conflict(second: &Given<'_>, first: &Given<'_>) -> Error {
    Error::Conflict { word: second.word.to_owned(), other: first.word.to_owned() }
}

/// The expressions of one match or target in a rule that the kernel listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    /// The expressions.
    pub(super) exprs: &'a [Expr],
    /// What [`Module::note`] kept; empty in a rule that others made.
    pub(super) note: &'a [u8],
    /// The rest of the rule.
    pub(super) context: Context,
}

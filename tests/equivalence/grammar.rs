//! The matches of iptables as data: what may be said, with values inside, outside and at the edges.

use portcullis::net::IpVersion;

use super::headers::HEADERS;
use super::surroundings::SURROUNDINGS;

/// A match, or a part of a rule that needs no `-m`.
pub struct Module {
    /// As in `-m NAME`; empty for what every rule may say.
    pub name: &'static str,
    pub version: Option<IpVersion>,
    /// Protocols of which the rule must ask for one.
    pub protocols: &'static [&'static str],
    /// Where it may stand; anywhere if empty.
    pub chains: &'static [&'static str],
    /// Whether it makes conntrack work.
    pub tracks: bool,
    /// What each use says.
    pub fixed: &'static str,
    pub options: &'static [Choice],
}

/// An option and its values, divided by `|`.
pub struct Choice {
    pub name: &'static str,
    pub not: bool,
    pub values: &'static str,
}

/// An option that can be negated.
pub const fn not(name: &'static str, values: &'static str) -> Choice {
    Choice { name, not: true, values }
}

/// One that cannot.
pub const fn only(name: &'static str, values: &'static str) -> Choice {
    Choice { name, not: false, values }
}

pub const fn module(name: &'static str, options: &'static [Choice]) -> Module {
    let (version, protocols, chains, tracks, fixed) = (None, &[], &[], false, "");
    Module { name, version, protocols, chains, tracks, fixed, options }
}

impl Module {
    pub const fn of(mut self, version: IpVersion) -> Module {
        self.version = Some(version);
        self
    }

    pub const fn after(mut self, protocols: &'static [&'static str]) -> Module {
        self.protocols = protocols;
        self
    }

    pub const fn at(mut self, chains: &'static [&'static str]) -> Module {
        self.chains = chains;
        self
    }

    pub const fn tracks(mut self) -> Module {
        self.tracks = true;
        self
    }

    pub const fn fixed(mut self, words: &'static str) -> Module {
        self.fixed = words;
        self
    }
}

pub const RECEIVED: &[&str] = &["PREROUTING", "INPUT", "FORWARD"];
pub const SENT: &[&str] = &["FORWARD", "OUTPUT", "POSTROUTING"];

/// All matches.
pub fn modules() -> impl Iterator<Item = &'static Module> {
    HEADERS.iter().chain(SURROUNDINGS)
}

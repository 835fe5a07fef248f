//! What of iptables is known here: each match and target, its options, and what is refused and why.

use super::module::Module;
use super::{matches, targets};
use crate::net::IpVersion;

/// Where a module stands in a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `-m NAME`.
    Match,
    /// `-j NAME`.
    Target,
}

/// A match or target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Which of both.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// The family that it is for; both if none.
    pub version: Option<IpVersion>,
    /// Its options; none where the whole of it is refused.
    pub options: Vec<CoveredOption>,
    /// Why the whole of it is refused, if it is.
    pub refused: Option<&'static str>,
}

/// An option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredOption {
    /// Its names without dashes, the usual one first.
    pub names: &'static [&'static str],
    /// Why it is refused, if it is.
    pub refused: Option<&'static str>,
}

/// All of them: matches first, each group by name.
#[must_use]
pub fn coverage() -> Vec<Covered> {
    let mut all: Vec<Covered> = Vec::new();
    all.extend(matches::every().map(|module| native(Place::Match, module)));
    all.extend(targets::every().map(|module| native(Place::Target, module)));
    all.extend(matches::refusals().map(|(name, reason)| refused(Place::Match, name, reason)));
    all.extend(targets::refusals().map(|(name, reason)| refused(Place::Target, name, reason)));
    all.sort_by_key(|covered| (covered.place, covered.name, covered.version));
    all
}

fn native(place: Place, module: &'static Module) -> Covered {
    let option = |spec: &'static super::words::OptionSpec| CoveredOption {
        names: spec.names,
        refused: spec.refused,
    };
    let options = module.options.iter().map(option).collect();
    Covered { place, name: module.name, version: module.version, options, refused: None }
}

fn refused(place: Place, name: &'static str, reason: &'static str) -> Covered {
    Covered { place, name, version: None, options: Vec::new(), refused: Some(reason) }
}

//! From words to the rules that nf_tables runs: expressions in the order of iptables-nft, and the
//! shape in the userdata.

use std::sync::Arc;

use super::base::{self, Base};
use super::companion::Companion;
use super::error::Error;
use super::module::Module;
use super::own_set::name_own_sets;
use super::shape::{Part, Shape, TLV_SHAPE};
use super::spec::{Jump, Loaded, Spec};
use super::words::Given;
use crate::nft::expr::{Counter, Immediate, Verdict};
use crate::nft::{ElementData, Expr, Rule, Set, Userdata};

/// Packets and bytes that a rule has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A rule of an ip or ip6 table, and what must be in the table before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The rule; shared with the changes that make it, since a save file has thousands.
    pub rule: Arc<Rule>,
    /// Sets, chains and objects that rules share by name; they go when no rule names them any more.
    pub companions: Vec<Companion>,
}

/// The rules that a specification means, for a table of the ip or ip6 family: one for each pair of
/// the source and destination addresses that it lists, in the order of iptables(8).
///
/// `-s 10.0.0.0/8 -m tcp --dport 80 -j ACCEPT` is
/// `ip saddr 10.0.0.0/8 meta l4proto tcp tcp dport 80 counter packets 0 bytes 0 accept`.
pub(super) fn compile(spec: &Spec<'_>, counters: Counters) -> Result<Vec<Compiled>, Error> {
    let listed = |wanted: Base| -> Result<Vec<Option<Given<'_>>>, Error> {
        let Some((_, given)) = spec.base.iter().find(|(base, _)| *base == wanted) else {
            return Ok(vec![None]);
        };
        let several = given.each_value();
        if several.len() > 1 && given.negated {
            let (word, value) = (given.word.to_owned(), given.value().to_owned());
            return Err(Error::NegatedList { word, value });
        }
        Ok(several.into_iter().map(Some).collect())
    };
    let parts = Parts::of(spec)?;
    let (sources, destinations) = (listed(Base::Source)?, listed(Base::Destination)?);
    let pairs = sources.iter().flat_map(|source| destinations.iter().map(move |to| (*source, *to)));
    let parts = std::iter::repeat_n(parts, sources.len() * destinations.len());
    let rules = pairs.zip(parts).map(|(pair, parts)| rule(spec, parts, pair, counters));
    rules.collect()
}

/// What all rules of a specification share.
#[derive(Clone)]
struct Parts {
    companions: Vec<Companion>,
    matches: Vec<Expr>,
    target: Vec<Expr>,
    userdata: Userdata,
}

impl Parts {
    fn of(spec: &Spec<'_>) -> Result<Self, Error> {
        let (mut shape, mut matches, mut target) = (Shape::default(), Vec::new(), Vec::new());
        let (mut comment, mut companions) = (None, Vec::new());
        for loaded in &spec.matches {
            let decided = companions.iter().any(Companion::decides);
            let (mut part, exprs) = built(spec, loaded, &mut companions)?;
            if decided && !exprs.is_empty() {
                let (name, reason) = (loaded.name.to_owned(), BEHIND);
                return Err(Error::UnsupportedMatch { name, reason });
            }
            if loaded.module.name == "comment" {
                let text = loaded.given.first().map(Given::value);
                match (comment, text) {
                    (Some(_), Some(another)) => part.note = comment_note(another)?,
                    (None, _) | (Some(_), None) => comment = text,
                }
            }
            shape.matches.push(part);
            matches.extend(exprs);
        }
        match &spec.jump {
            Some(Jump::Verdict(verdict)) => {
                target.push(Immediate::Verdict(verdict.clone()).into());
            }
            Some(Jump::Extension(loaded)) => {
                let (part, exprs) = built(spec, loaded, &mut companions)?;
                shape.target = Some(part);
                target = exprs;
            }
            None => {}
        }
        put_verdict(spec.jump.as_ref(), &mut companions)?;
        let mut userdata = Userdata::new();
        if let Some(comment) = comment {
            userdata = userdata.with_whole_comment(comment);
        }
        userdata = userdata.with(TLV_SHAPE, shape.encode());
        let bytes = userdata.encoded_len();
        if bytes > Userdata::MAX {
            return Err(Error::TooLong { bytes, most: Userdata::MAX });
        }
        Ok(Parts { companions, matches, target, userdata })
    }
}

/// Why no match stands behind one that decides.
const BEHIND: &str = "the states in front of it decide of some packets alone, so that it would not \
                      be asked: put it in front of them";

/// Gives a map that decides the verdict of its rule.
fn put_verdict(jump: Option<&Jump<'_>>, companions: &mut [Companion]) -> Result<(), Error> {
    let verdict = match jump {
        // What goes on with the rule would be counted twice if the status were asked too.
        None if companions.iter().all(|companion| !companion.decides() || companion.excludes()) => {
            Verdict::Continue
        }
        Some(Jump::Verdict(verdict @ (Verdict::Accept | Verdict::Drop | Verdict::Return))) => {
            verdict.clone()
        }
        None | Some(Jump::Verdict(_) | Jump::Extension(_)) => {
            return match companions.iter().any(Companion::decides) {
                true => Err(Error::UndecidedTarget),
                false => Ok(()),
            };
        }
    };
    for companion in companions {
        let Companion::Map { elements, .. } = companion else { continue };
        let open = ElementData::Verdict(Verdict::Break);
        for element in elements.iter_mut().filter(|element| element.data.as_ref() == Some(&open)) {
            element.data = Some(ElementData::Verdict(verdict.clone()));
        }
    }
    Ok(())
}

/// The entry in the userdata of a set that says that it came with a rule.
const TLV_COMPANION: u8 = 0xE8;

/// Whether a set came with a rule, and is to go with the last one that names it.
#[must_use]
pub fn is_companion(set: &Set) -> bool {
    set.userdata.find(TLV_COMPANION).is_some()
}

fn marked(companion: Companion) -> Companion {
    match companion {
        Companion::Set(set) => Companion::Set(with_mark(set)),
        Companion::List { set, age } => Companion::List { set: with_mark(set), age },
        Companion::Map { set, elements } => Companion::Map { set: with_mark(set), elements },
        other @ (Companion::Chain(_) | Companion::Object(_)) => other,
    }
}

fn with_mark(mut set: Set) -> Set {
    set.userdata = set.userdata.with(TLV_COMPANION, vec![1]);
    set
}

fn built(
    spec: &Spec<'_>,
    loaded: &Loaded<'_>,
    companions: &mut Vec<Companion>,
) -> Result<(Part, Vec<Expr>), Error> {
    let (protocols, needs) = loaded.protocols();
    if !protocols.is_empty() && !spec.protocol.is_some_and(|number| protocols.contains(&number)) {
        return Err(Error::NeedsProtocol { name: loaded.name.to_owned(), needs });
    }
    let Module { id, build, note, companions: beside, .. } = loaded.module;
    let options = loaded.options(spec.context());
    let exprs = build(&options)?;
    companions.extend(beside(&options)?.into_iter().map(marked));
    let note = fitting(note(&options))?;
    // At most 128 expressions make a rule (NFT_RULE_MAXEXPRS).
    let part = Part { id: *id, exprs: u8::try_from(exprs.len()).unwrap_or(u8::MAX), note };
    Ok((part, exprs))
}

/// A note that a part can hold.
fn fitting(note: Vec<u8>) -> Result<Vec<u8>, Error> {
    match u8::try_from(note.len()) {
        Ok(_) => Ok(note),
        Err(_) => Err(Error::TooLong { bytes: note.len(), most: Userdata::MAX }),
    }
}

/// A comment behind the first, which is the rule's own: with an end, so that it is never empty.
fn comment_note(text: &str) -> Result<Vec<u8>, Error> {
    fitting(text.bytes().chain([0]).collect())
}

fn rule(
    spec: &Spec<'_>,
    parts: Parts,
    (source, destination): (Option<Given<'_>>, Option<Given<'_>>),
    counters: Counters,
) -> Result<Compiled, Error> {
    let is_listed = |base| matches!(base, Base::Source | Base::Destination);
    let mut options = Vec::with_capacity(spec.base.len());
    options.extend(spec.base.iter().filter(|(base, _)| !is_listed(*base)));
    options.extend(source.map(|given| (Base::Source, given)));
    options.extend(destination.map(|given| (Base::Destination, given)));
    options.sort_by_key(|(base, _)| base.place());
    let Parts { companions, matches, target, userdata } = parts;
    // Most options are a field and a comparison.
    let mut exprs = Vec::with_capacity(2 * options.len() + matches.len() + 1 + target.len());
    for (base, given) in &options {
        exprs.extend(base::base_match(*base, given, spec.version)?);
    }
    exprs.extend(matches);
    let Counters { packets, bytes } = counters;
    exprs.push(Counter { packets, bytes }.into());
    exprs.extend(target);
    let rule = Rule { exprs, userdata }.into();
    let mut compiled = Compiled { rule, companions };
    name_own_sets(&mut compiled, spec.chain.unwrap_or_default(), spec.version)?;
    Ok(compiled)
}

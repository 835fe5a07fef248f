//! A rule read back from nf_tables: what iptables-save prints of it.

use super::base_read::{BaseSetting, protocol_of, read_base};
use super::companion::jumped_to;
use super::compile::Counters;
use super::extension::Extension;
use super::foreign::read_foreign;
use super::module::{Context, Module, Span};
use super::setting::{Setting, Style, Word, join};
use super::shape::{Part, Shape};
use super::{matches, targets};
use crate::net::IpVersion;
use crate::nft::expr::{Counter, Immediate, Verdict};
use crate::nft::{Expr, Name, Rule as NftRule};

/// A rule in the words of iptables.
#[derive(Debug)]
pub struct Rule {
    pub(super) version: IpVersion,
    pub(super) base: Vec<BaseSetting>,
    pub(super) matches: Vec<Extension>,
    pub(super) target: Target,
    pub(super) counters: Option<Counters>,
}

/// What a rule does with a packet.
#[derive(Debug)]
pub(super) enum Target {
    /// The rule only counts.
    None,
    Verdict(Verdict),
    Extension(Extension),
}

impl Rule {
    /// Reads a rule of an ip or ip6 table; `None` where the words of iptables do not say what it
    /// does.
    #[must_use]
    pub fn read(rule: &NftRule, version: IpVersion) -> Option<Self> {
        match Shape::decode(&rule.userdata) {
            Some(shape) => Reader { rule, version }.read_shaped(&shape),
            None => read_foreign(rule, version),
        }
    }

    /// What it has counted; `None` where it does not count.
    #[must_use]
    pub fn counters(&self) -> Option<Counters> {
        self.counters
    }

    /// The rule behind `-A CHAIN`: `-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT`, one word
    /// each, without quotes.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.all_words().into_iter().map(|word| word.text.into_owned()).collect()
    }

    /// The same as iptables-save prints it.
    #[must_use]
    pub fn saved(&self) -> String {
        let (before, target) = self.saved_parts();
        [before, target].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The same in two: the words in front of `-j` or `-g`, and from there. Both may be empty.
    #[must_use]
    pub fn saved_parts(&self) -> (String, String) {
        (join(self.match_words()), join(self.target_words()))
    }

    fn all_words(&self) -> Vec<Word<'_>> {
        [self.match_words(), self.target_words()].concat()
    }

    fn match_words(&self) -> Vec<Word<'_>> {
        let mut words = Vec::new();
        for BaseSetting { base, negated, value } in &self.base {
            words.extend(negated.then(|| Word::plain("!")));
            words.push(Word::plain(base.word()));
            words.extend((!value.is_empty()).then(|| Word::plain(value)));
        }
        for extension in &self.matches {
            words.push(Word::plain("-m"));
            words.extend(extension.words());
        }
        words
    }

    fn target_words(&self) -> Vec<Word<'_>> {
        match &self.target {
            Target::None => Vec::new(),
            Target::Verdict(Verdict::Goto(chain)) => {
                vec![Word::plain("-g"), Word::plain(chain.as_str())]
            }
            Target::Verdict(verdict) => {
                vec![Word::plain("-j"), Word::plain(verdict_name(verdict))]
            }
            Target::Extension(extension) => {
                let mut words = vec![Word::plain("-j")];
                words.extend(extension.words());
                words
            }
        }
    }

    /// What `iptables -L` prints behind the columns for the matches and the target.
    pub(super) fn details(&self, style: &Style) -> Vec<String> {
        let target = match &self.target {
            Target::Extension(extension) => Some(extension),
            Target::None | Target::Verdict(_) => None,
        };
        let all = self.matches.iter().chain(target);
        let protocol = protocol_of(&self.base);
        let context = Context { version: self.version, protocol, translates: None };
        all.map(|extension| extension.list(context, style))
            .filter(|text| !text.is_empty())
            .collect()
    }
}

/// The chain that a rule jumps or goes to, if it is one of the user's.
#[must_use]
pub fn jump_target(rule: &NftRule) -> Option<&str> {
    rule.exprs.iter().find_map(|expr| match expr {
        Expr::Immediate(Immediate::Verdict(verdict)) => verdict.chain().map(Name::as_str),
        _ => None,
    })
}

/// The name that `-j` gives a verdict; empty for one that iptables has no name for.
pub(super) fn verdict_name(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Accept => "ACCEPT",
        Verdict::Drop => "DROP",
        Verdict::Return => "RETURN",
        Verdict::Jump(chain) | Verdict::Goto(chain) => chain.as_str(),
        Verdict::Continue | Verdict::Break | Verdict::Other(_) => "",
    }
}

/// A rule being read.
struct Reader<'a> {
    rule: &'a NftRule,
    version: IpVersion,
}

impl<'a> Reader<'a> {
    /// One that carries its shape: base, matches, counter, target, each where the shape says.
    fn read_shaped(&self, shape: &Shape) -> Option<Rule> {
        let exprs = self.rule.exprs.as_slice();
        let at = exprs.iter().rposition(|expr| matches!(expr, Expr::Counter(_)))?;
        let (before, after) = exprs.split_at(at);
        let (counter, after) = after.split_first()?;
        let of_matches: usize = shape.matches.iter().map(|part| usize::from(part.exprs)).sum();
        let (base, mut rest) = before.split_at_checked(before.len().checked_sub(of_matches)?)?;
        let (base, taken) = read_base(base, self.version);
        if taken + of_matches != before.len() {
            return None;
        }
        let context =
            Context { version: self.version, protocol: protocol_of(&base), translates: None };
        let mut read = Vec::new();
        for part in &shape.matches {
            let (own, behind) = rest.split_at_checked(part.exprs.into())?;
            read.push(self.part(matches::all(self.version), part, own, context)?);
            rest = behind;
        }
        let target = match &shape.target {
            Some(part) => {
                Target::Extension(self.part(targets::all(self.version), part, after, context)?)
            }
            None => verdict_target(after)?,
        };
        let counters = counters(counter);
        Some(Rule { version: self.version, base, matches: read, target, counters })
    }

    fn part(
        &self,
        mut modules: impl Iterator<Item = &'static Module>,
        part: &Part,
        exprs: &[Expr],
        context: Context,
    ) -> Option<Extension> {
        let module = modules.find(|module| module.id == part.id)?;
        if module.name == "comment" {
            let text = match part.note.split_last() {
                None => self.rule.userdata.comment()?,
                Some((_, another)) => std::str::from_utf8(another).ok()?,
            };
            let settings = vec![Setting::text("comment", text)];
            return Some(Extension::Known { module, settings });
        }
        Extension::read(module, &Span { exprs, note: &part.note, context })
    }
}

/// The end of a rule without an extension: a verdict, or nothing.
pub(super) fn verdict_target(exprs: &[Expr]) -> Option<Target> {
    match exprs {
        [] => Some(Target::None),
        [Expr::Immediate(Immediate::Verdict(verdict))]
            if !verdict_name(verdict).is_empty() && jumped_to(verdict).is_none() =>
        {
            Some(Target::Verdict(verdict.clone()))
        }
        _ => None,
    }
}

pub(super) fn counters(expr: &Expr) -> Option<Counters> {
    match expr {
        Expr::Counter(Counter { packets, bytes }) => {
            Some(Counters { packets: *packets, bytes: *bytes })
        }
        _ => None,
    }
}

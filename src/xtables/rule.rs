//! A rule read back from nf_tables: what iptables-save prints of it.

use super::base_read::{BaseSetting, protocol_of, read_base};
use super::compile::Counters;
use super::module::{Context, Module, Span};
use super::setting::{Setting, Style, Word};
use super::shape::{Part, Shape};
use super::{matches, targets};
use crate::net::IpVersion;
use crate::nft::expr::{Counter, Immediate, Verdict};
use crate::nft::{Expr, Rule as NftRule};

/// A rule in the words of iptables.
#[derive(Debug)]
pub struct Rule {
    pub(super) base: Vec<BaseSetting>,
    matches: Vec<Extension>,
    pub(super) target: Target,
    counters: Option<Counters>,
}

/// A match or a target with its options.
#[derive(Debug)]
pub(super) struct Extension {
    pub(super) module: &'static Module,
    settings: Vec<Setting>,
}

impl Extension {
    /// Reads expressions as this match or target, its options in the order of iptables-save.
    fn read(module: &'static Module, span: &Span<'_>) -> Option<Self> {
        let mut settings = (module.read)(span)?;
        let names = |setting: &Setting| {
            module.options.iter().position(|spec| spec.names.contains(&setting.name))
        };
        settings.sort_by_key(names);
        Some(Extension { module, settings })
    }
}

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
            None => Reader { rule, version }.read_foreign(),
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
        self.all_words().into_iter().map(|word| word.text).collect()
    }

    /// The same as iptables-save prints it.
    #[must_use]
    pub fn saved(&self) -> String {
        self.all_words().iter().map(Word::quoted).collect::<Vec<_>>().join(" ")
    }

    fn all_words(&self) -> Vec<Word> {
        let mut words = Vec::new();
        for BaseSetting { base, negated, value } in &self.base {
            words.extend(negated.then(|| Word::plain("!")));
            words.push(Word::plain(base.word()));
            words.extend((!value.is_empty()).then(|| Word::plain(value.clone())));
        }
        for Extension { module, settings } in &self.matches {
            words.extend([Word::plain("-m"), Word::plain(module.name)]);
            words.extend(settings.iter().flat_map(Setting::words));
        }
        let target = match &self.target {
            Target::None => None,
            Target::Verdict(Verdict::Goto(chain)) => Some(("-g", chain.as_str())),
            Target::Verdict(verdict) => Some(("-j", verdict_name(verdict))),
            Target::Extension(extension) => Some(("-j", extension.module.name)),
        };
        words.extend(target.into_iter().flat_map(|(j, name)| [Word::plain(j), Word::plain(name)]));
        if let Target::Extension(extension) = &self.target {
            words.extend(extension.settings.iter().flat_map(Setting::words));
        }
        words
    }

    /// What `iptables -L` prints behind the columns for the matches and the target.
    pub(super) fn details(&self, style: &Style) -> Vec<String> {
        let target = match &self.target {
            Target::Extension(extension) => Some(extension),
            Target::None | Target::Verdict(_) => None,
        };
        let all = self.matches.iter().chain(target);
        all.map(|Extension { module, settings }| (module.list)(settings, style))
            .filter(|text| !text.is_empty())
            .collect()
    }
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
        Some(Rule { base, matches: read, target, counters: counters(counter) })
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
            let comment = Setting::text("comment", self.rule.userdata.comment()?);
            return Some(Extension { module, settings: vec![comment] });
        }
        Extension::read(module, &Span { exprs, note: &part.note, context })
    }

    /// One that others made: by its looks, the longest match first.
    fn read_foreign(&self) -> Option<Rule> {
        let exprs = self.rule.exprs.as_slice();
        let (base, taken) = read_base(exprs, self.version);
        let context =
            Context { version: self.version, protocol: protocol_of(&base), translates: None };
        let mut rule = Rule { base, matches: Vec::new(), target: Target::None, counters: None };
        let mut rest = exprs.get(taken..)?;
        loop {
            if let [counter @ Expr::Counter(_), behind @ ..] = rest
                && rule.counters.is_none()
            {
                rule.counters = counters(counter);
                rest = behind;
            } else if let Some(target) = self.foreign_target(rest, context) {
                rule.target = target;
                break;
            } else {
                let (extension, taken) = foreign(matches::all(self.version), rest, context)?;
                rule.matches.push(extension);
                rest = rest.get(taken..)?;
            }
        }
        if let (Some(comment), Ok(module)) =
            (self.rule.userdata.comment(), matches::find("comment", self.version))
        {
            let settings = vec![Setting::text("comment", comment)];
            rule.matches.push(Extension { module, settings });
        }
        Some(rule)
    }

    fn foreign_target(&self, rest: &[Expr], context: Context) -> Option<Target> {
        verdict_target(rest).or_else(|| {
            let (extension, taken) = foreign(targets::all(self.version), rest, context)?;
            (taken == rest.len()).then_some(Target::Extension(extension))
        })
    }
}

/// The first expressions as a match or target, as many of them as one takes.
fn foreign(
    modules: impl Iterator<Item = &'static Module> + Clone,
    exprs: &[Expr],
    context: Context,
) -> Option<(Extension, usize)> {
    (1..=exprs.len()).rev().find_map(|length| {
        let span = Span { exprs: exprs.get(..length)?, note: &[], context };
        let fits = |module: &&'static Module| {
            module.protocols.is_empty()
                || context.protocol.is_some_and(|number| module.protocols.contains(&number))
        };
        let mut read =
            modules.clone().filter(fits).filter_map(|module| Extension::read(module, &span));
        Some((read.next()?, length))
    })
}

/// The end of a rule without an extension: a verdict, or nothing.
fn verdict_target(exprs: &[Expr]) -> Option<Target> {
    match exprs {
        [] => Some(Target::None),
        [Expr::Immediate(Immediate::Verdict(verdict))] if !verdict_name(verdict).is_empty() => {
            Some(Target::Verdict(verdict.clone()))
        }
        _ => None,
    }
}

fn counters(expr: &Expr) -> Option<Counters> {
    match expr {
        Expr::Counter(Counter { packets, bytes }) => {
            Some(Counters { packets: *packets, bytes: *bytes })
        }
        _ => None,
    }
}

//! A match or a target of a rule that was read, with its options.

use std::borrow::Cow;

use super::module::{Context, Module, Span};
use super::setting::{Quotes, Setting, Style, Word, join};
use super::spec::Spec;
use super::words::Words;

/// A match or a target with its options.
#[derive(Debug)]
pub(super) enum Extension {
    /// Native expressions, as a module reads them.
    Known {
        /// Which.
        module: &'static Module,
        /// Its options, in the order of iptables-save.
        settings: Vec<Setting>,
    },
    /// A structure of nft_compat, which iptables-nft left.
    Left {
        /// Its words: `-m` or `-j`, its name, its options.
        words: Vec<String>,
    },
}

impl Extension {
    /// Reads expressions as this match or target, its options in the order of iptables-save.
    pub(super) fn read(module: &'static Module, span: &Span<'_>) -> Option<Self> {
        let mut settings = (module.read)(span)?;
        let place = |setting: &Setting| {
            module.options.iter().position(|spec| spec.names.contains(&setting.name))
        };
        settings.sort_by_key(place);
        let repeats = settings.windows(2).any(|pair| match pair {
            [first, second] => first.name == second.name,
            _ => false,
        });
        (!repeats).then_some(Extension::Known { module, settings })
    }

    /// Its name, as behind `-m` or `-j`.
    pub(super) fn name(&self) -> &str {
        match self {
            Extension::Known { module, .. } => module.name,
            Extension::Left { words } => words.get(1).map_or("", String::as_str),
        }
    }

    /// Its name and its options.
    pub(super) fn words(&self) -> Vec<Word<'_>> {
        match self {
            Extension::Known { module, settings } => {
                let options = settings.iter().flat_map(Setting::words).map(|word| word.text);
                in_quotes([Cow::Borrowed(module.name)].into_iter().chain(options))
            }
            Extension::Left { words } => in_quotes(words.iter().skip(1).map(Cow::from)),
        }
    }

    /// What `iptables -L` prints for it; for what has no native form, its words.
    pub(super) fn list(&self, context: Context, style: &Style) -> String {
        match self {
            Extension::Known { module, settings } => (module.list)(settings, style),
            Extension::Left { words } => match native(words, context) {
                Some(extension) => extension.list(context, style),
                None => {
                    // The name of a target has a column of its own.
                    let is_target = words.first().is_some_and(|word| word == "-j");
                    join(self.words().into_iter().skip(usize::from(is_target)))
                }
            },
        }
    }
}

/// The same match or target as native expressions would be read.
fn native(words: &[String], context: Context) -> Option<Extension> {
    let mut spec = Spec::new(context.version);
    spec.protocol = context.protocol;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut rest = Words::new(&words);
    while let Some(token) = rest.token().ok()? {
        spec.read(token, &mut rest).ok()?;
    }
    let loaded = spec.only_extension()?;
    let module = loaded.module;
    let options = loaded.options(context);
    let (exprs, note) = ((module.build)(&options).ok()?, (module.note)(&options));
    let comment = |given: &super::words::Given<'_>| Setting::text("comment", given.value());
    if module.name == "comment" {
        let settings = loaded.given.iter().map(comment).collect();
        return Some(Extension::Known { module, settings });
    }
    Extension::read(module, &Span { exprs: &exprs, note: &note, context })
}

/// Options whose value iptables-save puts in quotes where it is more than letters and digits.
const TEXTS: [&str; 4] = ["--comment", "--log-prefix", "--nflog-prefix", "--path"];
/// Options whose value is always in quotes.
const QUOTED: [&str; 4] = ["--string", "--hex-string", "--u32", "--bytecode"];

/// Words behind `-m` or `-j`, the name first, with the quotes that iptables-save gives them.
fn in_quotes<'a>(words: impl Iterator<Item = Cow<'a, str>>) -> Vec<Word<'a>> {
    let mut quoted: Vec<Word<'a>> = words.map(Word::plain).collect();
    for at in 1..quoted.len() {
        let quotes = match (quoted[0].text.as_ref(), quoted[at - 1].text.as_ref()) {
            ("helper", "--helper") => Quotes::WhereNeeded,
            (_, option) if TEXTS.contains(&option) => Quotes::WhereNeeded,
            ("connlabel", "--label") => Quotes::Always,
            (_, option) if QUOTED.contains(&option) => Quotes::Always,
            _ => Quotes::Never,
        };
        quoted[at].quotes = quotes;
    }
    quoted
}

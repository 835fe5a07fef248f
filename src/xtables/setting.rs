//! An option as a rule has it, read from expressions: what iptables-save prints.

use std::borrow::Cow;

use super::quote::{in_quotes, quoted};

/// An option with its values: `! --dport 80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Whether `!` stands in front.
    pub(super) negated: bool,
    /// Its name without the dashes, as iptables-save spells it.
    pub(super) name: &'static str,
    /// What follows.
    pub(super) values: Vec<String>,
    /// Whether the value is free text, which iptables-save puts in quotes.
    pub(super) is_text: bool,
}

impl Setting {
    /// An option with one value.
    pub(super) fn new(name: &'static str, value: impl Into<String>) -> Self {
        Setting { negated: false, name, values: vec![value.into()], is_text: false }
    }

    /// An option with free text, such as a comment.
    pub(super) fn text(name: &'static str, value: impl Into<String>) -> Self {
        Setting { is_text: true, ..Setting::new(name, value) }
    }

    /// An option with two values.
    pub(super) fn pair(name: &'static str, one: String, other: String) -> Self {
        Setting { negated: false, name, values: vec![one, other], is_text: false }
    }

    /// An option without a value.
    pub(super) fn flag(name: &'static str) -> Self {
        Setting { negated: false, name, values: Vec::new(), is_text: false }
    }

    /// The same, negated or not.
    pub(super) fn negated(mut self, negated: bool) -> Self {
        self.negated = negated;
        self
    }

    /// The first value; empty for an option without one.
    pub(super) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// The words of it, as they stand on a command line.
    pub(super) fn words(&self) -> impl Iterator<Item = Word<'_>> {
        let not = self.negated.then(|| Word::plain("!"));
        let name = Word::plain(format!("--{}", self.name));
        let quotes = if self.is_text { Quotes::WhereNeeded } else { Quotes::Never };
        let values = self.values.iter().map(move |value| Word { text: value.into(), quotes });
        not.into_iter().chain([name]).chain(values)
    }
}

/// A word of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether it is printed in quotes.
    pub(super) quotes: Quotes,
}

/// When iptables-save puts a word in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// It is no free text.
    Never,
    /// As [`quoted`] decides, which gives `'` a backslash too.
    WhereNeeded,
    /// Whatever it is; `'` inside stands as it is.
    Always,
}

impl<'a> Word<'a> {
    pub(super) fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Word { text: text.into(), quotes: Quotes::Never }
    }

    /// The word as iptables-save prints it.
    fn quoted(&self) -> Cow<'_, str> {
        match self.quotes {
            Quotes::Never => Cow::Borrowed(&self.text),
            Quotes::WhereNeeded => Cow::Owned(quoted(&self.text)),
            Quotes::Always => Cow::Owned(in_quotes(&self.text, &['"', '\\'])),
        }
    }
}

/// Words in a line as iptables-save prints them.
pub(super) fn join<'a>(words: impl IntoIterator<Item = Word<'a>>) -> String {
    let mut line = String::with_capacity(128);
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word.quoted());
    }
    line
}

/// What stands in front of a value in a listing.
pub(super) fn not(setting: &Setting) -> &'static str {
    if setting.negated { "!" } else { "" }
}

/// How `iptables -L` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// `-n`: numbers instead of names of services.
    pub(super) numeric: bool,
}

/// One of several by name.
pub(super) fn find<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name == name)
}

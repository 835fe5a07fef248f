//! Words, and which option one of them is: getopt_long(3) with the `!` of iptables.

use super::error::Error;

/// An option: its names, and what may stand beside it.
#[derive(Debug)]
pub(super) struct OptionSpec {
    /// Long names without the dashes, the first is the one to look it up by.
    pub(super) names: &'static [&'static str],
    /// How many values follow.
    pub(super) values: usize,
    /// Whether `!` may stand in front.
    pub(super) negatable: bool,
    /// Whether it reads ports, which mean something only where the protocol is known.
    pub(super) reads_ports: bool,
    /// Why it is refused, if it is.
    pub(super) refused: Option<&'static str>,
}

impl OptionSpec {
    /// An option with one value, which can be negated.
    pub(super) const fn value(names: &'static [&'static str]) -> Self {
        OptionSpec { names, values: 1, negatable: true, reads_ports: false, refused: None }
    }

    /// An option with one value, which cannot be negated.
    pub(super) const fn setting(names: &'static [&'static str]) -> Self {
        OptionSpec { names, values: 1, negatable: false, reads_ports: false, refused: None }
    }

    /// An option without a value.
    pub(super) const fn flag(names: &'static [&'static str]) -> Self {
        OptionSpec { names, values: 0, negatable: false, reads_ports: false, refused: None }
    }

    /// An option that iptables has and that is not translated.
    pub(super) const fn refused(names: &'static [&'static str], reason: &'static str) -> Self {
        OptionSpec { names, values: 0, negatable: true, reads_ports: false, refused: Some(reason) }
    }

    /// The same, but `!` may stand in front.
    pub(super) const fn negatable(mut self) -> Self {
        self.negatable = true;
        self
    }

    /// The same where the value is ports of a flow.
    pub(super) const fn of_ports(mut self) -> Self {
        self.reads_ports = true;
        self
    }

    /// The same with two values.
    pub(super) const fn two_values(mut self) -> Self {
        self.values = 2;
        self
    }

    /// The first name.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

/// An option that was given, with its values.
#[derive(Debug, Clone)]
pub(super) struct Given<'a> {
    /// Which.
    pub(super) spec: &'static OptionSpec,
    /// As it was written: `--ctstate`.
    pub(super) word: &'a str,
    /// Whether `!` stood in front of it or of its value.
    pub(super) negated: bool,
    /// What followed.
    values: Vec<&'a str>,
}

impl<'a> Given<'a> {
    /// The first value; empty for an option without one.
    pub(super) fn value(&self) -> &'a str {
        self.values.first().copied().unwrap_or_default()
    }

    /// The second value.
    pub(super) fn second(&self) -> &'a str {
        self.values.get(1).copied().unwrap_or_default()
    }

    /// The error for its value.
    pub(super) fn bad(&self, value: &str, expected: &'static str) -> Error {
        Error::BadValue { word: self.word.to_owned(), value: value.to_owned(), expected }
    }

    /// The error for a value that nftables cannot express.
    pub(super) fn unsupported(&self, reason: &'static str) -> Error {
        let (word, value) = (self.word.to_owned(), self.value().to_owned());
        Error::UnsupportedValue { word, value, reason }
    }

    /// The error for a condition that no packet meets.
    pub(super) fn never(&self) -> Error {
        let not = if self.negated { "! " } else { "" };
        let value = self.values.join(" ");
        Error::NeverMatches { word: format!("{not}{}", self.word), value }
    }
}

/// The start of an option: `! --name=value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    /// Whether `!` stood in front.
    pub(super) negated: bool,
    /// The option without its value.
    pub(super) word: &'a str,
    /// A value that is part of the same word.
    attached: Option<&'a str>,
}

impl<'a> Token<'a> {
    /// The letter of a short option.
    pub(super) fn short(&self) -> Option<char> {
        match self.long() {
            Some(_) => None,
            None => self.word.chars().nth(1),
        }
    }

    /// The name of a long option, perhaps abbreviated.
    pub(super) fn long(&self) -> Option<&'a str> {
        self.word.strip_prefix("--")
    }
}

/// The words, from left to right.
#[derive(Debug)]
pub(super) struct Words<'a> {
    rest: std::slice::Iter<'a, String>,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [String]) -> Self {
        Words { rest: words.iter() }
    }

    /// The next option; `None` at the end.
    pub(super) fn token(&mut self) -> Result<Option<Token<'a>>, Error> {
        let Some(mut word) = self.rest.next().map(String::as_str) else { return Ok(None) };
        let negated = word == "!";
        if negated {
            word = match self.rest.next().map(String::as_str) {
                Some("!") | None => return Err(Error::StrayNegation),
                Some(word) => word,
            };
        }
        let unexpected = || Error::UnexpectedWord { word: word.to_owned() };
        if let Some(long) = word.strip_prefix("--") {
            let (word, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            if long.is_empty() || word == "--" {
                return Err(unexpected());
            }
            return Ok(Some(Token { negated, word, attached }));
        }
        let mut letters = word.strip_prefix('-').ok_or_else(unexpected)?.char_indices();
        let (_, letter) = letters.next().ok_or_else(unexpected)?;
        let (short, attached) = word.split_at(1 + letter.len_utf8());
        let attached = (!attached.is_empty()).then_some(attached);
        Ok(Some(Token { negated, word: short, attached }))
    }

    /// Takes the values of an option.
    pub(super) fn given(
        &mut self,
        token: Token<'a>,
        spec: &'static OptionSpec,
    ) -> Result<Given<'a>, Error> {
        let word = token.word;
        if let Some(reason) = spec.refused {
            return Err(Error::UnsupportedOption { word: word.to_owned(), reason });
        }
        let mut negated = token.negated;
        let mut values = Vec::with_capacity(spec.values);
        values.extend(token.attached);
        if values.len() > spec.values {
            return Err(Error::TakesNoValue { word: word.to_owned() });
        }
        while values.len() < spec.values {
            let needs = if spec.values == 1 { "a value" } else { "two values" };
            let missing = || Error::NeedsValue { word: word.to_owned(), needs };
            let value = self.rest.next().ok_or_else(missing)?;
            // The old place of the negation: `-s ! 192.0.2.1`.
            if value == "!" && spec.negatable && values.is_empty() {
                if negated {
                    return Err(Error::StrayNegation);
                }
                negated = true;
            } else {
                values.push(value);
            }
        }
        if negated && !spec.negatable {
            return Err(Error::NotNegatable { word: word.to_owned() });
        }
        Ok(Given { spec, word, negated, values })
    }
}

//! Words, and which option one of them is: getopt_long(3) with the `!` of iptables.

use super::error::Error;

/// An option: its names, and what may stand beside it.
#[derive(Debug)]
pub(super) struct OptionSpec {
    /// Long names without the dashes, the first is the one to look it up by.
    pub(super) names: &'static [&'static str],
    /// How many values follow: at most two.
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// Which.
    pub(super) spec: &'static OptionSpec,
    /// As it was written: `--ctstate`.
    pub(super) word: &'a str,
    /// Whether `!` stood in front of it or of its value.
    pub(super) negated: bool,
    /// What followed; empty where an option has fewer.
    values: [&'a str; 2],
}

impl<'a> Given<'a> {
    /// The first value; empty for an option without one.
    pub(super) fn value(&self) -> &'a str {
        self.values[0]
    }

    /// The same option with each value of a list, `a,b`, as its own.
    pub(super) fn each_value(&self) -> Vec<Given<'a>> {
        let one = |value| Given { values: [value, ""], ..*self };
        self.value().split(',').map(one).collect()
    }

    /// The second value.
    pub(super) fn second(&self) -> &'a str {
        self.values[1]
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
        let value = match self.values {
            [value, ""] => value.to_owned(),
            both => both.join(" "),
        };
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
    /// The letter of a short option, which may stand behind others: `-nL`.
    letter: Option<char>,
    /// A value that is part of the same word.
    attached: Option<&'a str>,
}

impl<'a> Token<'a> {
    /// The letter of a short option.
    pub(super) fn short(&self) -> Option<char> {
        self.letter
    }

    /// The name of a long option, perhaps abbreviated.
    pub(super) fn long(&self) -> Option<&'a str> {
        self.word.strip_prefix("--").filter(|_| self.letter.is_none())
    }
}

/// The words, from left to right.
#[derive(Debug)]
pub(super) struct Words<'a> {
    rest: std::slice::Iter<'a, &'a str>,
    /// Letters behind a flag: a word and where in it.
    cluster: Option<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [&'a str]) -> Self {
        Words { rest: words.iter(), cluster: None }
    }

    /// The next option; `None` at the end.
    pub(super) fn token(&mut self) -> Result<Option<Token<'a>>, Error> {
        if let Some((word, letters)) = self.cluster.take() {
            return Ok(Some(short(false, word, letters)));
        }
        let Some(mut word) = self.rest.next().copied() else { return Ok(None) };
        let negated = word == "!";
        if negated {
            word = match self.rest.next().copied() {
                Some("!") => return Err(Error::RepeatedNegation),
                None => return Err(Error::StrayNegation),
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
            return Ok(Some(Token { negated, word, letter: None, attached }));
        }
        match word.strip_prefix('-') {
            None | Some("") => Err(unexpected()),
            Some(letters) => Ok(Some(short(negated, word, letters))),
        }
    }

    /// The next word if it is a value and no option: `CHAIN` in `-L CHAIN`.
    pub(super) fn optional(&mut self, token: Token<'a>) -> Option<&'a str> {
        self.cluster = None;
        token.attached.or_else(|| self.another())
    }

    /// The next word, whatever it is: `-x` in `-N -x`.
    pub(super) fn any(&mut self, token: Token<'a>) -> Option<&'a str> {
        self.cluster = None;
        token.attached.or_else(|| self.rest.next().copied())
    }

    /// The next word if it is a value and no option: `1` in `-I CHAIN 1`.
    pub(super) fn another(&mut self) -> Option<&'a str> {
        let is_value = |word: &&str| !word.starts_with('-') && *word != "!";
        let next = self.rest.as_slice().first().copied().filter(is_value)?;
        self.rest.next();
        Some(next)
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
        let (mut values, mut taken) = ([""; 2], 0);
        match token.attached {
            Some(letters) if spec.values == 0 && token.letter.is_some() => {
                self.cluster = Some((word, letters));
            }
            Some(_) if spec.values == 0 => {
                return Err(Error::TakesNoValue { word: word.to_owned() });
            }
            Some(value) => {
                values[0] = value;
                taken = 1;
            }
            None => {}
        }
        while taken < spec.values.min(values.len()) {
            let needs = if spec.values == 1 { "a value" } else { "two values" };
            let missing = || Error::NeedsValue { word: word.to_owned(), needs };
            let value = *self.rest.next().ok_or_else(missing)?;
            // The old place of the negation: `-s ! 192.0.2.1`.
            if value == "!" && spec.negatable && taken == 0 {
                if negated {
                    return Err(Error::RepeatedNegation);
                }
                negated = true;
            } else {
                values[taken] = value;
                taken += 1;
            }
        }
        if negated && !spec.negatable {
            return Err(Error::NotNegatable { word: word.to_owned() });
        }
        Ok(Given { spec, word, negated, values })
    }
}

/// The first of some letters, and what is behind it in the same word.
fn short<'a>(negated: bool, word: &'a str, letters: &'a str) -> Token<'a> {
    let mut rest = letters.chars();
    let letter = rest.next();
    let attached = Some(rest.as_str()).filter(|rest| !rest.is_empty());
    // The first letter with its dash is the option as it was written; others are named by the word.
    let first = letter.map_or(0, char::len_utf8) + 1;
    let word = if word.len() == letters.len() + 1 { &word[..first] } else { word };
    Token { negated, word, letter, attached }
}

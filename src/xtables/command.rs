//! The words of a command of iptables(8), read.

use super::base::{Base, BaseOption};
use super::compile::{Counters, compile};
use super::error::Error;
use super::number::number32;
use super::operation::{Command, Operation, PrintStyle};
use super::spec::Spec;
use super::targets;
use super::words::{Token, Words};
use crate::net::IpVersion;

/// Reads the words behind `iptables` or `ip6tables`.
///
/// # Errors
/// [`Error`], naming the word.
pub fn command(words: &[impl AsRef<str>], version: IpVersion) -> Result<Command, Error> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut parser = Parser::new(version);
    let mut words = Words::new(&words);
    while let Some(token) = words.token()? {
        parser.read(token, &mut words)?;
    }
    parser.finish()
}

/// An operation as it was given, without its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given<'a> {
    letter: char,
    chain: Option<&'a str>,
    second: Option<&'a str>,
}

struct Parser<'a> {
    spec: Spec<'a>,
    table: Option<&'a str>,
    operation: Option<Given<'a>>,
    zero: bool,
    style: PrintStyle,
    counters: Option<Counters>,
    /// Options of the command, by their letters and as they were given.
    seen: Vec<(char, &'a str)>,
}

impl<'a> Parser<'a> {
    fn new(version: IpVersion) -> Self {
        let (table, operation, counters, seen) = (None, None, None, Vec::new());
        let style = PrintStyle::default();
        Parser { spec: Spec::new(version), table, operation, zero: false, style, counters, seen }
    }

    fn read(&mut self, token: Token<'a>, words: &mut Words<'a>) -> Result<(), Error> {
        let Some(option) = self.spec.read(token, words)? else { return Ok(()) };
        if token.negated {
            return Err(Error::NotNegatable { word: token.word.to_owned() });
        }
        match option.letter {
            Some('w' | 'W') => wait(token, words),
            Some('t' | 'c' | 'M') => self.setting(option, token, words),
            Some('v' | 'n' | 'x' | '4' | '6' | 'f') | None => self.flag(option, token, words),
            Some(letter) => self.operation(letter, token, words),
        }
    }

    fn setting(
        &mut self,
        option: &'static BaseOption,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<(), Error> {
        match option.letter {
            Some('t') => self.table = Some(words.given(token, &option.spec)?.value()),
            Some('c') => {
                let given = words.given(token, &option.spec)?;
                let number = |text: &str| text.parse().map_err(|_| given.bad(text, "a number"));
                let (packets, bytes) = (number(given.value())?, number(given.second())?);
                if self.counters.is_some() {
                    return Err(Error::Repeated { word: token.word.to_owned() });
                }
                self.counters = Some(Counters { packets, bytes });
                self.seen.push(('c', token.word));
            }
            // No module is to be loaded.
            _ => {
                words.given(token, &option.spec)?;
            }
        }
        Ok(())
    }

    fn flag(
        &mut self,
        option: &'static BaseOption,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<(), Error> {
        words.given(token, &option.spec)?;
        if !matches!(option.letter, Some('v' | '4' | '6')) {
            self.seen.push((option.letter.unwrap_or('0'), token.word));
        }
        match option.letter {
            Some('v') => self.style.verbose = self.style.verbose.saturating_add(1),
            Some('n') => self.style.numeric = true,
            Some('x') => self.style.exact = true,
            Some('4') => self.spec.version = IpVersion::V4,
            Some('6') => self.spec.version = IpVersion::V6,
            _ if option.spec.name() == "line-numbers" => self.style.line_numbers = true,
            _ => {}
        }
        Ok(())
    }

    fn operation(
        &mut self,
        letter: char,
        token: Token<'a>,
        words: &mut Words<'a>,
    ) -> Result<(), Error> {
        let before = self.operation.as_ref().map(|operation| operation.letter);
        // -Z goes together with -L and -S, in both orders.
        if matches!(letter, 'V' | 'h') {
            // Whatever else was asked for.
            self.operation = Some(Given { letter, chain: None, second: None });
            return Ok(());
        }
        if letter == 'Z' && matches!(before, Some('L' | 'S')) {
            self.zero = true;
            return Ok(());
        }
        if before == Some('Z') && matches!(letter, 'L' | 'S') {
            self.zero = true;
        } else if let Some(before) = before {
            return Err(Error::SecondCommand { word: format!("-{letter}"), before });
        }
        let missing = || Error::NeedsValue { word: token.word.to_owned(), needs: "a chain" };
        let (chain, second) = match letter {
            'A' | 'C' | 'N' | 'D' | 'I' | 'R' | 'P' | 'E' => {
                let chain = match letter {
                    // Any word, so that its own fault is named.
                    'N' => words.any(token),
                    _ => words.optional(token),
                };
                let chain = chain.ok_or_else(missing)?;
                let takes_second = matches!(letter, 'D' | 'I' | 'R' | 'P' | 'E');
                (Some(chain), if takes_second { words.another() } else { None })
            }
            'L' | 'S' | 'F' | 'Z' | 'X' => {
                let chain = words.optional(token);
                let second = match chain {
                    Some(_) if matches!(letter, 'L' | 'S' | 'Z') => words.another(),
                    Some(_) | None => None,
                };
                (chain, second)
            }
            _ => (None, None),
        };
        self.operation = Some(Given { letter, chain, second });
        Ok(())
    }

    fn finish(mut self) -> Result<Command, Error> {
        let given = self.operation.clone().ok_or(Error::NoCommand)?;
        if !matches!(given.letter, 'V' | 'h') {
            self.check(&given)?;
        }
        self.spec.chain = given.chain;
        let operation = self.decide(&given)?;
        let names_table = self.table.is_some();
        let table = self.table.unwrap_or("filter").to_owned();
        let (version, style) = (self.spec.version, self.style);
        Ok(Command { version, table, names_table, operation, style })
    }

    /// What cannot stand together: names of chains, and options with operations.
    fn check(&self, given: &Given<'_>) -> Result<(), Error> {
        let Given { letter, chain, second } = *given;
        let names = [chain, second.filter(|_| letter == 'E')];
        if let Some(name) = names.into_iter().flatten().find(|name| name.len() > 28) {
            return Err(Error::ChainTooLong { name: name.to_owned() });
        }
        let is_new = |letter| matches!(letter, 'N' | 'E');
        if let (true, Some(name)) = (is_new(letter), if letter == 'E' { second } else { chain }) {
            new_chain(name, self.spec.version)?;
        }
        let is_number = letter == 'D' && second.is_some();
        let makes_rules = matches!(letter, 'A' | 'I' | 'R' | 'D' | 'C') && !is_number;
        let not_for =
            |word: &str| Err(Error::NotForCommand { word: word.to_owned(), operation: letter });
        for (option, word) in &self.seen {
            let fits = match option {
                'c' => matches!(letter, 'A' | 'I' | 'R' | 'P'),
                _ => letter == 'L',
            };
            match (fits, option) {
                (true, _) => {}
                (false, '0') => return not_for(word),
                (false, option) => return not_for(&format!("-{option}")),
            }
        }
        if !makes_rules {
            return self.spec.words().next().map_or(Ok(()), not_for);
        }
        let never = match chain {
            Some("PREROUTING" | "INPUT") => Base::Out,
            Some("POSTROUTING" | "OUTPUT") => Base::In,
            _ => return Ok(()),
        };
        match self.spec.base.iter().any(|(base, _)| *base == never) {
            true => {
                let chain = chain.unwrap_or_default().to_owned();
                Err(Error::NotInChain { word: never.word(), chain })
            }
            false => Ok(()),
        }
    }

    fn decide(&self, given: &Given<'_>) -> Result<Operation, Error> {
        let chain = || given.chain.unwrap_or_default().to_owned();
        let some_chain = || given.chain.map(str::to_owned);
        let number = given.second.map(rule_number).transpose();
        let rules = || compile(&self.spec, self.counters.unwrap_or_default());
        let missing = |needs| Error::NeedsSecond { word: format!("-{}", given.letter), needs };
        Ok(match given.letter {
            'A' => Operation::Append { chain: chain(), rules: rules()? },
            'C' => Operation::Check { chain: chain(), rules: rules()? },
            'D' => match number? {
                Some(number) => Operation::DeleteNumber { chain: chain(), number },
                None => Operation::Delete { chain: chain(), rules: rules()? },
            },
            'I' => {
                let number = number?.unwrap_or(1);
                Operation::Insert { chain: chain(), number, rules: rules()? }
            }
            'R' => {
                let number = number?.ok_or_else(|| missing("a rule number"))?;
                let mut rules = rules()?;
                match (rules.pop(), rules.is_empty()) {
                    (Some(rule), true) => {
                        Operation::Replace { chain: chain(), number, rule: Box::new(rule) }
                    }
                    _ => return Err(Error::ReplaceWithSeveral),
                }
            }
            'L' => Operation::List { chain: some_chain(), number: number?, zero: self.zero },
            'S' => Operation::ListRules { chain: some_chain(), number: number?, zero: self.zero },
            'F' => Operation::Flush { chain: some_chain() },
            'Z' => Operation::Zero { chain: some_chain(), number: number? },
            'N' => Operation::NewChain { chain: chain() },
            'X' => Operation::DeleteChain { chain: some_chain() },
            'P' => Operation::Policy {
                chain: chain(),
                target: given.second.ok_or_else(|| missing("a chain and a policy"))?.to_owned(),
                counters: self.counters,
            },
            'E' => Operation::Rename {
                from: chain(),
                to: given
                    .second
                    .ok_or_else(|| missing("old-chain-name and new-chain-name"))?
                    .to_owned(),
            },
            'V' => Operation::Version,
            _ => Operation::Help,
        })
    }
}

/// There is no lock to wait for; what is said about waiting must be numbers all the same.
fn wait<'a>(token: Token<'a>, words: &mut Words<'a>) -> Result<(), Error> {
    match words.optional(token) {
        Some(value) if value.parse::<f64>().is_err() => {
            let (word, value) = (token.word.to_owned(), value.to_owned());
            Err(Error::BadValue { word, value, expected: "a number of seconds" })
        }
        Some(_) | None => Ok(()),
    }
}

/// The name of a chain that is to be made.
fn new_chain(name: &str, version: IpVersion) -> Result<(), Error> {
    if let Some(first @ ('-' | '!')) = name.chars().next() {
        return Err(Error::ChainBegins { first });
    }
    // A target that has no native form is one too.
    let is_target = matches!(name, "" | "ACCEPT" | "DROP" | "RETURN" | "QUEUE")
        || !matches!(targets::find(name, version), Ok(None));
    if is_target {
        return Err(Error::ChainIsTarget { name: name.to_owned() });
    }
    if name.contains(char::is_whitespace) {
        return Err(Error::ChainBlanks { name: name.to_owned() });
    }
    Ok(())
}

/// A rule's number, from 1.
fn rule_number(text: &str) -> Result<u32, Error> {
    number32(text)
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::BadRuleNumber { value: text.to_owned() })
}

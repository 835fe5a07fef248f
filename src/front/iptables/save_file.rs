//! The format of iptables-save: what a line says.

use std::borrow::Cow;

use crate::xtables::Counters;

/// What stands between words.
const BLANKS: [char; 2] = [' ', '\t'];

/// A line of a save file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing, or a comment.
    Comment,
    /// `*filter`
    Table(&'a str),
    /// `COMMIT`
    Commit,
    /// `:INPUT DROP [0:0]`
    Chain {
        name: &'a str,
        /// `-` for a chain of a user's.
        policy: &'a str,
        /// None where they are missing or no numbers.
        counters: Option<Counters>,
    },
    /// `[0:0] -A INPUT -j ACCEPT`, or any other operation.
    Rule { counters: Option<Counters>, words: Vec<Cow<'a, str>> },
}

/// Why a line is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("chain name invalid")]
    ChainName,
    #[error("policy invalid")]
    Policy,
    #[error("counters invalid: expected [PACKETS:BYTES]")]
    Counters,
    #[error("a quote is not closed")]
    Quote,
}

/// Reads a line, without its end.
pub(super) fn line(text: &str) -> Result<Line<'_>, Fault> {
    let plain = text.trim_end_matches(['\r', '\n']);
    if plain.is_empty() || plain.starts_with('#') {
        return Ok(Line::Comment);
    }
    if plain == "COMMIT" {
        return Ok(Line::Commit);
    }
    if let Some(name) = plain.strip_prefix('*') {
        return Ok(Line::Table(name.trim()));
    }
    if let Some(chain) = plain.strip_prefix(':') {
        let mut words = chain.split_ascii_whitespace();
        let name = words.next().ok_or(Fault::ChainName)?;
        let policy = words.next().ok_or(Fault::Policy)?;
        let counters = words.next().and_then(bracketed).map(|(counters, _)| counters);
        return Ok(Line::Chain { name, policy, counters });
    }
    let (counters, rest) = match plain.starts_with('[') {
        true => {
            let (counters, rest) = bracketed(plain).ok_or(Fault::Counters)?;
            (Some(counters), rest)
        }
        false => (None, plain),
    };
    Ok(Line::Rule { counters, words: words(rest)? })
}

/// The words with what the rule has counted behind them, as `-A` takes it: `-c 1 60`.
pub(super) fn counted(mut words: Vec<Cow<'_, str>>, counters: Counters) -> Vec<Cow<'_, str>> {
    let Counters { packets, bytes } = counters;
    words.push(Cow::Borrowed("-c"));
    words.extend([packets, bytes].map(|count| Cow::Owned(count.to_string())));
    words
}

/// `[1:60]`, and what is behind it.
fn bracketed(text: &str) -> Option<(Counters, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    let (packets, bytes) = inside.split_once(':')?;
    let (packets, bytes) = (packets.parse().ok()?, bytes.parse().ok()?);
    Some((Counters { packets, bytes }, rest))
}

/// Words between blanks; `"…"` is one word whatever is in it, where `\` takes the next character
/// as it is. A quote ends where it is closed, blank or not: `a"b c"d` is `ab c` and `d`.
fn words(text: &str) -> Result<Vec<Cow<'_, str>>, Fault> {
    let mut words = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        let Some(end) = rest.find([' ', '\t', '"']) else { break };
        let (front, behind) = rest.split_at(end);
        match behind.strip_prefix('"') {
            None => {
                words.push(Cow::Borrowed(front));
                rest = behind;
            }
            Some(behind) => {
                let (word, behind) = quoted(front, behind)?;
                words.push(word);
                rest = behind;
            }
        }
    }
    if !rest.is_empty() {
        words.push(Cow::Borrowed(rest));
    }
    Ok(words)
}

/// A word with a quote in it, of which `front` stands before the quote, and what is behind it.
fn quoted<'a>(front: &'a str, text: &'a str) -> Result<(Cow<'a, str>, &'a str), Fault> {
    let plain = text.find(['"', '\\']).ok_or(Fault::Quote)?;
    if front.is_empty() && text[plain..].starts_with('"') {
        return Ok((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut word = front.to_owned();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or(Fault::Quote)? {
            '\\' => word.push(chars.next().ok_or(Fault::Quote)?),
            '"' => return Ok((Cow::Owned(word), chars.as_str())),
            other => word.push(other),
        }
    }
}

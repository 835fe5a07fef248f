//! The format of iptables-save: what a line says.

use crate::xtables::Counters;

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
    Rule { counters: Option<Counters>, words: Vec<String> },
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

/// `[1:60]`, and what is behind it.
fn bracketed(text: &str) -> Option<(Counters, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    let (packets, bytes) = inside.split_once(':')?;
    let (packets, bytes) = (packets.parse().ok()?, bytes.parse().ok()?);
    Some((Counters { packets, bytes }, rest))
}

/// Words between blanks; `"…"` is one word whatever is in it, where `\` takes the next character
/// as it is.
fn words(text: &str) -> Result<Vec<String>, Fault> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '\\') => word.push(chars.next().ok_or(Fault::Quote)?),
            (true, '"') => {
                quoted = false;
                words.push(std::mem::take(&mut word));
            }
            (false, '"') => quoted = true,
            (false, ' ' | '\t') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, c) => word.push(c),
        }
    }
    if quoted {
        return Err(Fault::Quote);
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

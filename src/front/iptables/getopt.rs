//! Options of the lesser programs, in the manner and the words of getopt_long(3).

use super::error::Error;

/// What stands behind an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Needed,
    /// A number, if the next word is one.
    Number,
}

/// An option.
pub(super) type Known = (char, &'static str, Value);

/// The options that were given, by their letters, and the other words.
pub(super) type Given<'a> = (Vec<(char, &'a str)>, Vec<&'a str>);

/// Reads words; `hint` is the second line of an error.
pub(super) fn getopt<'a>(
    words: &'a [String],
    known: &[Known],
    hint: &'static str,
) -> Result<Given<'a>, Error> {
    let usage = |text| Error::Usage { text, hint };
    let (mut options, mut others) = (Vec::new(), Vec::new());
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let mut found = known.iter().filter(|(_, known, _)| known.starts_with(name));
            let exact = known.iter().find(|(_, known, _)| *known == name);
            let (letter, name, value) = match (exact, found.next(), found.next()) {
                (Some(found), _, _) | (None, Some(found), None) => *found,
                (None, Some(_), Some(_)) => {
                    return Err(usage(format!("option '{word}' is ambiguous")));
                }
                (None, None, _) => return Err(usage(format!("unrecognized option '--{name}'"))),
            };
            let needed = || usage(format!("option '--{name}' requires an argument"));
            let next = match (attached, value) {
                (Some(_), Value::None) => {
                    return Err(usage(format!("option '--{name}' doesn't allow an argument")));
                }
                (Some(attached), _) => attached,
                (None, Value::None) => "",
                (None, Value::Needed) => words.next().ok_or_else(needed)?,
                (None, Value::Number) => words.next_if(is_number).unwrap_or_default(),
            };
            options.push((letter, next));
            continue;
        }
        let Some(mut letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            others.push(word);
            continue;
        };
        while let Some(letter) = letters.chars().next() {
            letters = &letters[letter.len_utf8()..];
            let Some((_, _, value)) = known.iter().find(|(known, _, _)| *known == letter) else {
                return Err(usage(format!("invalid option -- '{letter}'")));
            };
            let needed = || usage(format!("option requires an argument -- '{letter}'"));
            let next = match value {
                Value::None => "",
                Value::Needed | Value::Number if !letters.is_empty() => {
                    std::mem::take(&mut letters)
                }
                Value::Needed => words.next().ok_or_else(needed)?,
                Value::Number => words.next_if(is_number).unwrap_or_default(),
            };
            options.push((letter, next));
        }
    }
    Ok((options, others))
}

fn is_number(word: &&str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

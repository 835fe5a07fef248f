//! How iptables prints a word that may need quotes.

/// The word, in double quotes unless it is made of letters, digits, `-` and `_` only; `"`, `\` and
/// `'` inside get a backslash. iptables-restore reads it back as the same word.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    in_quotes(word, &['"', '\\', '\''])
}

/// The word in double quotes, whatever it is made of, with a backslash in front of each letter that
/// is one of `escaped`.
pub(super) fn in_quotes(word: &str, escaped: &[char]) -> String {
    let mut text = String::from("\"");
    for letter in word.chars() {
        if escaped.contains(&letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    text + "\""
}

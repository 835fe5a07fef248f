//! How iptables prints a word that may need quotes.

/// The word, in double quotes unless it is made of letters, digits, `-` and `_` only; `"`, `\` and
/// `'` inside get a backslash. iptables-restore reads it back as the same word.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for letter in word.chars() {
        if matches!(letter, '"' | '\\' | '\'') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    text
}

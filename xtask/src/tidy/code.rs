//! A source file as a scan wants it: comments, texts and characters blanked, lines kept.

/// The code of a file; every byte of a comment, text or character literal is a blank.
pub struct Code {
    text: String,
}

impl Code {
    pub fn new(source: &str) -> Self {
        let mut blanker = Blanker { rest: source, text: String::with_capacity(source.len()) };
        blanker.run();
        Self { text: blanker.text }
    }

    /// The blanked text; as long as the source, line for line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of a byte, from 1.
    pub fn line_of(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
    }

    /// Where this word stands, not as a part of a longer one.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.text.match_indices(word).map(|(at, _)| at).filter(move |at| {
            let before = self.text[..*at].chars().next_back();
            let after = self.text[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    }

    /// All functions: name, first byte, and the byte after their body where they have one.
    pub fn functions(&self) -> Vec<Function<'_>> {
        let named = self.words("fn").filter_map(|at| {
            let rest = self.text[at + 2..].trim_start();
            let name = leading_word(rest);
            // `fn(u8)` is a type.
            (!name.is_empty()).then(|| Function { name, at, end: self.body_end(at) })
        });
        named.collect()
    }

    /// The byte after the `}` that ends the item at `at`; nothing where a `;` comes first.
    fn body_end(&self, at: usize) -> Option<usize> {
        let (mut round, mut braces) = (0_usize, 0_usize);
        for (offset, byte) in self.text.as_bytes().iter().enumerate().skip(at) {
            match byte {
                b'(' | b'[' => round += 1,
                b')' | b']' => round = round.saturating_sub(1),
                b';' if round == 0 && braces == 0 => return None,
                b'{' => braces += 1,
                b'}' => {
                    braces = braces.saturating_sub(1);
                    if braces == 0 {
                        return Some(offset + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// One `fn` in a file.
pub struct Function<'a> {
    pub name: &'a str,
    pub at: usize,
    pub end: Option<usize>,
}

/// The word that a text begins with; empty where it begins with something else.
pub fn leading_word(text: &str) -> &str {
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    &text[..end]
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Blanker<'a> {
    rest: &'a str,
    text: String,
}

impl Blanker<'_> {
    fn run(&mut self) {
        while let Some(next) = self.rest.chars().next() {
            let after_word = self.text.chars().next_back().is_some_and(is_word);
            let length = if self.rest.starts_with("//") {
                self.rest.find('\n').unwrap_or(self.rest.len())
            } else if self.rest.starts_with("/*") {
                block_comment(self.rest)
            } else if let Some(length) = raw_text(self.rest).filter(|_| !after_word) {
                length
            } else if next == '"' {
                quoted(self.rest, '"')
            } else if next == '\'' && is_character(self.rest) {
                quoted(self.rest, '\'')
            } else {
                0
            };
            if length == 0 {
                self.keep(next.len_utf8());
            } else {
                self.blank(length);
            }
        }
    }

    fn keep(&mut self, length: usize) {
        self.text.push_str(&self.rest[..length]);
        self.rest = &self.rest[length..];
    }

    fn blank(&mut self, length: usize) {
        let blanks = self.rest[..length].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' });
        self.text.extend(blanks);
        self.rest = &self.rest[length..];
    }
}

/// The length of a block comment, with those inside it.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            match rest.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    text.len()
}

/// The length of `r"…"`, `br#"…"#` and the like, where the text begins with one.
fn raw_text(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|p| {
        text.strip_prefix(p).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = text[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of a text or character that `quote` opens and closes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Whether this `'` opens a character, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => true,
        (Some(_), Some(second)) => second == '\'',
        _ => false,
    }
}

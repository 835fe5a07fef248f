//! Reading `nft list ruleset` without knowing how the plugin arranges its rules.

use super::netns::Netns;

/// The listing, taken apart into rules and elements; comments are left out.
pub struct Listing {
    text: String,
    entries: Vec<String>,
}

impl Listing {
    pub fn read(netns: &Netns) -> Listing {
        let text = netns.ruleset();
        let entries = text
            .lines()
            .map(without_quoted)
            .flat_map(|line| line.split(['{', '}', ',']).map(str::to_owned).collect::<Vec<_>>())
            .filter(|entry| !entry.trim().is_empty())
            .collect();
        Listing { text, entries }
    }

    /// The text as nft printed it, for messages.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether one rule or element has all these words: a port and an address, say.
    pub fn links(&self, words: &[&str]) -> bool {
        self.entries.iter().any(|entry| words.iter().all(|word| has_word(entry, word)))
    }

    /// Whether any rule or element has this text, anywhere.
    pub fn mentions(&self, text: &str) -> bool {
        self.entries.iter().any(|entry| entry.contains(text))
    }
}

fn without_quoted(line: &str) -> String {
    line.split('"').step_by(2).collect()
}

/// `10.88.0.2` is a word of `dnat to 10.88.0.2:80`, not of `10.88.0.21`.
fn has_word(entry: &str, word: &str) -> bool {
    let part_before = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':';
    let part_after = |c: char| c.is_ascii_alphanumeric();
    entry.match_indices(word).any(|(start, _)| {
        !entry[..start].ends_with(part_before)
            && !entry[start + word.len()..].starts_with(part_after)
    })
}

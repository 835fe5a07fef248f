//! What was seen on a machine, to be compared with what was seen on another.

use std::fmt::Write;

/// What was seen, in order.
#[derive(Debug, Default)]
pub struct Diary(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    what: String,
    lines: Vec<String>,
}

impl Diary {
    /// Adds what was done, and the lines that came of it.
    pub fn add(&mut self, what: &str, lines: Vec<String>) {
        self.0.push(Entry { what: what.to_owned(), lines });
    }

    /// Takes lines out of all that was seen, which are known to differ.
    pub fn forget(&mut self, known: fn(&mut Vec<String>)) {
        self.0.iter_mut().for_each(|entry| known(&mut entry.lines));
    }

    /// Fails with all that differs: `-` is what only the judge has, `+` what only the other.
    pub fn expect(&self, judge: &Diary) {
        let mut report = String::new();
        for (ours, real) in self.0.iter().zip(&judge.0).filter(|(ours, real)| ours != real) {
            writeln!(report, "=== {} | {}", real.what, ours.what).unwrap();
            let only = |one: &Entry, other: &Entry| -> Vec<String> {
                one.lines.iter().filter(|line| !other.lines.contains(line)).cloned().collect()
            };
            let (lost, new) = (only(real, ours), only(ours, real));
            if lost.is_empty() && new.is_empty() {
                writeln!(report, "another order: {:#?}\n{:#?}", real.lines, ours.lines).unwrap();
            }
            lost.iter().for_each(|line| writeln!(report, "- {line}").unwrap());
            new.iter().for_each(|line| writeln!(report, "+ {line}").unwrap());
        }
        assert!(report.is_empty(), "{report}");
        assert_eq!(self.0.len(), judge.0.len(), "entries");
    }
}

/// A listing without its counts, a text without the time of day.
pub fn plain(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| {
        let line = line.split_once(" packets, ").map_or(line, |(head, _)| {
            head.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end()
        });
        let mut rest = line;
        for _ in ["packets", "bytes"] {
            let cut = rest.trim_start();
            rest = cut.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == cut.len() || !rest.starts_with(' ') {
                rest = "";
            }
        }
        if !rest.is_empty() {
            return rest.to_owned();
        }
        line.split('.').filter(|part| !is_date(part)).collect::<Vec<_>>().join(".")
    })
}

/// `20261121_231552`, with what follows a file's name.
fn is_date(part: &str) -> bool {
    let date = part.get(..15).unwrap_or_default().as_bytes();
    date.len() == 15
        && date.iter().enumerate().all(|(at, c)| (at == 8) == (*c == b'_'))
        && date.iter().filter(|c| c.is_ascii_digit()).count() == 14
}

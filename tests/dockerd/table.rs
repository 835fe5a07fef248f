//! What was seen in one life of a story, row by row, and how two lives differ.

use std::fmt::Write;

/// Rows of what was looked at and what it was, in their order.
#[derive(Default)]
pub struct Table {
    rows: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Table {
    /// Keeps what was seen; what it should be, the other life says.
    pub fn see(&mut self, what: String, seen: String) {
        self.rows.push((what, seen));
    }

    /// Keeps what was seen and says if it is not what everybody knows.
    pub fn expect(&mut self, what: String, seen: String, expected: &str) {
        if seen != expected {
            self.wrong.push(format!("{what}: {seen}, not {expected}"));
        }
        self.see(what, seen);
    }

    /// Keeps what is wrong of one life, and nothing to compare.
    pub fn fault(&mut self, fault: String) {
        self.wrong.push(fault);
    }

    /// What was not as expected.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Each row in which the two lives differ; a row that only one has differs.
    pub fn differences(&self, tested: &Table) -> String {
        let mut text = String::new();
        let only_in = |a: &Table, b: &Table| -> Vec<String> {
            let rows = a.rows.iter().filter(|row| !b.rows.contains(row));
            rows.map(|(what, seen)| format!("{what}: {seen}")).collect()
        };
        for (whose, rows) in [("peer", only_in(self, tested)), ("tested", only_in(tested, self))] {
            for row in rows {
                writeln!(text, "{whose}: {row}").expect("a string takes all");
            }
        }
        if text.is_empty() && self.rows != tested.rows {
            let first = self.rows.iter().zip(&tested.rows).find(|(a, b)| a != b);
            writeln!(text, "the same rows, in another order: {first:?}")
                .expect("a string takes all");
        }
        text
    }
}

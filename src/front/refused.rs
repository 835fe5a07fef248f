//! What the programs for iptables would refuse of what is in force, or is loaded when the host
//! starts.
//!
//! Values only: [`super::iptables`] finds it, the fronts of others say it.

/// What would be refused, all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// Rules that the kernel has.
    pub rules: Vec<RefusedRule>,
    /// Lines of files.
    pub lines: Vec<RefusedLine>,
}

/// A rule of others that could not be loaded again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRule {
    /// Its table: `ip filter`.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// The rule as iptables-save prints it behind `-A CHAIN`.
    pub words: String,
    /// Why.
    pub reason: String,
}

/// A line of a save file that `iptables-restore` would stop at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// The file.
    pub file: &'static str,
    /// Its number, from 1; none where the file as a whole cannot be read.
    pub line: Option<usize>,
    /// Why.
    pub reason: String,
}

impl Refused {
    /// Whether nothing would be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.lines.is_empty()
    }
}

impl std::fmt::Display for RefusedRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RefusedRule { table, chain, words, reason } = self;
        write!(f, "{table} {chain}: {words}: {reason}")
    }
}

impl std::fmt::Display for RefusedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RefusedLine { file, line, reason } = self;
        match line {
            Some(line) => write!(f, "{file} line {line}: {reason}"),
            None => write!(f, "{file}: {reason}"),
        }
    }
}

//! An option as a rule has it, read from expressions: what iptables-save prints.

/// An option with its values: `! --dport 80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Whether `!` stands in front.
    pub(super) negated: bool,
    /// Its name without the dashes, as iptables-save spells it.
    pub(super) name: &'static str,
    /// What follows.
    pub(super) values: Vec<String>,
}

impl Setting {
    /// An option with one value.
    pub(super) fn new(name: &'static str, value: impl Into<String>) -> Self {
        Setting { negated: false, name, values: vec![value.into()] }
    }

    /// An option without a value.
    pub(super) fn flag(name: &'static str) -> Self {
        Setting { negated: false, name, values: Vec::new() }
    }

    /// The same, negated or not.
    pub(super) fn negated(mut self, negated: bool) -> Self {
        self.negated = negated;
        self
    }

    /// The first value; empty for an option without one.
    pub(super) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// The words of it, as they stand on a command line.
    pub(super) fn words(&self) -> impl Iterator<Item = String> + '_ {
        let not = self.negated.then(|| "!".to_owned());
        not.into_iter().chain([format!("--{}", self.name)]).chain(self.values.iter().cloned())
    }
}

/// How `iptables -L` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// `-n`: numbers instead of names of services.
    pub(super) numeric: bool,
}

/// One of several by name.
pub(super) fn find<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name == name)
}

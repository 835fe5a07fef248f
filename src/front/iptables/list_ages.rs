//! For how long the rules of a table want the lists of `-m recent` to keep addresses: each list has
//! one time for all.

use std::collections::BTreeMap;

use crate::nft::Name;
use crate::xtables::{self, Age, Companion, Compiled};

/// What the rules so far want, by the names of the lists' sets.
#[derive(Debug, Default)]
pub(super) struct ListAges(BTreeMap<Name, Age>);

impl ListAges {
    /// Adds what rules want, of which there are no sets in the kernel yet.
    ///
    /// # Errors
    /// [`xtables::Error::ListAge`], if it is not what others want; then they count for nothing.
    pub(super) fn note(&mut self, rules: &[Compiled]) -> Result<(), xtables::Error> {
        for companion in rules.iter().flat_map(|rule| &rule.companions) {
            let Companion::List { set, age } = companion else { continue };
            let before = self.0.get(&set.name).copied().unwrap_or(Age::Any);
            let age = before.and(*age);
            let age = age.ok_or_else(|| xtables::Error::ListAge { name: set.name.to_string() })?;
            self.0.insert(set.name.clone(), age);
        }
        Ok(())
    }
}

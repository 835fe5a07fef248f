//! The lists of `-m recent` in a file: one set each, whose time any of its rules may tell.

use std::collections::BTreeMap;

use super::super::builtin::Table;
use super::super::state::table_id;
use super::error::Error;
use crate::net::IpVersion;
use crate::nft::{Change, Name, Set, Transaction};
use crate::xtables::{self, Age, Companion, Operation};

/// Lists by family, table and set, with what their rules have said so far.
#[derive(Debug, Default)]
pub(super) struct Lists {
    ages: BTreeMap<(IpVersion, &'static str, Name), Age>,
}

impl Lists {
    /// Lets the rules of an operation and those in front of it have the same set. `text` is what
    /// those in front have become: a set that now gets a time gets it there too.
    pub(super) fn settle(
        &mut self,
        table: &'static Table,
        version: IpVersion,
        operation: &mut Operation,
        text: &mut String,
    ) -> Result<(), Error> {
        let (Operation::Append { rules, .. } | Operation::Insert { rules, .. }) = operation else {
            return Ok(());
        };
        for companion in rules.iter_mut().flat_map(|rule| &mut rule.companions) {
            let Companion::List { set, age } = companion else { continue };
            let key = (version, table.name, set.name.clone());
            let known = self.ages.get(&key).copied();
            let settled = known.map_or(Some(*age), |known| known.and(*age));
            let conflict = || xtables::Error::ListAge { name: set.name.to_string() };
            let settled = settled.ok_or_else(conflict)?;
            if let Some(known) = known.filter(|known| *known != settled) {
                let line = |age: Age| {
                    let mut transaction = Transaction::new();
                    let set: Set = age.given_to(set.clone());
                    transaction.push(Change::AddSet(table_id(table, version), set));
                    transaction.to_string()
                };
                *text = text.replace(&line(known), &line(settled));
            }
            *age = settled;
            self.ages.insert(key, settled);
        }
        Ok(())
    }
}

//! What an owner holds in one table, and how it comes and goes: read, compare, plan.
//!
//! A holding is elements of sets, with a record that counts them. Several tables' plans make one
//! transaction ([`Plan::and`]).

use std::collections::BTreeSet;

use super::error::Error;
use super::publish::describe;
use super::record::{Attachment, Netns, is_gone};
use crate::nft::{Kernel, Name, Object, Table, TableId};
use crate::ruleset::{
    self, Conflict, Desired, Owner, OwnerKey, Plan, Record, Scope, Snapshot, Wanted, diff,
};

/// A table as an operation sees it: what is read of it, and whose part of it is concerned.
pub(super) struct Holding {
    pub(super) table: TableId,
    pub(super) snapshot: Snapshot,
    pub(super) scope: Scope,
}

impl Holding {
    /// Reads the table and the names of its sets.
    pub(super) fn read(kernel: &mut Kernel, table: TableId) -> Result<Self, Error> {
        let snapshot = Snapshot::of_table(kernel, &table)?;
        Ok(Holding { table, snapshot, scope: Scope::default() })
    }

    /// Reads what is wanted for an attachment, and what it has besides.
    pub(super) fn read_for(
        &mut self,
        kernel: &mut Kernel,
        owner: &Owner,
        desired: &Desired,
    ) -> Result<(), Error> {
        self.scope.owners.extend([Owner::structure().key(), owner.key()]);
        let mut wanted = wanted(desired);
        wanted.objects.extend(Record::name(owner));
        wanted.objects.sort();
        wanted.objects.dedup();
        self.snapshot.read(kernel, &self.table, &wanted)?;
        self.read_leftovers(kernel, owner)
    }

    /// Reads what an owner has who goes: what is expected, and more if its record says so.
    pub(super) fn read_leaving(
        &mut self,
        kernel: &mut Kernel,
        owner: &Owner,
        expected: Option<&Desired>,
    ) -> Result<(), Error> {
        self.scope.owners.insert(owner.key());
        let elements = expected.map(|desired| wanted(desired).elements).unwrap_or_default();
        let objects = Record::name(owner).into_iter().collect();
        self.snapshot.read(
            kernel,
            &self.table,
            &Wanted { objects, elements, ..Wanted::default() },
        )?;
        self.read_leftovers(kernel, owner)
    }

    /// Reads everything if the owner's record says that it has other than what was found.
    fn read_leftovers(&mut self, kernel: &mut Kernel, owner: &Owner) -> Result<(), Error> {
        let Some(record) = self.record(owner) else { return Ok(()) };
        let count = Record::parse(&record.userdata).elements.map(|count| count as usize);
        let key = Some(owner.key());
        let elements = self.snapshot.elements.values();
        if count != Some(elements.filter(|e| Owner::key_of(&e.userdata) == key).count()) {
            self.snapshot.read_all_elements(kernel, &self.table)?;
        }
        Ok(())
    }

    /// Reads all that owners have whose labels begin with `prefix` and who are not in `valid`.
    pub(super) fn read_stale(
        &mut self,
        kernel: &mut Kernel,
        prefix: &str,
        valid: &BTreeSet<Owner>,
    ) -> Result<(), Error> {
        if self.snapshot.table.is_none() {
            return Ok(());
        }
        let objects = kernel.objects(&self.table)?;
        let stale: Vec<OwnerKey> = objects
            .iter()
            .filter(|object| object.name.as_str().starts_with(prefix))
            .map(|object| Record::owner(&object.name))
            .filter(|owner| !valid.contains(owner))
            .map(|owner| owner.key())
            .collect();
        if stale.is_empty() {
            return Ok(());
        }
        self.scope.owners.extend(stale);
        self.snapshot.objects.extend(objects.into_iter().map(|o| (o.name.clone(), o)));
        Ok(self.snapshot.read_all_elements(kernel, &self.table)?)
    }

    /// The record of an owner, if it was read and is there.
    pub(super) fn record(&self, owner: &Owner) -> Option<&Object> {
        self.snapshot.objects.get(&Record::name(owner)?)
    }

    /// Puts the owners of elements that are wanted too out of the way if they are gone, with all
    /// that they have. Says who they are.
    pub(super) fn take_over(
        &mut self,
        kernel: &mut Kernel,
        desired: &Desired,
        newcomer: Option<&Netns>,
    ) -> Result<Vec<Owner>, Error> {
        let mut gone = Vec::new();
        loop {
            match diff(desired, &self.snapshot, &self.scope) {
                Ok(_) => return Ok(gone),
                Err(ruleset::Error::Conflict(conflict)) => {
                    let owner = self.yielding(kernel, &conflict, newcomer)?;
                    if !self.scope.owners.insert(owner.key()) {
                        return Err(ruleset::Error::Conflict(conflict).into());
                    }
                    self.snapshot.read_all_elements(kernel, &self.table)?;
                    gone.push(owner);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The owner of a conflicting element, if it gives way: if its network namespace is gone.
    fn yielding(
        &mut self,
        kernel: &mut Kernel,
        conflict: &Conflict,
        newcomer: Option<&Netns>,
    ) -> Result<Owner, Error> {
        let claimed = |owner: &str| Error::Claimed {
            element: without_comment(&conflict.text).to_owned(),
            owner: owner.to_owned(),
        };
        let label = conflict.owner_label.as_deref().map(Owner::from_label);
        let Some(owner) = label.filter(|owner| Some(owner.key()) == conflict.owner) else {
            return Err(claimed("another program"));
        };
        let objects = Record::name(&owner).into_iter().collect();
        let wanted = Wanted { objects, ..Wanted::default() };
        self.snapshot.read(kernel, &self.table, &wanted)?;
        match self.record(&owner) {
            Some(record) if !is_gone(record, newcomer) => Err(claimed(&describe(owner.label()))),
            // What has an owner's mark and no record is left of a change made by hand.
            Some(_) | None => Ok(owner),
        }
    }

    /// The changes that lead to what is desired; `None` for nothing of all owners concerned.
    pub(super) fn plan(&self, desired: Option<&Desired>) -> Result<Plan, Error> {
        if desired.is_none() && self.snapshot.table.is_none() {
            return Ok(Plan::default());
        }
        let nothing = Desired::new(Table::new(self.table.clone()));
        Ok(diff(desired.unwrap_or(&nothing), &self.snapshot, &self.scope)?)
    }
}

/// Adds the record of an attachment to what it is to have.
pub(super) fn with_record(mut desired: Desired, attachment: &Attachment) -> Desired {
    desired.objects.extend(attachment.record(desired.elements.len()));
    desired
}

/// What to look up for a desired state.
fn wanted(desired: &Desired) -> Wanted {
    let chains: BTreeSet<Name> =
        desired.chains.iter().map(|chain| chain.chain.name().clone()).collect();
    let elements = desired.elements.iter();
    Wanted {
        objects: desired.objects.iter().map(|object| object.name.clone()).collect(),
        chains: chains.into_iter().collect(),
        elements: elements.map(|(set, element)| (set.name.clone(), element.clone())).collect(),
    }
}

/// An element's text without what the listing says of its owner, which the message does.
fn without_comment(text: &str) -> &str {
    text.split_once(" comment ").map_or(text, |(key, _)| key)
}

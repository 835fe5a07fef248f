//! The difference: the fewest changes from what is there to what is wanted.
//!
//! Pure. A rule or an element that is right already is left alone, so its counter lives on; what
//! is not ours is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::desired::{Desired, DesiredChain};
use super::error::{Conflict, Error};
use super::owner::{Owner, OwnerKey, Record};
use super::snapshot::Snapshot;
use crate::nft::expr::SetRef;
use crate::nft::{
    AnyChain, BaseChain, Change, Element, Expr, Listed, Name, Rule, Set, TableId, Transaction,
    list_element,
};

/// Whose things are concerned.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// What these own and the desired state lacks is deleted, and their elements give way where a
    /// desired element has the same key.
    pub owners: BTreeSet<OwnerKey>,
}

impl Scope {
    /// These owners.
    #[must_use]
    pub fn of(owners: &[&Owner]) -> Self {
        Scope { owners: owners.iter().map(|owner| owner.key()).collect() }
    }

    fn owns(&self, key: Option<OwnerKey>) -> bool {
        key.is_some_and(|key| self.owners.contains(&key))
    }
}

/// Changes to make, in an order that the kernel takes. Prints in nft syntax.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    transaction: Transaction,
    depends_on_snapshot: bool,
}

impl Plan {
    /// Whether everything is as wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transaction.is_empty()
    }

    /// Whether the plan would do harm if what was read had changed meanwhile. One that only adds
    /// elements would not: the kernel itself refuses a key that is there with other data.
    #[must_use]
    pub fn depends_on_snapshot(&self) -> bool {
        self.depends_on_snapshot
    }

    /// The changes.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// This plan and another one behind it, in one transaction: all of both or nothing.
    #[must_use]
    pub fn and(mut self, other: Plan) -> Self {
        self.transaction.append(other.transaction);
        self.depends_on_snapshot |= other.depends_on_snapshot;
        self
    }

    /// A plan of these changes, which depend on what was read.
    #[must_use]
    pub fn of_changes(changes: Vec<Change>) -> Self {
        let mut transaction = Transaction::new();
        let depends_on_snapshot = !changes.is_empty();
        changes.into_iter().for_each(|change| transaction.push(change));
        Plan { transaction, depends_on_snapshot }
    }

    /// The same plan, bound to what was read: for one that counts.
    #[must_use]
    pub fn depending(mut self) -> Self {
        self.depends_on_snapshot = true;
        self
    }

    /// The elements that are deleted, each with its set.
    pub fn deleted_elements(&self) -> impl Iterator<Item = (&Set, &Element)> {
        self.transaction.changes().iter().flat_map(|change| {
            let deleted = match change {
                Change::DeleteElements(_, set, elements) => Some((set, elements)),
                _ => None,
            };
            deleted.into_iter().flat_map(|(set, all)| all.iter().map(move |one| (set, one)))
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transaction.fmt(f)
    }
}

/// Changes by kind: they go out in this order.
#[derive(Default)]
struct Stages {
    add: Vec<Change>,
    delete_elements: BTreeMap<Name, (Set, Vec<Element>)>,
    delete_rules: Vec<Change>,
    add_rules: Vec<Change>,
    add_elements: BTreeMap<Name, (Set, Vec<Element>)>,
    delete: Vec<Change>,
    depends: bool,
}

/// `NFT_TABLE_F_DORMANT`: the table is there and no hook calls its chains.
const DORMANT: u32 = 1;

/// Compares what is wanted with what is there.
///
/// # Errors
/// [`Error::Conflict`] when a desired element's key is taken by somebody who does not give way;
/// [`Error::ForeignSet`] when a set of a desired name has another type.
pub fn diff(desired: &Desired, snapshot: &Snapshot, scope: &Scope) -> Result<Plan, Error> {
    let table = &desired.table.id;
    let mut stages = Stages::default();
    // A table that sleeps is woken: adding it again sets its flags.
    if snapshot.table.as_ref().is_none_or(|there| there.flags & DORMANT != desired.table.flags) {
        stages.add.push(Change::AddTable(desired.table.clone()));
    }
    diff_objects(desired, snapshot, scope, &mut stages);
    for set in &desired.sets {
        match snapshot.sets.get(&set.name) {
            None => stages.add.push(Change::AddSet(table.clone(), set.clone())),
            Some(there) if is_same_set(set, there) => {}
            Some(_) => {
                let set = set.name.to_string();
                return Err(Error::ForeignSet { table: table.to_string(), set });
            }
        }
    }
    for wanted in &desired.chains {
        diff_chain(table, wanted, snapshot, scope, &mut stages)?;
    }
    delete_chains(desired, snapshot, scope, &mut stages);
    diff_elements(desired, snapshot, scope, &mut stages)?;
    Ok(stages.into_plan(desired, snapshot))
}

fn diff_objects(desired: &Desired, snapshot: &Snapshot, scope: &Scope, stages: &mut Stages) {
    let table = &desired.table.id;
    for object in &desired.objects {
        match snapshot.objects.get(&object.name) {
            Some(there) if there.userdata == object.userdata => continue,
            // Userdata of an object cannot be changed; nothing refers to it, so it is remade.
            Some(there) => {
                stages.depends = true;
                stages.add.push(Change::DeleteObject(table.clone(), there.clone()));
            }
            None => {}
        }
        stages.add.push(Change::AddObject(table.clone(), object.clone()));
    }
    for (name, object) in &snapshot.objects {
        let wanted = desired.objects.iter().any(|wanted| wanted.name == *name);
        if !wanted && scope.owns(Some(Record::owner(name).key())) {
            stages.depends = true;
            stages.delete.push(Change::DeleteObject(table.clone(), object.clone()));
        }
    }
}

/// The flags that say what a set is; newer kernels report more.
const SET_FLAGS: u32 = 0xff;

/// Whether a set that is there is of the kind we would make. Its size and userdata may differ.
fn is_same_set(ours: &Set, there: &Set) -> bool {
    ours.key == there.key
        && ours.data == there.data
        && ours.flags.0 & SET_FLAGS == there.flags.0 & SET_FLAGS
        && ours.exprs.len() == there.exprs.len()
}

fn diff_chain(
    table: &TableId,
    wanted: &DesiredChain,
    snapshot: &Snapshot,
    scope: &Scope,
    stages: &mut Stages,
) -> Result<(), Error> {
    let name = wanted.chain.name();
    let add = match &wanted.chain {
        AnyChain::Base(base) => Change::AddBaseChain(table.clone(), base.clone()),
        AnyChain::Regular(chain) => Change::AddChain(table.clone(), chain.clone()),
    };
    let there: &[Listed<Rule>] = match snapshot.chains.get(name) {
        Some((chain, rules)) => {
            match compare_chains(&wanted.chain, chain) {
                Likeness::Same => {}
                // Adding a chain that is there sets its policy.
                Likeness::OtherPolicy => stages.add.push(add),
                Likeness::Other => {
                    let chain = name.to_string();
                    return Err(Error::ForeignChain { table: table.to_string(), chain });
                }
            }
            rules
        }
        None => {
            stages.add.push(add);
            &[]
        }
    };
    // In a chain that is an owner's own everything is the owner's, also what a reload of nft's
    // listing left without private userdata.
    let is_owners = match &wanted.chain {
        AnyChain::Regular(chain) => scope.owns(Owner::key_of(&chain.userdata)),
        AnyChain::Base(_) => false,
    };
    let matched = longest_common(&wanted.rules, there);
    let kept: BTreeSet<usize> = matched.iter().flatten().copied().collect();
    for (at, rule) in there.iter().enumerate() {
        let owned = is_owners || scope.owns(Owner::key_of(&rule.value.userdata));
        if !kept.contains(&at) && owned {
            stages.depends = true;
            let change = Change::DeleteRule(table.clone(), name.clone(), rule.clone());
            stages.delete_rules.push(change);
        }
    }
    for (at, rule) in wanted.rules.iter().enumerate() {
        if matched[at].is_some() {
            continue;
        }
        // Rules are not idempotent: added twice they are there twice.
        stages.depends = true;
        let next = matched[at..].iter().flatten().next();
        let (table, chain, rule) = (table.clone(), name.clone(), rule.clone());
        stages.add_rules.push(match next {
            Some(next) => Change::InsertRule {
                table,
                chain,
                rule: rule.into(),
                before: Some(there[*next].handle),
            },
            None => Change::AddRule { table, chain, rule: rule.into(), after: None },
        });
    }
    Ok(())
}

/// How a chain that is there compares with the one wanted.
enum Likeness {
    Same,
    OtherPolicy,
    /// Called by another hook or at another time, or by none: that cannot be changed.
    Other,
}

fn compare_chains(wanted: &AnyChain, there: &AnyChain) -> Likeness {
    match (wanted, there) {
        (AnyChain::Regular(_), AnyChain::Regular(_)) => Likeness::Same,
        (AnyChain::Base(wanted), AnyChain::Base(there)) => {
            let place = |chain: &BaseChain| (chain.kind.clone(), chain.hook, chain.priority);
            if place(wanted) != place(there) {
                Likeness::Other
            } else if wanted.policy != there.policy {
                Likeness::OtherPolicy
            } else {
                Likeness::Same
            }
        }
        (AnyChain::Regular(_), AnyChain::Base(_)) | (AnyChain::Base(_), AnyChain::Regular(_)) => {
            Likeness::Other
        }
    }
}

/// For each wanted rule the place of the one that is it already, in the longest common sequence.
///
/// What both begin and end with is matched first; mostly nothing is left then. Of what is left the
/// table of all pairs is made, unless it would be larger than [`PAIRS`]: such a difference is
/// replaced as a whole.
fn longest_common(wanted: &[Rule], there: &[Listed<Rule>]) -> Vec<Option<usize>> {
    let same = |(wanted, there): &(&Rule, &Listed<Rule>)| is_same_rule(wanted, &there.value);
    let front = wanted.iter().zip(there).take_while(same).count();
    let (rest, left) = (&wanted[front..], &there[front..]);
    let back = rest.iter().rev().zip(left.iter().rev()).take_while(same).count();
    let (rest, left) = (&rest[..rest.len() - back], &left[..left.len() - back]);
    let middle = if rest.len().saturating_mul(left.len()) > PAIRS {
        vec![None; rest.len()]
    } else {
        longest_common_table(rest, left)
    };
    let middle = middle.into_iter().map(|at| at.map(|at| at + front));
    let end = (there.len() - back..there.len()).map(Some);
    (0..front).map(Some).chain(middle).chain(end).collect()
}

/// Pairs of rules to compare at most: 4 MiB of table.
const PAIRS: usize = 1 << 20;

fn longest_common_table(wanted: &[Rule], there: &[Listed<Rule>]) -> Vec<Option<usize>> {
    let (rows, columns) = (wanted.len(), there.len());
    let mut length = vec![vec![0u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            length[row][column] = if is_same_rule(&wanted[row], &there[column].value) {
                length[row + 1][column + 1] + 1
            } else {
                length[row + 1][column].max(length[row][column + 1])
            };
        }
    }
    let mut matched = vec![None; rows];
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if is_same_rule(&wanted[row], &there[column].value) {
            matched[row] = Some(column);
            row += 1;
            column += 1;
        } else if length[row + 1][column] >= length[row][column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    matched
}

/// Whether a rule is the one wanted: the same expressions, and ours, or nobody's as after a
/// reload of nft's listing, which keeps no private userdata.
fn is_same_rule(wanted: &Rule, there: &Rule) -> bool {
    // What is in a set of the rule's own cannot be seen here; a hash in the userdata stands for it.
    let mut sets = there.exprs.iter().filter_map(Expr::set_ref);
    let has_own_set = sets.any(SetRef::is_anonymous);
    let nobodys = Owner::key_of(&there.userdata).is_none() && !has_own_set;
    (nobodys || wanted.userdata == there.userdata)
        && wanted.exprs.len() == there.exprs.len()
        && wanted.exprs.iter().zip(&there.exprs).all(|(ours, theirs)| ours.is_same(theirs))
}

fn delete_chains(desired: &Desired, snapshot: &Snapshot, scope: &Scope, stages: &mut Stages) {
    let table = &desired.table.id;
    let mut gone = Vec::new();
    for (name, (chain, rules)) in &snapshot.chains {
        let wanted = desired.chains.iter().any(|wanted| wanted.chain.name() == name);
        let AnyChain::Regular(chain) = chain else { continue };
        if wanted || !scope.owns(Owner::key_of(&chain.userdata)) {
            continue;
        }
        stages.depends = true;
        // All rules of an owner's chain go with it: they may jump to one that is deleted next.
        for rule in rules {
            let change = Change::DeleteRule(table.clone(), name.clone(), rule.clone());
            stages.delete_rules.push(change);
        }
        gone.push(Change::DeleteChain(table.clone(), name.clone()));
    }
    stages.delete.extend(gone);
}

fn diff_elements(
    desired: &Desired,
    snapshot: &Snapshot,
    scope: &Scope,
    stages: &mut Stages,
) -> Result<(), Error> {
    let mut wanted_keys = BTreeSet::new();
    for (set, element) in &desired.elements {
        wanted_keys.insert((&set.name, &element.key));
        let there = snapshot.elements.get(&(set.name.clone(), element.key.clone()));
        match there {
            Some(there) if is_same_element(element, there) => continue,
            Some(there) => {
                let owner = Owner::key_of(&there.userdata);
                if !scope.owns(owner) {
                    return Err(Box::new(conflict(desired, set, there, owner)).into());
                }
                delete_element(stages, set, there);
            }
            None => {}
        }
        let entry = stages.add_elements.entry(set.name.clone());
        entry.or_insert_with(|| (set.clone(), vec![])).1.push(element.clone());
    }
    for ((name, key), element) in &snapshot.elements {
        let Some(set) = snapshot.sets.get(name) else { continue };
        let wanted = wanted_keys.contains(&(name, key));
        if !wanted && scope.owns(Owner::key_of(&element.userdata)) {
            delete_element(stages, set, element);
        }
    }
    Ok(())
}

/// Whether an element is the one wanted, or what is left of it after a reload of nft's listing.
fn is_same_element(wanted: &Element, there: &Element) -> bool {
    let reloaded = Owner::is_reloaded(&there.userdata, &wanted.userdata);
    let userdata = if reloaded { wanted.userdata.clone() } else { there.userdata.clone() };
    Element { userdata, ..there.clone() }.is_same(wanted)
}

fn delete_element(stages: &mut Stages, set: &Set, element: &Element) {
    stages.depends = true;
    let entry = stages.delete_elements.entry(set.name.clone());
    entry.or_insert_with(|| (set.clone(), vec![])).1.push(element.clone());
}

fn conflict(desired: &Desired, set: &Set, there: &Element, owner: Option<OwnerKey>) -> Conflict {
    Conflict {
        set: set.name.clone(),
        element: there.clone(),
        text: list_element(desired.table.id.family, set, there),
        owner,
        owner_label: there.userdata.comment().map(str::to_owned),
    }
}

impl Stages {
    fn into_plan(self, desired: &Desired, snapshot: &Snapshot) -> Plan {
        let table = &desired.table.id;
        let mut transaction = Transaction::new();
        for set in desired.sets.iter().chain(snapshot.sets.values()) {
            transaction.know(set);
        }
        let mut push_all = |changes: Vec<Change>| {
            changes.into_iter().for_each(|change| transaction.push(change));
        };
        push_all(self.add);
        let elements = self.delete_elements.into_values();
        push_all(
            elements.map(|(set, all)| Change::DeleteElements(table.clone(), set, all)).collect(),
        );
        push_all(self.delete_rules);
        push_all(self.add_rules);
        let elements = self.add_elements.into_values();
        push_all(elements.map(|(set, all)| Change::AddElements(table.clone(), set, all)).collect());
        push_all(self.delete);
        Plan { transaction, depends_on_snapshot: self.depends }
    }
}

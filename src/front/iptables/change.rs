//! Changes: each is one batch, against the generation that it was decided on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::builtin::Table;
use super::draft::Draft;
use super::draft_chain::Source;
use super::error::Error;
use super::state::{Chain, ListedRule, State, table_id};
use crate::net::IpVersion;
use crate::nft::expr::Counter;
use crate::nft::{self, Applied, Change, Kernel, Name, TableId, Transaction};
use crate::xtables::Operation;

/// So long a change is decided anew when others commit in between: by how often alone, one would
/// give up within milliseconds beside others who never stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a change was decided, and since when.
struct Attempts {
    begun: Instant,
    count: u32,
}

impl Attempts {
    fn new() -> Self {
        Attempts { begun: Instant::now(), count: 0 }
    }

    /// Counts one more; whether it is to be made: the first always.
    fn again(&mut self) -> bool {
        self.count += 1;
        self.count == 1 || self.begun.elapsed() < PATIENCE
    }
}

/// A table that is being changed.
pub(super) struct Changer<'a> {
    pub(super) kernel: &'a mut Kernel,
    pub(super) table: &'static Table,
    pub(super) version: IpVersion,
}

/// Whether a change comes into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Commit,
    /// The kernel checks it and drops it. Loops, and targets in the wrong kind of chain, it finds
    /// only when it commits.
    Test,
}

/// What of the rules that are there a change is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// What they match and do.
    Rules,
    /// What they have counted too, or used up.
    Counts,
}

impl Changer<'_> {
    /// Does an operation that changes something, or looks for a rule.
    pub(super) fn change(&mut self, operation: &Operation) -> Result<(), Error> {
        if let Operation::Zero { chain, number } = operation {
            return self.zero(chain.as_deref(), *number);
        }
        self.commit(Effect::Commit, Basis::Rules, |draft| draft.apply(operation, 0))
    }

    /// Commits what `decide` makes of the table as it is; anew, if it has changed meanwhile.
    pub(super) fn commit(
        &mut self,
        effect: Effect,
        basis: Basis,
        decide: impl Fn(&mut Draft<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut basis = basis;
        let mut attempts = Attempts::new();
        while attempts.again() {
            let generation = self.kernel.generation()?;
            let source = match basis {
                Basis::Rules => Source::Mirror(generation),
                Basis::Counts => Source::Kernel,
            };
            let mut draft = Draft::new(self.kernel, self.table, self.version, source);
            let decided = decide(&mut draft);
            let depends = draft.depends();
            let sealed = draft.finish()?;
            if let Err(error) = decided {
                // Of two pieces perhaps: what was listed first was gone then.
                if self.kernel.generation()? == generation {
                    return Err(error);
                }
                continue;
            }
            let generation = Some(generation).filter(|_| depends);
            let done = match effect {
                Effect::Test => {
                    self.kernel.dry_run(&sealed.transaction).map(|()| Applied::Committed)
                }
                Effect::Commit => self.kernel.commit(&sealed.transaction, generation),
            };
            match done {
                Ok(Applied::Committed) => return Ok(()),
                Ok(Applied::Stale) => {}
                // The mirror was wrong then: the kernel is asked, and what it says holds.
                Err(error) if basis == Basis::Rules && misses_rule(&error, &sealed.transaction) => {
                    self.kernel.forget_mirrors();
                    basis = Basis::Counts;
                }
                Err(error) => return Err(sealed.explain(error)),
            }
        }
        Err(self.unsteady(&attempts))
    }

    /// Sets counters back to zero. The kernel does it in place where it can (Linux 6.2), so that
    /// limits and quotas of the rules keep what they know; else rules take the place of rules.
    fn zero(&mut self, chain: Option<&str>, number: Option<u32>) -> Result<(), Error> {
        match self.reset(chain, number) {
            Err(Error::Kernel(nft::Error::Unsupported { .. })) => {
                let chain = chain.map(str::to_owned);
                let operation = Operation::Zero { chain, number };
                self.commit(Effect::Commit, Basis::Counts, |draft| draft.apply(&operation, 0))
            }
            done => done,
        }
    }

    fn reset(&mut self, chain: Option<&str>, number: Option<u32>) -> Result<(), Error> {
        let id = table_id(self.table, self.version);
        let mut attempts = Attempts::new();
        while attempts.again() {
            let state = State::read(self.kernel, self.table, self.version, chain)?;
            let zeroed = Zeroed::of(&state, chain, number)?;
            let transaction = zeroed.beside(self.kernel, &id)?;
            // The rules last: they are reset by handle, and once.
            match self.kernel.commit(&transaction, Some(state.generation))? {
                Applied::Committed => return zeroed.reset(self.kernel, &id),
                Applied::Stale => {}
            }
        }
        Err(self.unsteady(&attempts))
    }

    fn unsteady(&self, attempts: &Attempts) -> Error {
        let table = table_id(self.table, self.version).to_string();
        Error::Unsteady { table, attempts: attempts.count - 1 }
    }
}

/// What `-Z` sets back.
enum Zeroed<'a> {
    Table(&'a [Chain]),
    Chain(&'a Chain),
    Rule(&'a Chain, &'a ListedRule),
}

impl<'a> Zeroed<'a> {
    fn of(state: &'a State, chain: Option<&str>, number: Option<u32>) -> Result<Self, Error> {
        let Some(name) = chain else { return Ok(Zeroed::Table(&state.chains)) };
        let chain = state.chain(name).ok_or(Error::NoSuch)?;
        let Some(number) = number else { return Ok(Zeroed::Chain(chain)) };
        let rule = chain.rules.get((number as usize).wrapping_sub(1)).ok_or(Error::NoRule)?;
        Ok(Zeroed::Rule(chain, rule))
    }

    /// What counts beside rules: policies, and maps that decide for rules.
    fn beside(&self, kernel: &mut Kernel, table: &TableId) -> Result<Transaction, Error> {
        let (chains, rules): (&[Chain], &[ListedRule]) = match self {
            Zeroed::Table(chains) => (chains, &[]),
            Zeroed::Chain(chain) => (std::slice::from_ref(chain), &[]),
            Zeroed::Rule(_, rule) => (&[], std::slice::from_ref(rule)),
        };
        let mut transaction = Transaction::new();
        for chain in chains.iter().filter(|chain| chain.counter != Counter::default()) {
            let (id, name) = (table.clone(), chain.name.clone());
            transaction.push(Change::SetChainCounters(id, name, Counter::default()));
        }
        let rules = chains.iter().flat_map(|chain| &chain.rules).chain(rules);
        let maps: BTreeSet<&Name> = rules.filter_map(|rule| rule.map.as_ref()).collect();
        for map in maps {
            renewed(kernel, table, map)?.into_iter().for_each(|change| transaction.push(change));
        }
        Ok(transaction)
    }

    /// Resets the rules in the kernel.
    fn reset(&self, kernel: &mut Kernel, table: &TableId) -> Result<(), Error> {
        match self {
            Zeroed::Table(chains) if chains.iter().any(|chain| !chain.rules.is_empty()) => {
                kernel.reset_rules(table, None)?;
            }
            Zeroed::Chain(chain) if !chain.rules.is_empty() => {
                kernel.reset_rules(table, Some(&chain.name))?;
            }
            Zeroed::Table(_) | Zeroed::Chain(_) => {}
            Zeroed::Rule(chain, rule) => {
                let reset = kernel.reset_rule(table, &chain.name, rule.handle)?;
                reset.ok_or(Error::NoRule)?;
            }
        }
        Ok(())
    }
}

/// Whether a batch was refused for a rule that is not there.
fn misses_rule(error: &nft::Error, transaction: &Transaction) -> bool {
    let nft::Error::Refused(refused) = error else { return false };
    refused.iter().any(|refused| {
        let change = refused.place.and_then(|place| transaction.changes().get(place));
        refused.reason.errno == Errno::ENOENT as i32 && change.is_some_and(Change::needs_rule)
    })
}

/// The changes that make a map as if it had just been made, if it is there and has counted.
pub(super) fn renewed(
    kernel: &mut Kernel,
    table: &TableId,
    map: &Name,
) -> Result<Vec<Change>, Error> {
    let mut elements = kernel.elements(table, map)?;
    if elements.iter().all(|element| element.packets().unwrap_or(0) == 0) {
        return Ok(Vec::new());
    }
    let sets = kernel.sets(table)?;
    let Some(set) = sets.into_iter().find(|set| set.name == *map) else { return Ok(Vec::new()) };
    let gone = Change::DeleteElements(table.clone(), set.clone(), elements.clone());
    for element in &mut elements {
        element.exprs = vec![Counter::default().into()];
    }
    Ok(vec![gone, Change::AddElements(table.clone(), set, elements)])
}

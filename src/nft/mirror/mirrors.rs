//! What a connection does with mirrors: read one, keep one, take them along with a commit.

use std::collections::BTreeSet;

use super::digest::Digest;
use super::directory::Directory;
use super::fate::{Fate, Listed, asked, fate, is_felt};
use super::ledger::{Entry, Ledger};
use super::record::{ChainRule, Record, Replay, encode_all, length_of_all};
use crate::nft::{AnyChain, Applied, Change, Error, Family, Generation, Kernel, RawRule, TableId};

/// So many rules are worth a mirror.
const SHORTEST: usize = 64;
/// So long a mirror may be, in bytes.
const LONGEST: u64 = 16 << 20;
/// So long all may be together, of all network namespaces.
const ALL: u64 = 64 << 20;
/// So much longer than at first a mirror may become where it was short.
const SLACK: u64 = 64 << 10;

/// The mirrors of a connection's network namespace.
#[derive(Debug, Default)]
pub(in crate::nft) struct Mirrors {
    place: Place,
}

/// Where they are.
#[derive(Debug, Default)]
enum Place {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// The namespace has none.
    Nowhere,
    In(Directory),
}

/// A commit that mirrors are to follow.
#[derive(Debug)]
pub(in crate::nft) struct Step {
    /// The generation that it is made for, which is the ledger's.
    pub(in crate::nft) generation: Generation,
    /// The places of the changes whose rules are to be told.
    pub(in crate::nft) asked: BTreeSet<usize>,
}

impl Kernel {
    /// The rules of a chain in order, undecoded, as they were at a generation that was asked for
    /// before: those of its mirror, if there is one, or those that the kernel lists. Counts and
    /// other states of rules may be older. Of a mirror only those rules are read that are `wanted`
    /// by their expressions and userdata. `uses` says how long the chain is at most
    /// ([`ChainUsage::uses`](crate::nft::ChainUsage::uses)): of a short one no mirror is made.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn rules_at(
        &mut self,
        table: &TableId,
        chain: &crate::nft::Listed<AnyChain>,
        uses: u32,
        generation: Generation,
        wanted: &dyn Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<ChainRule>, Error> {
        // Chains of other families may go with a device, which is no commit.
        let may_be = matches!(table.family, Family::Ip | Family::Ip6);
        if may_be && let Some(rules) = self.mirrored(table, chain, generation, wanted) {
            return Ok(rules);
        }
        // What is to be kept must be all of this generation, and nothing of the one before it.
        let keeps = may_be
            && uses as usize >= SHORTEST
            && self.has_place()
            && self.settle(generation)? == Applied::Committed;
        let rules = self.raw_rules(table, chain.value.name())?;
        if keeps && rules.len() >= SHORTEST && self.generation()? == generation {
            self.mirror(table, chain, generation, &rules);
        }
        Ok(rules.into_iter().map(|rule| ChainRule::Read(Box::new(rule))).collect())
    }

    fn mirrored(
        &mut self,
        table: &TableId,
        chain: &crate::nft::Listed<AnyChain>,
        generation: Generation,
        wanted: &dyn Fn(&[u8], &[u8]) -> bool,
    ) -> Option<Vec<ChainRule>> {
        let directory = self.mirrors()?;
        // First the ledger: what is read behind it holds at its generation.
        let ledger = directory.ledger().filter(|ledger| ledger.generation == generation)?;
        let entry = ledger.entry(table, chain.value.name())?;
        let (mut digest, mut replay) = (Digest::new(), Replay::new(wanted));
        directory.records(entry.file, entry.length, |record| {
            digest.extend(record);
            replay.take(record)
        })?;
        let is_whole = entry.handle == chain.handle && digest == entry.digest;
        is_whole.then(|| replay.end()).flatten()
    }

    /// Keeps what was listed at a generation.
    fn mirror(
        &mut self,
        table: &TableId,
        chain: &crate::nft::Listed<AnyChain>,
        generation: Generation,
        rules: &[RawRule],
    ) {
        let length = length_of_all(rules);
        if length > LONGEST {
            return;
        }
        let log = encode_all(rules);
        let Some(directory) = self.mirrors() else { return };
        let Some(_lock) = directory.lock() else { return };
        let known = directory.ledger();
        let next = known.as_ref().map_or(0, |ledger| ledger.next);
        let current = known.filter(|ledger| ledger.generation == generation);
        let mut ledger = current.unwrap_or_else(|| {
            // What others may still be writing is found to be missing by who reads it.
            directory.clear();
            Ledger::new(directory.instance, generation, next)
        });
        let others = directory.others();
        if others + length > ALL || !directory.has_room(length) {
            tracing::debug!(length, others, "no room for a mirror");
            return;
        }
        let (file, chain_name) = (ledger.next, chain.value.name().clone());
        ledger.next = ledger.next.wrapping_add(1);
        let mut gone =
            take_out(&mut ledger, |entry| entry.table == *table && entry.chain == chain_name);
        while !ledger.entries.is_empty() && total(&ledger) + others + length > ALL {
            gone.push(ledger.entries.remove(0).file);
        }
        ledger.entries.push(Entry {
            table: table.clone(),
            chain: chain_name,
            handle: chain.handle,
            file,
            base: length,
            length,
            digest: Digest::of(&log),
        });
        // A file that the ledger does not name yet is nobody's.
        if let Err(error) = directory.write(file, 0, &log) {
            tracing::debug!(%error, "no mirror");
            directory.remove(file);
            return;
        }
        if let Err(error) = directory.write_ledger(&ledger) {
            tracing::debug!(%error, "no mirror");
            directory.clear();
        }
        gone.into_iter().for_each(|file| directory.remove(file));
    }

    /// Removes all mirrors of the network namespace: one of them was found to be wrong.
    pub fn forget_mirrors(&mut self) {
        let Some(directory) = self.mirrors() else { return };
        tracing::debug!("the mirrors are wrong");
        // Who holds the lock for long is writing what has to go too.
        let _lock = directory.lock();
        directory.clear();
    }

    /// Whether there is a directory for mirrors, which is made if there is none.
    fn has_place(&mut self) -> bool {
        if self.mirrors().is_none() {
            let made = self.connection.netns_cookie().and_then(Directory::make);
            self.mirrors.place = made.map_or(Place::Nowhere, Place::In);
        }
        self.mirrors().is_some()
    }

    /// Where the mirrors are, if there are any.
    fn mirrors(&mut self) -> Option<&Directory> {
        if matches!(self.mirrors.place, Place::Unknown) {
            let found = self.connection.netns_cookie().and_then(Directory::open);
            self.mirrors.place = found.map_or(Place::Nowhere, Place::In);
        }
        self.mirrors.directory()
    }

    /// What mirrors need of a commit, if there are some that can follow it.
    pub(in crate::nft) fn step(
        &mut self,
        changes: &[Change],
        generation: Option<Generation>,
    ) -> Option<Step> {
        let ledger = self.mirrors()?.ledger()?;
        if !is_felt(changes) {
            return None;
        }
        let fits = generation.is_none_or(|generation| generation == ledger.generation);
        // What is told stands before the verdict in the queue, and must leave room for it.
        let has_room = self.connection.has_room();
        let asked = if has_room { asked(&ledger, changes) } else { BTreeSet::new() };
        fits.then_some(Step { generation: ledger.generation, asked })
    }
}

impl Mirrors {
    fn directory(&self) -> Option<&Directory> {
        match &self.place {
            Place::Unknown | Place::Nowhere => None,
            Place::In(directory) => Some(directory),
        }
    }

    /// Takes the mirrors along with a commit: the ledger last, so that what is not finished never
    /// counted.
    pub(in crate::nft) fn follow(&self, step: &Step, changes: &[Change], listed: &Listed) {
        let Some(directory) = self.directory() else { return };
        let Some(_lock) = directory.lock() else { return };
        let known = directory.ledger().filter(|ledger| ledger.generation == step.generation);
        let Some(mut ledger) = known else { return };
        ledger.generation = ledger.generation.next();
        let gone = take_out(&mut ledger, |entry| !goes_along(directory, entry, changes, listed));
        if let Err(error) = directory.write_ledger(&ledger) {
            tracing::debug!(%error, "mirrors are given up");
        }
        gone.into_iter().for_each(|file| directory.remove(file));
    }

    /// Clears away mirrors that others have left behind, if nobody has begun new ones.
    pub(in crate::nft) fn give_up(&self, step: &Step) {
        let Some(directory) = self.directory() else { return };
        let Some(_lock) = directory.lock() else { return };
        if directory.ledger().is_none_or(|ledger| ledger.generation == step.generation) {
            directory.clear();
        }
    }
}

/// Takes one mirror along; says whether it is still one.
fn goes_along(
    directory: &Directory,
    entry: &mut Entry,
    changes: &[Change],
    listed: &Listed,
) -> bool {
    let Fate::Goes(records) = fate(entry, changes, listed) else { return false };
    let mut log = Vec::new();
    records.iter().for_each(|record: &Record| record.encode(&mut log));
    if log.is_empty() {
        return true;
    }
    let at = entry.length;
    entry.length += log.len() as u64;
    entry.digest.extend(&log);
    let fits = entry.length <= LONGEST.min(entry.base * 2 + SLACK);
    fits && directory
        .write(entry.file, at, &log)
        .inspect_err(|error| tracing::debug!(%error, "a mirror is given up"))
        .is_ok()
}

/// Takes entries out of a ledger; returns the files that they leave.
fn take_out(ledger: &mut Ledger, mut is_out: impl FnMut(&mut Entry) -> bool) -> Vec<u64> {
    ledger.entries.extract_if(.., |entry| is_out(entry)).map(|entry| entry.file).collect()
}

fn total(ledger: &Ledger) -> u64 {
    ledger.entries.iter().map(|entry| entry.length).sum()
}

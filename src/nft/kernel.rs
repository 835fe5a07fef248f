//! The kernel's nf_tables: read, and commit to.
//!
//! Reads are made for what they cost: names and keys are looked up one by one (some microseconds
//! each, whatever the table holds); dumps are for what is asked for as a whole.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;

use super::Transaction;
use super::batch::NFTABLES;
use super::error::Error;
use super::mirror::{Listed, Mirrors};
use super::raw_rule::RawRule;
use crate::netlink::{self, Answer, Connection, Malformed, Message, MessageBuilder, Verdict};

const GETGEN: u16 = NFTABLES | 16;
const NFTA_GEN_ID: u16 = 1;

/// Requests sent together; the answers of one send must fit the receive queue.
const AT_ONCE: usize = 128;
/// How often a dump that changes under our hands is begun again.
const ATTEMPTS: u32 = 20;

/// The number of the last commit in this network namespace, of anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(pub u32);

impl Generation {
    /// That of the next commit: the kernel leaves 0 out.
    #[must_use]
    pub fn next(self) -> Self {
        Generation(self.0.wrapping_add(1).max(1))
    }
}

/// What became of a batch that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// All of it is in force.
    Committed,
    /// Nothing was changed: its generation was gone.
    Stale,
}

/// nf_tables of one network namespace.
#[derive(Debug)]
pub struct Kernel {
    pub(super) connection: Connection,
    pub(super) mirrors: Mirrors,
}

impl Kernel {
    /// Opens nf_tables of the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the kernel has none, [`Error::Netlink`] otherwise.
    pub fn open() -> Result<Self, Error> {
        match Connection::open() {
            Ok(connection) => Ok(Kernel { connection, mirrors: Mirrors::default() }),
            Err(netlink::Error::Socket(crate::sys::SocketError::Open(cause)))
                if [Errno::EPROTONOSUPPORT, Errno::EAFNOSUPPORT]
                    .iter()
                    .any(|errno| cause.raw_os_error() == Some(*errno as i32)) =>
            {
                Err(no_nftables())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The number of the last commit: `NFT_MSG_GETGEN`.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] without CAP_NET_ADMIN, [`Error::Unsupported`] without nf_tables.
    pub fn generation(&mut self) -> Result<Generation, Error> {
        let answers = self.ask(
            [()].iter(),
            |message, (), seq| message.message(GETGEN, 0, seq, 0, 0),
            |message| message.attributes().need(NFTA_GEN_ID, "generation without a number")?.be32(),
        )?;
        match answers.into_iter().next() {
            Some(Answer::Found(number)) => Ok(Generation(number)),
            Some(Answer::Refused(refusal)) => match Errno::from_raw(refusal.errno) {
                Errno::EPERM | Errno::EACCES => Err(Error::NotPermitted),
                Errno::EINVAL | Errno::EOPNOTSUPP => Err(no_nftables()),
                _ => Err(netlink::Error::Refused(refusal).into()),
            },
            None => Err(netlink::Error::NoAnswer { seq: 0 }.into()),
        }
    }

    /// Commits a transaction as one batch. With a generation it comes into force only if nothing
    /// else was committed since.
    ///
    /// # Errors
    /// [`Error::Refused`] with every change that the kernel refused; nothing is changed then.
    pub fn commit(
        &mut self,
        transaction: &Transaction,
        generation: Option<Generation>,
    ) -> Result<Applied, Error> {
        if transaction.is_empty() {
            return Ok(Applied::Committed);
        }
        // Mirrors follow only where this commit is known to be the next one.
        let Some(step) = self.step(transaction.changes(), generation) else {
            return Ok(self.send(transaction, generation, &BTreeSet::new())?.0);
        };
        let next = Some(step.generation);
        let (applied, listed) = self.send(transaction, next, &step.asked)?;
        match (applied, generation) {
            (Applied::Committed, _) => self.mirrors.follow(&step, transaction.changes(), &listed),
            (Applied::Stale, Some(_)) => {}
            (Applied::Stale, None) => {
                let (applied, _) = self.send(transaction, None, &BTreeSet::new())?;
                self.mirrors.give_up(&step);
                return Ok(applied);
            }
        }
        Ok(applied)
    }

    /// Waits until the commit that a generation came from is over. The kernel counts it before its
    /// rules are those that are listed, and neither asking for the generation nor listing waits. So
    /// this sends a batch of nothing for that generation: it waits for its turn to commit, and is
    /// none then, so that the generation stays. [`Applied::Stale`] if others have committed since.
    ///
    /// # Errors
    /// [`Error::NotPermitted`], [`Error::Netlink`].
    pub fn settle(&mut self, generation: Generation) -> Result<Applied, Error> {
        match self.send(&Transaction::new(), Some(generation), &BTreeSet::new()) {
            Ok((applied, _)) => Ok(applied),
            // What has no changes is not acknowledged, only refused.
            Err(Error::Netlink(netlink::Error::NoAnswer { .. })) => Ok(Applied::Committed),
            Err(error) => Err(error),
        }
    }

    /// Sends a transaction as one batch, and returns the rules of the changes that are to be told.
    fn send(
        &mut self,
        transaction: &Transaction,
        generation: Option<Generation>,
        told: &BTreeSet<usize>,
    ) -> Result<(Applied, Listed), Error> {
        let first = self.connection.next_seq();
        let batch = transaction.seal(first, generation, told);
        for _ in first..=batch.last {
            self.connection.next_seq();
        }
        tracing::debug!(bytes = batch.bytes(), messages = batch.last - first, "commit");
        let mut listed = Listed::new();
        let verdict =
            self.connection.commit(&batch.messages, batch.begin, batch.last, |message| {
                // What cannot be read was not told: the mirror ends, and the batch is in force.
                if let Some(place) = batch.told(message)
                    && let Ok(rule) = RawRule::read(message)
                {
                    listed.insert(place, rule);
                }
            })?;
        match verdict {
            Verdict::Committed => Ok((Applied::Committed, listed)),
            Verdict::Stale => Ok((Applied::Stale, listed)),
            Verdict::Refused(refusals) => {
                // What is refused at the begin of a batch is refused as a whole.
                if let Some(whole) = refusals.iter().find(|refusal| refusal.seq == batch.begin) {
                    return Err(match Errno::from_raw(whole.errno) {
                        Errno::EPERM | Errno::EACCES => Error::NotPermitted,
                        Errno::EINVAL | Errno::EOPNOTSUPP => no_nftables(),
                        _ => netlink::Error::Refused(whole.clone()).into(),
                    });
                }
                let changes = refusals.into_iter().map(|refusal| batch.explain(refusal));
                Err(Error::Refused(changes.collect()))
            }
        }
    }

    /// Has the kernel check a transaction without committing it: the batch lacks its end. Costs an
    /// RCU grace period, 5 to 20 ms.
    ///
    /// # Errors
    /// As [`Kernel::commit`].
    pub fn dry_run(&mut self, transaction: &Transaction) -> Result<(), Error> {
        if transaction.is_empty() {
            return Ok(());
        }
        let first = self.connection.next_seq();
        let batch = transaction.seal_open(first);
        for _ in first..=batch.last {
            self.connection.next_seq();
        }
        match self.connection.commit(&batch.messages, batch.begin, batch.last, |_| ())? {
            Verdict::Committed | Verdict::Stale => Ok(()),
            Verdict::Refused(refusals) => {
                let changes = refusals.into_iter().map(|refusal| batch.explain(refusal));
                Err(Error::Refused(changes.collect()))
            }
        }
    }

    /// Reads until the same generation stands before and after, so that what was read is of one
    /// piece. Dumps of elements never say themselves that they were disturbed.
    ///
    /// # Errors
    /// [`Error::Unsteady`] if that never happens.
    pub fn consistently<T>(
        &mut self,
        mut read: impl FnMut(&mut Kernel) -> Result<T, Error>,
    ) -> Result<(Generation, T), Error> {
        for _ in 0..ATTEMPTS {
            let before = self.generation()?;
            match read(self) {
                Ok(value) => {
                    if self.generation()? == before {
                        return Ok((before, value));
                    }
                }
                // What was listed may be gone before it is read; then all is read again.
                Err(error) if self.generation()? == before => return Err(error),
                Err(_) => {}
            }
        }
        Err(Error::Unsteady { attempts: ATTEMPTS })
    }

    pub(super) fn ask<K, T>(
        &mut self,
        keys: impl Iterator<Item = K>,
        put: impl Fn(&mut MessageBuilder, K, u32),
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<Answer<T>>, Error> {
        let mut answers = Vec::new();
        let mut keys = keys.peekable();
        while keys.peek().is_some() {
            let mut requests = MessageBuilder::new();
            let mut seqs = Vec::new();
            for key in keys.by_ref().take(AT_ONCE) {
                let seq = self.connection.next_seq();
                put(&mut requests, key, seq);
                seqs.push(seq);
            }
            answers.extend(self.connection.ask(&requests, &seqs, &decode)?);
        }
        Ok(answers)
    }

    pub(super) fn dump<T>(
        &mut self,
        put: impl Fn(&mut MessageBuilder, u32),
        all: &mut Vec<T>,
        each: impl Fn(&Message<'_>, &mut Vec<T>) -> Result<(), Malformed>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let seq = self.connection.next_seq();
            let mut request = MessageBuilder::new();
            put(&mut request, seq);
            all.clear();
            let interrupted = self.connection.dump(&request, seq, |message| each(message, all))?;
            if !interrupted {
                return Ok(());
            }
        }
        Err(netlink::Error::Interrupted { attempts: ATTEMPTS }.into())
    }
}

impl AsFd for Kernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl AsRawFd for Kernel {
    fn as_raw_fd(&self) -> RawFd {
        self.connection.as_raw_fd()
    }
}

fn no_nftables() -> Error {
    Error::Unsupported { feature: "nf_tables", needs: "CONFIG_NF_TABLES" }
}

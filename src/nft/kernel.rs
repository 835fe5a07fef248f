//! The kernel's nf_tables: read, and commit to.
//!
//! Reads are made for what they cost: names and keys are looked up one by one (some microseconds
//! each, whatever the table holds); dumps are for what is asked for as a whole.

use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;

use super::chain::AnyChain;
use super::error::Error;
use super::object::{COUNTER, NFTA_OBJ_NAME, NFTA_OBJ_TABLE, NFTA_OBJ_TYPE};
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_TABLE};
use super::set::NFTA_SET_TABLE;
use super::transaction::NFTABLES;
use super::{Element, Listed, Name, Object, Rule, Set, Table, TableId, Transaction};
use crate::netlink::{self, Answer, Connection, Malformed, Message, MessageBuilder, Verdict};

const GETTABLE: u16 = NFTABLES | 1;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;
const GETSET: u16 = NFTABLES | 10;
const GETSETELEM: u16 = NFTABLES | 13;
const GETGEN: u16 = NFTABLES | 16;
const GETOBJ: u16 = NFTABLES | 19;
const NLM_F_DUMP: u16 = 0x300;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_HANDLE: u16 = 2;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_GEN_ID: u16 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;

/// Requests sent together; the answers of one send must fit the receive queue.
const AT_ONCE: usize = 128;
/// How often a dump that changes under our hands is begun again.
const ATTEMPTS: u32 = 20;

/// The number of the last commit in this network namespace, of anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(pub u32);

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
    connection: Connection,
}

impl Kernel {
    /// Opens nf_tables of the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the kernel has none, [`Error::Netlink`] otherwise.
    pub fn open() -> Result<Self, Error> {
        match Connection::open() {
            Ok(connection) => Ok(Kernel { connection }),
            Err(netlink::Error::Socket(crate::sys::SocketError::Open(cause)))
                if cause.raw_os_error() == Some(Errno::EPROTONOSUPPORT as i32) =>
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

    /// One table, or `None`: `list table` without its content.
    ///
    /// # Errors
    /// [`Error::Netlink`]; so for all that follow.
    pub fn table(&mut self, table: &TableId) -> Result<Option<Table>, Error> {
        let answers = self.ask(
            [table].into_iter(),
            |message, table, seq| {
                message.message(GETTABLE, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_TABLE_NAME, table.name.as_str());
            },
            Table::decode,
        )?;
        Ok(found(answers)?.into_iter().flatten().next())
    }

    /// Chains by name, in the order asked for; `None` for one that is not there.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn chains_named(
        &mut self,
        table: &TableId,
        names: &[Name],
    ) -> Result<Vec<Option<Listed<AnyChain>>>, Error> {
        let answers = self.ask(
            names.iter(),
            |message, name, seq| {
                message.message(GETCHAIN, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
                message.put_str(NFTA_CHAIN_NAME, name.as_str());
            },
            listed_chain,
        )?;
        found(answers)
    }

    /// All chains of a table: `list chains`. The kernel walks those of all tables.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn chains(&mut self, table: &TableId) -> Result<Vec<Listed<AnyChain>>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(GETCHAIN, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
            },
            &mut all,
            |message, all| {
                let of = message.attributes().need(NFTA_CHAIN_TABLE, "chain without a table")?;
                if of.text()? == table.name.as_str() {
                    all.push(listed_chain(message)?);
                }
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// The rules of a table, or of one of its chains, in order, with their chains.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn rules(
        &mut self,
        table: &TableId,
        chain: Option<&Name>,
    ) -> Result<Vec<(Name, Listed<Rule>)>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(GETRULE, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_RULE_TABLE, table.name.as_str());
                if let Some(chain) = chain {
                    message.put_str(NFTA_RULE_CHAIN, chain.as_str());
                }
            },
            &mut all,
            |message, all| {
                all.push(Rule::decode(message)?);
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// One rule as libnftnl prints its bytecode: what `nft --debug=netlink list` shows.
    ///
    /// # Errors
    /// [`Error::Netlink`]; a rule that libnftnl does not understand is `None`.
    pub fn bytecode(
        &mut self,
        table: &TableId,
        chain: &Name,
        handle: u64,
    ) -> Result<Option<String>, Error> {
        let answers = self.ask(
            [handle].into_iter(),
            |message, handle, seq| {
                message.message(GETRULE, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_RULE_TABLE, table.name.as_str());
                message.put_str(NFTA_RULE_CHAIN, chain.as_str());
                message.put_be64(NFTA_RULE_HANDLE, handle);
            },
            |message| {
                let mut whole = (message.payload.len() as u32 + 16).to_ne_bytes().to_vec();
                whole.extend_from_slice(&message.kind.to_ne_bytes());
                whole.extend_from_slice(&[0; 10]);
                whole.extend_from_slice(message.payload);
                Ok(crate::sys::bytecode(&whole).ok())
            },
        )?;
        Ok(found(answers)?.into_iter().flatten().flatten().next())
    }

    /// All sets and maps of a table, those of rules included, without elements.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn sets(&mut self, table: &TableId) -> Result<Vec<Set>, Error> {
        let mut all = Vec::new();
        let dumped = self.dump(
            |message, seq| {
                message.message(GETSET, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_SET_TABLE, table.name.as_str());
            },
            &mut all,
            |message, all| {
                all.push(Set::decode(message)?);
                Ok(())
            },
        );
        absent_is_empty(dumped)?;
        Ok(all)
    }

    /// All elements of a set: `list set`.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn elements(&mut self, table: &TableId, set: &Name) -> Result<Vec<Element>, Error> {
        let mut all = Vec::new();
        let dumped = self.dump(
            |message, seq| {
                message.message(GETSETELEM, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_SET_ELEM_LIST_TABLE, table.name.as_str());
                message.put_str(NFTA_SET_ELEM_LIST_SET, set.as_str());
            },
            &mut all,
            |message, all| {
                let list = message.attributes().find(NFTA_SET_ELEM_LIST_ELEMENTS);
                for element in list.into_iter().flat_map(|list| list.nested()) {
                    all.push(Element::decode(element?)?);
                }
                Ok(())
            },
        );
        absent_is_empty(dumped)?;
        Ok(all)
    }

    /// Elements by key, in the order asked for: `get element`. `None` for one that is not there,
    /// or whose set is not there.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn elements_at(
        &mut self,
        table: &TableId,
        keys: &[(&Name, &Element)],
    ) -> Result<Vec<Option<Element>>, Error> {
        let answers = self.ask(
            keys.iter(),
            |message, (set, element), seq| {
                message.message(GETSETELEM, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_SET_ELEM_LIST_TABLE, table.name.as_str());
                message.put_str(NFTA_SET_ELEM_LIST_SET, set.as_str());
                let list = message.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
                element.encode_key(message);
                message.end(list);
            },
            |message| {
                let list = message
                    .attributes()
                    .need(NFTA_SET_ELEM_LIST_ELEMENTS, "element list without elements")?;
                let first = list.nested().next();
                let none = Malformed { what: "empty element list", kind: list.kind, length: 0 };
                Element::decode(first.ok_or(none)??)
            },
        )?;
        found(answers)
    }

    /// Counters by name, in the order asked for; `None` for one that is not there.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn counters_named(
        &mut self,
        table: &TableId,
        names: &[Name],
    ) -> Result<Vec<Option<Object>>, Error> {
        let answers = self.ask(
            names.iter(),
            |message, name, seq| {
                message.message(GETOBJ, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_OBJ_TABLE, table.name.as_str());
                message.put_str(NFTA_OBJ_NAME, name.as_str());
                message.put_be32(NFTA_OBJ_TYPE, COUNTER);
            },
            Object::decode,
        )?;
        found(answers)
    }

    /// All stateful objects of a table.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn objects(&mut self, table: &TableId) -> Result<Vec<Object>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(GETOBJ, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_OBJ_TABLE, table.name.as_str());
            },
            &mut all,
            |message, all| {
                all.push(Object::decode(message)?);
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// Commits a transaction as one batch. With a generation it comes into force only if nothing
    /// else was committed since.
    ///
    /// # Errors
    /// [`Error::Refused`] with every change that the kernel refused; nothing is changed then.
    pub fn commit(
        &mut self,
        transaction: Transaction,
        generation: Option<Generation>,
    ) -> Result<Applied, Error> {
        if transaction.is_empty() {
            return Ok(Applied::Committed);
        }
        let first = self.connection.next_seq();
        let batch = transaction.seal(first, generation);
        for _ in first..=batch.last {
            self.connection.next_seq();
        }
        tracing::debug!(bytes = batch.bytes(), messages = batch.last - first, "commit");
        match self.connection.commit(&batch.messages, batch.begin, batch.last)? {
            Verdict::Committed => Ok(Applied::Committed),
            Verdict::Stale => Ok(Applied::Stale),
            Verdict::Refused(refusals) => {
                if refusals.iter().any(|refusal| refusal.errno == Errno::EPERM as i32) {
                    return Err(Error::NotPermitted);
                }
                if refusals.iter().any(|refusal| refusal.seq == batch.begin) {
                    return Err(no_nftables());
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
    pub fn dry_run(&mut self, transaction: Transaction) -> Result<(), Error> {
        if transaction.is_empty() {
            return Ok(());
        }
        let first = self.connection.next_seq();
        let batch = transaction.seal_open(first);
        for _ in first..=batch.last {
            self.connection.next_seq();
        }
        match self.connection.commit(&batch.messages, batch.begin, batch.last)? {
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

    fn ask<K, T>(
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

    fn dump<T>(
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
            let interrupted =
                self.connection.dump(&request, seq, |message| each(message, all))?;
            if !interrupted {
                return Ok(());
            }
        }
        Err(netlink::Error::Interrupted { attempts: ATTEMPTS }.into())
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

fn listed_chain(message: &Message<'_>) -> Result<Listed<AnyChain>, Malformed> {
    let handle = message.attributes().need(NFTA_CHAIN_HANDLE, "chain without a handle")?.be64()?;
    Ok(Listed { handle, value: AnyChain::decode(message)? })
}

/// Not being there is an answer; every other refusal is an error.
fn found<T>(answers: Vec<Answer<T>>) -> Result<Vec<Option<T>>, Error> {
    answers
        .into_iter()
        .map(|answer| match answer {
            Answer::Found(value) => Ok(Some(value)),
            Answer::Refused(refusal) if refusal.errno == Errno::ENOENT as i32 => Ok(None),
            Answer::Refused(refusal) => Err(netlink::Error::Refused(refusal).into()),
        })
        .collect()
}

/// A dump of what is in a table or set that is not there finds nothing.
fn absent_is_empty(dumped: Result<(), Error>) -> Result<(), Error> {
    match dumped {
        Err(Error::Netlink(netlink::Error::Refused(refusal)))
            if refusal.errno == Errno::ENOENT as i32 =>
        {
            Ok(())
        }
        other => other,
    }
}

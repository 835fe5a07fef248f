//! What is there: tables, chains, rules, sets, elements and objects, by name or as a whole.

use nix::errno::Errno;

use super::batch::NFTABLES;
use super::chain::{AnyChain, ChainUsage, NFTA_CHAIN_TABLE, listed};
use super::error::Error;
use super::kernel::Kernel;
use super::object::{COUNTER, NFTA_OBJ_TYPE};
use super::request::Kind;
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS, NFTA_RULE_HANDLE};
use super::table::NFTA_TABLE_NAME;
use super::{BaseChain, Family, Listed, Name, Object, RawRule, Rule, Set, Table, TableId};
use crate::netlink::{self, Answer, Malformed, Message, MessageBuilder, NLM_F_DUMP};

const GETTABLE: u16 = NFTABLES | 1;

impl Kernel {
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

    /// All tables of all families.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn tables(&mut self) -> Result<Vec<Table>, Error> {
        self.collect(
            |message, seq| message.message(GETTABLE, NLM_F_DUMP, seq, 0, 0),
            |message| Table::decode(message).map(Some),
        )
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
        self.named_chains(table, names, listed)
    }

    /// All chains of a table: `list chains`. The kernel walks those of all tables.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn chains(&mut self, table: &TableId) -> Result<Vec<Listed<AnyChain>>, Error> {
        self.dump_chains(table, listed)
    }

    /// Chains by name with what uses them and what they counted; `None` for one that is not there.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn chain_usage(
        &mut self,
        table: &TableId,
        names: &[Name],
    ) -> Result<Vec<Option<ChainUsage>>, Error> {
        self.named_chains(table, names, ChainUsage::decode)
    }

    /// All chains of a table, as [`Kernel::chain_usage`] gives them.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn all_chain_usage(&mut self, table: &TableId) -> Result<Vec<ChainUsage>, Error> {
        self.dump_chains(table, ChainUsage::decode)
    }

    fn named_chains<T>(
        &mut self,
        table: &TableId,
        names: &[Name],
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<Option<T>>, Error> {
        let answers = self.ask(
            names.iter(),
            |message, name, seq| Kind::CHAIN.one(message, seq, table, name),
            decode,
        )?;
        found(answers)
    }

    fn dump_chains<T>(
        &mut self,
        table: &TableId,
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Error> {
        self.collect_in(Kind::CHAIN, table, None, |message| {
            let of = message.attributes().need(NFTA_CHAIN_TABLE, "chain without a table")?;
            if of.text()? == table.name.as_str() { decode(message).map(Some) } else { Ok(None) }
        })
    }

    /// The base chains of all tables.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn base_chains(&mut self) -> Result<Vec<(TableId, BaseChain)>, Error> {
        self.collect(
            |message, seq| Kind::CHAIN.everywhere(message, seq),
            |message| {
                let table = message.attributes().need(NFTA_CHAIN_TABLE, "chain without a table")?;
                let name = super::rule::name(table.text()?)?;
                let family = Family::from_number(message.family());
                Ok(match listed(message)?.value {
                    AnyChain::Base(chain) => Some((TableId { family, name }, chain)),
                    AnyChain::Regular(_) => None,
                })
            },
        )
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
        self.dump_rules(Kind::RULE, table, chain)
    }

    pub(super) fn dump_rules(
        &mut self,
        kind: Kind,
        table: &TableId,
        chain: Option<&Name>,
    ) -> Result<Vec<(Name, Listed<Rule>)>, Error> {
        self.collect_in(kind, table, chain, |message| Rule::decode(message).map(Some))
    }

    /// The rules of a chain in order, undecoded: some microseconds less for each.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn raw_rules(&mut self, table: &TableId, chain: &Name) -> Result<Vec<RawRule>, Error> {
        self.collect_in(Kind::RULE, table, Some(chain), |message| RawRule::read(message).map(Some))
    }

    /// The rules of a table, or of one of its chains, undecoded, chain by chain.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn raw_rules_by_chain(
        &mut self,
        table: &TableId,
        chain: Option<&Name>,
    ) -> Result<Vec<(Name, Vec<RawRule>)>, Error> {
        self.rules_by_chain(table, chain, |rule| rule)
    }

    /// What `work` makes of each rule of a table, or of one of its chains, chain by chain. Of a long
    /// dump it works while the kernel makes the rest.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn rules_by_chain<T>(
        &mut self,
        table: &TableId,
        chain: Option<&Name>,
        work: impl Fn(RawRule) -> T,
    ) -> Result<Vec<(Name, Vec<T>)>, Error> {
        let rules = self.collect_in(Kind::RULE, table, chain, |message| {
            let chain = message.attributes().need(NFTA_RULE_CHAIN, "rule without a chain")?;
            Ok(Some((super::rule::name(chain.text()?)?, work(RawRule::read(message)?))))
        })?;
        let mut chains: Vec<(Name, Vec<T>)> = Vec::new();
        for (chain, rule) in rules {
            match chains.last_mut() {
                Some((last, rules)) if *last == chain => rules.push(rule),
                Some(_) | None => chains.push((chain, vec![rule])),
            }
        }
        Ok(chains)
    }

    /// The expressions of all rules of a table as the kernel dumps them, in order, each with its
    /// rule's chain and handle: the content of `NFTA_RULE_EXPRESSIONS`, undecoded.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn raw_expressions(&mut self, table: &TableId) -> Result<Vec<(Name, u64, Vec<u8>)>, Error> {
        self.collect_in(Kind::RULE, table, None, |message| {
            let (chain, rule) = Rule::decode(message)?;
            let raw = message.attributes().find(NFTA_RULE_EXPRESSIONS);
            let raw = raw.map(|raw| raw.value.to_vec()).unwrap_or_default();
            Ok(Some((chain, rule.handle, raw)))
        })
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
        let answers = self.ask_for_rule(Kind::RULE, table, chain, handle, |message| {
            let mut whole = (message.payload.len() as u32 + 16).to_ne_bytes().to_vec();
            whole.extend_from_slice(&message.kind.to_ne_bytes());
            whole.extend_from_slice(&[0; 10]);
            whole.extend_from_slice(message.payload);
            Ok(crate::sys::bytecode(&whole).ok())
        })?;
        Ok(found(answers)?.into_iter().flatten().flatten().next())
    }

    /// One rule by its handle.
    pub(super) fn ask_for_rule<T>(
        &mut self,
        kind: Kind,
        table: &TableId,
        chain: &Name,
        handle: u64,
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<Answer<T>>, Error> {
        self.ask(
            [handle].into_iter(),
            |message, handle, seq| {
                kind.one(message, seq, table, chain);
                message.put_be64(NFTA_RULE_HANDLE, handle);
            },
            decode,
        )
    }

    /// All sets and maps of a table, those of rules included, without elements.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn sets(&mut self, table: &TableId) -> Result<Vec<Set>, Error> {
        let sets =
            self.collect_in(Kind::SET, table, None, |message| Set::decode(message).map(Some));
        absent_is_empty(sets)
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
                Kind::OBJECT.one(message, seq, table, name);
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
        self.collect_in(Kind::OBJECT, table, None, |message| Object::decode(message).map(Some))
    }

    /// All of a kind that are in a table, or in the chain or set with this name.
    pub(super) fn collect_in<T, M: IntoIterator<Item = T>>(
        &mut self,
        kind: Kind,
        table: &TableId,
        name: Option<&Name>,
        decode: impl Fn(&Message<'_>) -> Result<M, Malformed>,
    ) -> Result<Vec<T>, Error> {
        self.collect(|message, seq| kind.all(message, seq, table, name), decode)
    }

    /// What the messages of a dump hold.
    fn collect<T, M: IntoIterator<Item = T>>(
        &mut self,
        put: impl Fn(&mut MessageBuilder, u32),
        decode: impl Fn(&Message<'_>) -> Result<M, Malformed>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.dump(put, &mut all, |message, all| {
            all.extend(decode(message)?);
            Ok(())
        })?;
        Ok(all)
    }
}

/// Not being there is an answer; every other refusal is an error.
pub(super) fn found<T>(answers: Vec<Answer<T>>) -> Result<Vec<Option<T>>, Error> {
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
pub(super) fn absent_is_empty<T>(dumped: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match dumped {
        Err(Error::Netlink(netlink::Error::Refused(refusal)))
            if refusal.errno == Errno::ENOENT as i32 =>
        {
            Ok(Vec::new())
        }
        other => other,
    }
}

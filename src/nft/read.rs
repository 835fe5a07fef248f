//! What is there: tables, chains, rules, sets, elements and objects, by name or as a whole.

use nix::errno::Errno;

use super::batch::NFTABLES;
use super::chain::{AnyChain, ChainUsage, NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE, listed};
use super::error::Error;
use super::kernel::Kernel;
use super::object::{COUNTER, NFTA_OBJ_NAME, NFTA_OBJ_TABLE, NFTA_OBJ_TYPE};
use super::rule::{NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS, NFTA_RULE_HANDLE, NFTA_RULE_TABLE};
use super::set::NFTA_SET_TABLE;
use super::{BaseChain, Element, Family, Listed, Name, Object, RawRule, Rule, Set, Table, TableId};
use crate::netlink::{self, Answer, Malformed, Message};

const GETTABLE: u16 = NFTABLES | 1;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;
const GETSET: u16 = NFTABLES | 10;
const GETSETELEM: u16 = NFTABLES | 13;
const GETOBJ: u16 = NFTABLES | 19;
const NLM_F_DUMP: u16 = 0x300;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;

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
        let mut all = Vec::new();
        self.dump(
            |message, seq| message.message(GETTABLE, NLM_F_DUMP, seq, 0, 0),
            &mut all,
            |message, all| {
                all.push(Table::decode(message)?);
                Ok(())
            },
        )?;
        Ok(all)
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
            listed,
        )?;
        found(answers)
    }

    /// All chains of a table: `list chains`. The kernel walks those of all tables.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn chains(&mut self, table: &TableId) -> Result<Vec<Listed<AnyChain>>, Error> {
        self.dump_chains(table, listed)
    }

    fn dump_chains<T>(
        &mut self,
        table: &TableId,
        decode: impl Fn(&Message<'_>) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Error> {
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
                    all.push(decode(message)?);
                }
                Ok(())
            },
        )?;
        Ok(all)
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
        let answers = self.ask(
            names.iter(),
            |message, name, seq| {
                message.message(GETCHAIN, 0, seq, table.family.number(), 0);
                message.put_str(NFTA_CHAIN_TABLE, table.name.as_str());
                message.put_str(NFTA_CHAIN_NAME, name.as_str());
            },
            ChainUsage::decode,
        )?;
        found(answers)
    }

    /// All chains of a table, as [`Kernel::chain_usage`] gives them.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn all_chain_usage(&mut self, table: &TableId) -> Result<Vec<ChainUsage>, Error> {
        self.dump_chains(table, ChainUsage::decode)
    }

    /// The base chains of all tables.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn base_chains(&mut self) -> Result<Vec<(TableId, BaseChain)>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| message.message(GETCHAIN, NLM_F_DUMP, seq, 0, 0),
            &mut all,
            |message, all| {
                let table = message.attributes().need(NFTA_CHAIN_TABLE, "chain without a table")?;
                let name = super::rule::name(table.text()?)?;
                if let AnyChain::Base(chain) = listed(message)?.value {
                    let family = Family::from_number(message.family());
                    all.push((TableId { family, name }, chain));
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
        self.dump_rules(GETRULE, table, chain)
    }

    pub(super) fn dump_rules(
        &mut self,
        kind: u16,
        table: &TableId,
        chain: Option<&Name>,
    ) -> Result<Vec<(Name, Listed<Rule>)>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(kind, NLM_F_DUMP, seq, table.family.number(), 0);
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

    /// The rules of a chain in order, undecoded: some microseconds less for each.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn raw_rules(&mut self, table: &TableId, chain: &Name) -> Result<Vec<RawRule>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(GETRULE, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_RULE_TABLE, table.name.as_str());
                message.put_str(NFTA_RULE_CHAIN, chain.as_str());
            },
            &mut all,
            |message, all| {
                all.push(RawRule::read(message)?);
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// The expressions of all rules of a table as the kernel dumps them, in order, each with its
    /// rule's chain and handle: the content of `NFTA_RULE_EXPRESSIONS`, undecoded.
    ///
    /// # Errors
    /// [`Error::Netlink`].
    pub fn raw_expressions(&mut self, table: &TableId) -> Result<Vec<(Name, u64, Vec<u8>)>, Error> {
        let mut all = Vec::new();
        self.dump(
            |message, seq| {
                message.message(GETRULE, NLM_F_DUMP, seq, table.family.number(), 0);
                message.put_str(NFTA_RULE_TABLE, table.name.as_str());
            },
            &mut all,
            |message, all| {
                let (chain, rule) = Rule::decode(message)?;
                let raw = message.attributes().find(NFTA_RULE_EXPRESSIONS);
                let raw = raw.map(|raw| raw.value.to_vec()).unwrap_or_default();
                all.push((chain, rule.handle, raw));
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

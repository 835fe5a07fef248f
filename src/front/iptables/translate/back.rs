//! The kernel's tables as files of iptables-save.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::error::Error;
use super::expand::{Sets, expand};
use crate::net::IpVersion;
use crate::nft::expr::Immediate;
use crate::nft::{
    AnyChain, BaseChain, ChainKind, Element, Expr, Family, Hook, Kernel, Policy, Rule, Set,
    TableId, list_rule,
};
use crate::xtables;

/// The most bytes of a chain's name in iptables (`XT_EXTENSION_MAXNAMELEN` less the zero).
const NAME: usize = 28;

/// A table as the kernel has it.
#[derive(Debug)]
struct Content {
    id: TableId,
    sets: Vec<(Set, Vec<Element>)>,
    chains: Vec<(AnyChain, Vec<Rule>)>,
}

/// Prints the tables of this network namespace, or one of them, in the words of iptables-save,
/// and returns how many rules and chains have none: those are comments. With no version it is that
/// of the one table, or else IPv4.
///
/// # Errors
/// [`Error::Classic`], where the kernel does not answer or the output cannot be written;
/// [`Error::NoTable`] and [`Error::NotOfVersion`] for the one table.
pub(super) fn tables(
    version: Option<IpVersion>,
    only: Option<&str>,
    out: &mut impl Write,
) -> Result<usize, Error> {
    let mut kernel = Kernel::open()?;
    let (_, (known, contents)) = kernel.consistently(|kernel| {
        let (mut known, mut contents) = (Vec::new(), Vec::new());
        for table in kernel.tables()? {
            known.push(table.id.to_string());
            if only.is_none_or(|only| only == table.id.to_string()) {
                contents.push(read(kernel, table.id)?);
            }
        }
        Ok((known, contents))
    })?;
    let version = match (only, contents.as_slice()) {
        (Some(name), []) => return Err(Error::NoTable { name: name.to_owned(), known }),
        (Some(_), [one, ..]) => version_of(&one.id, version)?,
        (None, _) => version.unwrap_or(IpVersion::V4),
    };
    let mut left = 0;
    for content in &contents {
        left += content.print(version, out)?;
    }
    Ok(left)
}

/// The version that a table is printed for: its own, or else the one that was asked for.
fn version_of(table: &TableId, asked: Option<IpVersion>) -> Result<IpVersion, Error> {
    let own = IpVersion::BOTH.into_iter().find(|own| Family::of(*own) == table.family);
    match (own, asked) {
        (Some(own), Some(asked)) if own != asked => {
            Err(Error::NotOfVersion { name: table.to_string(), version: asked })
        }
        (Some(version), _) | (None, Some(version)) => Ok(version),
        (None, None) => Ok(IpVersion::V4),
    }
}

fn read(kernel: &mut Kernel, id: TableId) -> Result<Content, crate::nft::Error> {
    let mut sets = Vec::new();
    for set in kernel.sets(&id)? {
        let mut elements = kernel.elements(&id, &set.name)?;
        // The kernel lists them in the order of their hashes.
        elements.sort_by(|one, other| one.key.cmp(&other.key));
        sets.push((set, elements));
    }
    let mut chains: Vec<(AnyChain, Vec<Rule>)> =
        kernel.chains(&id)?.into_iter().map(|chain| (chain.value, Vec::new())).collect();
    for (name, rule) in kernel.rules(&id, None)? {
        if let Some((_, rules)) = chains.iter_mut().find(|(chain, _)| *chain.name() == name) {
            rules.push(rule.value);
        }
    }
    Ok(Content { id, sets, chains })
}

/// Base chains, and what each is called in iptables.
type Bases<'a> = [(&'a BaseChain, &'static str)];

/// The table and the chain of iptables that a hook and its priority are.
fn place(chain: &BaseChain) -> Option<(&'static str, &'static str)> {
    let name = match chain.hook {
        Hook::Prerouting => "PREROUTING",
        Hook::Input => "INPUT",
        Hook::Forward => "FORWARD",
        Hook::Output => "OUTPUT",
        Hook::Postrouting => "POSTROUTING",
        _ => return None,
    };
    let inner = matches!(chain.hook, Hook::Input | Hook::Forward | Hook::Output);
    let table = match (&chain.kind, chain.priority) {
        (ChainKind::Nat, _) if chain.hook != Hook::Forward => "nat",
        (ChainKind::Route, _) => "mangle",
        (ChainKind::Filter, ..-199) if matches!(chain.hook, Hook::Prerouting | Hook::Output) => {
            "raw"
        }
        (ChainKind::Filter, -100..=49) if inner => "filter",
        (ChainKind::Filter, 50..) if inner => "security",
        (ChainKind::Filter, _) => "mangle",
        _ => return None,
    };
    Some((table, name))
}

impl Content {
    fn print(&self, version: IpVersion, out: &mut impl Write) -> io::Result<usize> {
        let family = Family::of(version);
        match self.id.family {
            of_table if of_table == family || of_table == Family::Inet => {
                writeln!(out, "# table {}", self.id)?;
            }
            Family::Ip | Family::Ip6 => return Ok(0),
            _ => {
                writeln!(out, "# table {}: iptables has no tables of this family", self.id)?;
                return Ok(1);
            }
        }
        let mut left = 0;
        let mut tables: BTreeMap<&str, Vec<(&BaseChain, &'static str)>> = BTreeMap::new();
        for (chain, _) in &self.chains {
            let AnyChain::Base(base) = chain else { continue };
            match place(base) {
                Some((table, name)) => tables.entry(table).or_default().push((base, name)),
                None => {
                    left += 1;
                    let (name, hook) = (&base.name, base.hook.word());
                    writeln!(out, "# chain {name}: iptables has no hook {hook} of its type")?;
                }
            }
        }
        for (table, mut bases) in tables {
            bases.sort_by_key(|(base, _)| base.priority);
            left += self.print_table(table, &bases, version, out)?;
        }
        Ok(left)
    }

    fn print_table(
        &self,
        table: &str,
        bases: &Bases<'_>,
        version: IpVersion,
        out: &mut impl Write,
    ) -> io::Result<usize> {
        let chains = self.reached(bases, version);
        writeln!(out, "*{table}")?;
        let mut named: Vec<&str> = Vec::new();
        for (base, name) in bases {
            // As it is, unless packets are dropped: another table may drop them already.
            let policy = if base.policy == Policy::Drop { "DROP" } else { "-" };
            if !named.contains(name) || base.policy == Policy::Drop {
                writeln!(out, ":{name} {policy} [0:0]")?;
            }
            named.push(name);
        }
        let builtin = |name: &str| {
            bases.iter().find(|(base, _)| base.name.as_str() == name).map(|(_, name)| *name)
        };
        for (name, _) in chains.iter().filter(|(name, _)| builtin(name).is_none()) {
            writeln!(out, ":{} - [0:0]", short(name))?;
        }
        let mut left = 0;
        for (name, rules) in &chains {
            let name = builtin(name).map_or_else(|| short(name), str::to_owned);
            left += self.print_rules(&name, rules, version, out)?;
        }
        writeln!(out, "COMMIT")?;
        Ok(left)
    }

    /// The chains that rules lead to from hooks, those of hooks first, with what each is to this
    /// family.
    fn reached(&self, bases: &Bases<'_>, version: IpVersion) -> Vec<(&str, Vec<Rule>)> {
        let mut done: Vec<(&str, Vec<Rule>)> = Vec::new();
        let mut todo: Vec<&str> = bases.iter().map(|(base, _)| base.name.as_str()).collect();
        while let Some(name) = todo.pop() {
            let found = self.chains.iter().find(|(chain, _)| chain.name().as_str() == name);
            let Some((chain, rules)) =
                found.filter(|_| done.iter().all(|(known, _)| *known != name))
            else {
                continue;
            };
            let rules: Vec<Rule> =
                rules.iter().flat_map(|rule| self.written_out(rule, version)).collect();
            let names = self.chains.iter().map(|(chain, _)| chain.name().as_str());
            let is_reached = |chain: &&str| {
                let chain = short(chain);
                rules.iter().any(|rule| xtables::jump_target(rule) == Some(&chain))
            };
            todo.extend(names.filter(is_reached));
            done.push((chain.name().as_str(), rules));
        }
        let of_hook = |name: &str| bases.iter().position(|(base, _)| base.name.as_str() == name);
        done.sort_by_key(|(name, _)| (of_hook(name).unwrap_or(bases.len()), *name));
        done
    }

    fn print_rules(
        &self,
        chain: &str,
        rules: &[Rule],
        version: IpVersion,
        out: &mut impl Write,
    ) -> io::Result<usize> {
        let find = |name: &str| {
            let found = self.sets.iter().find(|(set, _)| set.name.as_str() == name);
            found.map(|(set, elements)| (set, elements.as_slice()))
        };
        let mut left = 0;
        for rule in rules {
            match xtables::Rule::read(rule, version).map(|read| read.saved()) {
                Some(words) if words.is_empty() => writeln!(out, "-A {chain}")?,
                Some(words) => writeln!(out, "-A {chain} {words}")?,
                None => {
                    left += 1;
                    let text = list_rule(self.id.family, rule, &find);
                    writeln!(out, "# -A {chain}: iptables has no words for {text}")?;
                }
            }
        }
        Ok(left)
    }

    /// The rules that a rule is in iptables: itself if its words are known, or else one for each
    /// element of the sets that it names.
    fn written_out(&self, rule: &Rule, version: IpVersion) -> Vec<Rule> {
        let sets: &Sets = &self.sets;
        let rules = match (self.id.family, xtables::Rule::read(rule, version)) {
            (Family::Ip | Family::Ip6, Some(_)) => vec![rule.clone()],
            _ => expand(rule, sets, version),
        };
        rules.into_iter().map(with_short_names).collect()
    }
}

/// A name that iptables can have: a longer one keeps its beginning and gets a number of its own.
fn short(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    // FNV-1a: the same name always becomes the same.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut end = NAME - 12;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{:011x}", &name[..end], hash & 0xfff_ffff_ffff)
}

fn with_short_names(mut rule: Rule) -> Rule {
    // Its name is read, not printed.
    if xtables::companion_chain(&rule).is_some() {
        return rule;
    }
    for expr in &mut rule.exprs {
        if let Expr::Immediate(Immediate::Verdict(verdict)) = expr
            && let Some(chain) = verdict.chain_mut()
            && let Ok(name) = crate::nft::Name::new(short(chain.as_str()))
        {
            *chain = name;
        }
    }
    rule
}

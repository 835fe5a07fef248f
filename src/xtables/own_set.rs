//! Names of sets that belong to one rule: complete once the rule is.

use std::sync::Arc;

use super::companion::Companion;
use super::compile::Compiled;
use super::error::Error;
use super::rule::Rule;
use crate::net::IpVersion;
use crate::nft::expr::{Lookup, SetRef};
use crate::nft::{Expr, Name};

/// Completes the names that end with `-`: with a hash of the chain and of the rule's words, so that
/// the same words name the same set, and other rules have one of their own.
pub(super) fn name_own_sets(
    compiled: &mut Compiled,
    chain: &str,
    version: IpVersion,
) -> Result<(), Error> {
    let is_own = |name: &Name| name.as_str().ends_with('-');
    let sets = compiled.companions.iter().filter_map(Companion::set);
    let has_own = sets.map(|set| &set.name).any(is_own);
    if !has_own {
        return Ok(());
    }
    let words = Rule::read(&compiled.rule, version).map(|rule| rule.words()).unwrap_or_default();
    let hash = hash(std::iter::once(chain).chain(words.iter().map(String::as_str)));
    let text = |name: &Name, number: usize| format!("{name}{hash:016x}-{number}");
    let mut number = 0;
    let sets = compiled.companions.iter_mut().filter_map(Companion::set_mut);
    for name in sets.map(|set| &mut set.name).filter(|name| is_own(name)) {
        *name = complete(name, text(name, number))?;
        number += 1;
    }
    number = 0;
    let rule = Arc::make_mut(&mut compiled.rule);
    for name in rule.exprs.iter_mut().filter_map(named).filter(|name| is_own(name)) {
        *name = complete(name, text(name, number))?;
        number += 1;
    }
    Ok(())
}

/// The sets of a rule that no rule with other words or of another chain is to have, unless a chain
/// was renamed.
pub fn own_sets(compiled: &Compiled) -> impl Iterator<Item = &Name> {
    compiled.companions.iter().filter_map(own_set)
}

/// The same rule with the next names for its own sets.
///
/// # Errors
/// [`Error::UnsupportedMatch`] for a name that is too long.
pub fn with_next_own_sets(mut compiled: Compiled) -> Result<Compiled, Error> {
    let names: Vec<Name> = own_sets(&compiled).cloned().collect();
    let advance = |name: &mut Name| {
        if let Some((front, number)) = numbered(name).filter(|_| names.contains(name)) {
            *name = complete(name, format!("{front}-{}", number + names.len()))?;
        }
        Ok(())
    };
    let mut sets = compiled.companions.iter_mut().filter_map(Companion::set_mut);
    sets.try_for_each(|set| advance(&mut set.name))?;
    let rule = Arc::make_mut(&mut compiled.rule);
    rule.exprs.iter_mut().filter_map(named).try_for_each(advance)?;
    Ok(compiled)
}

/// A set's name by which the kernel will know it.
fn complete(name: &Name, text: String) -> Result<Name, Error> {
    Name::new(text).map_err(|_| Error::UnsupportedMatch {
        name: name.to_string(),
        reason: "the name of its set is too long",
    })
}

fn own_set(companion: &Companion) -> Option<&Name> {
    match companion {
        Companion::Set(set) | Companion::Map { set, .. } => {
            Some(&set.name).filter(|name| numbered(name).is_some())
        }
        Companion::List { .. } | Companion::Chain(_) | Companion::Object(_) => None,
    }
}

/// The name that [`name_own_sets`] has completed, without its number, and that.
fn numbered(name: &Name) -> Option<(&str, usize)> {
    let (front, number) = name.as_str().rsplit_once('-')?;
    let (_, hash) = front.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Some((front, number.parse().ok()?)) } else { None }
}

/// The name of a set in an expression.
fn named(expr: &mut Expr) -> Option<&mut Name> {
    match expr {
        Expr::Dynset(dynset) => Some(&mut dynset.set),
        Expr::Lookup(Lookup { set: SetRef::Named(name), .. }) => Some(name),
        _ => None,
    }
}

/// FNV-1a of the words, each with its end: it need not be secret, only stay the same.
fn hash<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    let bytes = words.flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

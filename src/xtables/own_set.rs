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
    let complete = |name: &Name, number: usize| {
        let text = format!("{name}{hash:016x}-{number}");
        Name::new(text).map_err(|_| Error::UnsupportedMatch {
            name: name.to_string(),
            reason: "the name of its set is too long",
        })
    };
    let mut number = 0;
    let sets = compiled.companions.iter_mut().filter_map(Companion::set_mut);
    for name in sets.map(|set| &mut set.name).filter(|name| is_own(name)) {
        *name = complete(name, number)?;
        number += 1;
    }
    number = 0;
    let rule = Arc::make_mut(&mut compiled.rule);
    for name in rule.exprs.iter_mut().filter_map(named).filter(|name| is_own(name)) {
        *name = complete(name, number)?;
        number += 1;
    }
    Ok(())
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
